"""How many stored documents get a new proof a second: both cores, real storage, database, timestamps over HTTP.

    .venv/bin/python -m scripts.bench.renew [--quick]

Every renewed file is judged by `pdfsig` and `qpdf --check` before it counts, as in the house; some are then read again
here by our own check, and one that is not valid ends this.
"""

from __future__ import annotations

import random
import resource
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from itertools import count
from typing import Final

import pikepdf
from sqlalchemy import func, insert, select

from app.archive import clock, runner, runs
from app.archive.material import material_for
from app.archive.models import ArchiveEntry, ArchiveRun, ArchiveStep
from app.certificates import authorities, key_access, register
from app.certificates import service as certificates
from app.certificates.models import Certificate
from app.core import db
from app.core.permissions import house
from app.core.storage import Storage
from app.documents.models import Document, DocumentVersion, Level, MadeBy
from app.registry import service as registry
from app.registry.search import fold
from app.status.material import read
from pki.chains import TrustStore
from pki.keys import SigningKey
from pki.pades import augment, proofs
from pki.pades.dss import Material
from pki.pades.finish import finish
from pki.pades.intake import normalise
from pki.pades.prepare import prepare
from pki.pades.report import Verdict
from pki.pades.verify import verify
from pki.status_evidence import StatusEvidence
from pki.tsa import TsaUnit, parse_request, respond
from scripts.bench.city import City, city, figure, is_quick, say
from scripts.bench.ocsp import status

PROCESSES: Final = 3
_SAMPLE: Final = 20


@dataclass(frozen=True)
class Maker:
    """Signs papers with an agency's seal and lifts them to B-LTA, in this process."""

    seal: Certificate
    chain: tuple[bytes, ...]
    key: SigningKey
    unit: TsaUnit
    material: Material
    serials: count[int]

    def archived(self, number: int) -> bytes:
        paper = normalise(_paper(number))
        der = self.seal.der or b""
        waiting = prepare(BytesIO(paper), certificate_der=der, now=datetime.now(UTC))
        paper += finish(
            waiting,
            signature_value=self.key.sign(waiting.signed_attributes_der),
            certificate_der=der,
            chain_der=self.chain,
            timestamp=self._timestamp,
        )
        return paper + augment.renew(BytesIO(paper), self.material, self._timestamp)

    def _timestamp(self, request_der: bytes) -> bytes:
        request = parse_request(request_der)
        return respond(request, unit=self.unit, serial_number=next(self.serials), now=datetime.now(UTC))


def main() -> None:
    number = 400 if is_quick() else 3_000
    with city(wards=1) as made, status(made.settings) as url:
        here = replace(made, settings=replace(made.settings, status_internal_url=url))
        began = time.perf_counter()
        _fill(here, number)
        say(f"{number} papers of level B-LTA in {time.perf_counter() - began:.1f} s")
        now = datetime.now(UTC)
        with db.transaction() as session:
            run = runs.start(session, house("benchmark"), due_before=now, now=now)
            if run is None:
                raise SystemExit("nothing is due")
            run_id = run.id
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        runner.work_off(here.settings, run_id, processes=PROCESSES)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        say(f"{spent * 1000 / number:.1f} ms of processor time for each paper, starting the processes included")
        _tell(here, run_id, number)


def _tell(made: City, run_id: uuid.UUID, number: int) -> None:
    with db.transaction() as session:
        run = session.get_one(ArchiveRun, run_id)
        steps = session.scalars(
            select(ArchiveStep).where(ArchiveStep.run_id == run_id).order_by(ArchiveStep.done_at)
        ).all()
        verified = session.scalar(
            select(func.count()).select_from(ArchiveEntry).where(ArchiveEntry.checked_by == "pdfsig, qpdf")
        )
        failed = sum(step.failed for step in steps)
        # Without the start of the processes: from the first batch of each on.
        first = steps[PROCESSES - 1]
        rest = steps[PROCESSES:]
        spent = (rest[-1].done_at - first.done_at).total_seconds()
        say(f"run of {run.total}: state {run.state}, {failed} failed")
        newest = session.scalars(
            select(DocumentVersion.sha256).where(DocumentVersion.made_by == MadeBy.PROOFS, DocumentVersion.number == 2)
        ).all()
        _judge(made, newest)
    figure("renew.rate", sum(step.renewed for step in rest) / spent, "documents/s")
    figure("renew.verified", verified or 0, "documents")
    figure("renew.failed", failed, "documents")
    if failed or verified != number:
        raise SystemExit("not every paper was renewed")


def _judge(made: City, sha256s: Sequence[str]) -> None:
    storage = Storage(made.settings.data_dir / "objects")
    with db.transaction() as session:
        roots, intermediates = certificates.trust_material(session)
    for sha256 in random.sample(list(sha256s), min(_SAMPLE, len(sha256s))):
        pdf = storage.get(sha256)
        held = _held_by(pdf)
        report = verify(
            pdf,
            trust=TrustStore(roots, intermediates),
            evidence=StatusEvidence(held.crls_der, held.ocsps_der),
            now=datetime.now(UTC),
        )
        if report.verdict is not Verdict.VALID:
            raise SystemExit(f"a renewed file is {report.verdict}: {report.reason}")
    say(f"{min(_SAMPLE, len(sha256s))} renewed files are valid for our own check too")


def _held_by(pdf: bytes) -> Material:
    return proofs.read(BytesIO(pdf)).held


def _fill(made: City, number: int) -> None:
    settings, now, actor = made.settings, datetime.now(UTC), house("benchmark")
    storage = Storage(settings.data_dir / "objects")
    agency = made.wards[0]
    with db.transaction() as session:
        seal = authorities.certify_seal(session, settings, agency, actor=actor, now=now)
        person = registry.add_person(session, surname="Trần Văn", given_name="Minh", email=None, actor=actor)
        session.flush()
        person_id = person.id
        chain = register.chain_of(session, seal)[:-1]
        key = key_access.load(settings, seal.key_reference)
        service = read(session, settings, now=now).timestamps
    if service is None:
        raise SystemExit("no timestamp unit")
    with db.transaction() as session:
        material = material_for(session, settings, (seal.der or b"", *clock.units_der(session, now=now)))
    maker = Maker(seal, chain, key, service.unit, material, count(1 << 64))
    documents, versions, entries = [], [], []
    for at in range(number):
        pdf = maker.archived(at)
        document_id, version_id = uuid.uuid4(), uuid.uuid4()
        title = f"Quyết định {at}"
        documents.append(
            {
                "id": document_id, "title": title, "search_title": fold(title), "agency_id": agency.id,
                "owner_id": person_id, "created_at": now,
            }
        )  # fmt: skip
        versions.append(
            {
                "id": version_id, "document_id": document_id, "number": 1, "sha256": storage.put(pdf),
                "size": len(pdf), "pages": 1, "signatures": 1, "made_by": MadeBy.SEAL, "level": Level.ARCHIVE,
                "person_id": person_id, "made_at": now,
            }
        )  # fmt: skip
        entries.append(
            {
                "document_id": document_id, "version_id": version_id, "level": Level.ARCHIVE, "wanted": Level.ARCHIVE,
                "renew_by": now - timedelta(days=1),
            }
        )  # fmt: skip
    with db.transaction() as session:
        session.execute(insert(Document), documents)
        session.execute(insert(DocumentVersion), versions)
        session.execute(insert(ArchiveEntry), entries)


def _paper(number: int) -> bytes:
    output = BytesIO()
    with pikepdf.new() as pdf:
        font = pdf.make_indirect(
            pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
        )
        page = pdf.add_blank_page(page_size=(595.28, 841.89))
        page.obj.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
        page.obj.Contents = pdf.make_stream(f"BT /F1 14 Tf 85 740 Td (Quyet dinh {number}) Tj ET".encode())
        pdf.save(output)
    return output.getvalue()


if __name__ == "__main__":
    main()
