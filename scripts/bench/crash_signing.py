"""A signature of an official, interrupted between the key's answer and the browser's: the old revision, or one new one.

No timestamp service runs here, so a signature says that its timestamp is pending; what may be lost is the same.
"""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from pathlib import Path
from subprocess import run
from uuid import UUID, uuid4

import pikepdf
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import func, select

from app.accounts import service as accounts
from app.accounts.models import Account
from app.archive.models import ArchiveEntry
from app.audit.models import AuditEntry
from app.certificates import register, tasks
from app.certificates.models import CertificateRequest, RequestState
from app.core import db
from app.core.failpoints import reach
from app.core.permissions import Actor, Role, house
from app.core.storage import Storage
from app.core.timestamping import timestamper
from app.documents import service as documents
from app.documents.intake import Accepted
from app.documents.models import Document
from app.registry import service as registry
from app.signing import service as signing
from app.signing.models import SessionState, SigningSession
from app.signing.preparation import Place
from pki.keys import Curve, SoftwareKey
from pki.pades.placement import Corner
from pki.profiles import ProfileName
from scripts.bench.city import City
from scripts.bench.crash_scenarios import Damage, Scenario

_HOUSE = house("crash bench")
# By the data folder of their city.
_officials: dict[Path, Official] = {}


@dataclass(frozen=True)
class Official:
    actor: Actor
    person_id: UUID
    agency_id: UUID
    certificate_sha256: str
    key: SoftwareKey


@dataclass(frozen=True)
class Prepared:
    """A paper whose signature is prepared, and what the key answered."""

    document_id: UUID
    session_id: UUID
    signature_value: bytes


def _official(city: City) -> Official:
    """Somebody with a post and a certificate, the same in all runs of a city."""
    folder = city.settings.data_dir
    if folder not in _officials:
        _officials[folder] = _new_official(city)
    return _officials[folder]


def _new_official(city: City) -> Official:
    key, now, ward = SoftwareKey.generate(Curve.P256), datetime.now(UTC), city.wards[0]
    spki = key.public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    with db.transaction() as session:
        person = registry.add_person(session, surname="Trần Văn", given_name="Ký", email=None, actor=_HOUSE)
        registry.appoint(session, person, ward, title="Chuyên viên", actor=_HOUSE)
        account, officer = (
            accounts.create_account(session, login=uuid4().hex, label="Ký", person_id=one) for one in (person.id, None)
        )
        accounts.grant_role(session, account, Role.OFFICIAL, agency_id=ward.id, actor=_HOUSE)
        asked = CertificateRequest(
            person_id=person.id,
            profile=ProfileName.OFFICIAL_SIGNING,
            spki_der=spki,
            spki_sha256=hashlib.sha256(spki).hexdigest(),
            state=RequestState.APPROVED,
            requested_by=account.id,
            requested_at=now,
            decided_by=officer.id,
            decided_at=now,
        )
        session.add(asked)
        session.flush()
        ids = asked.id, person.id, account.id
    tasks.issue.func(str(ids[0]))
    with db.transaction() as session:
        certificate = register.current_of_person(session, ids[1], now=datetime.now(UTC))
        if certificate is None or certificate.sha256 is None:
            raise SystemExit("no certificate to sign with")
        actor = accounts.actor_of(session.get_one(Account, ids[2]))
        return Official(actor, ids[1], ward.id, certificate.sha256, key)


def _storage(city: City) -> Storage:
    return Storage(city.settings.data_dir / "objects")


def _prepared(city: City) -> Prepared:
    one, now, output = _official(city), datetime.now(UTC), BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page(page_size=(595, 842))
        pdf.save(output)
    with db.transaction() as session:
        output.seek(0)
        accepted = Accepted(output, 1, 0)
        document = documents.upload(session, _storage(city), accepted, title="Tờ trình", actor=one.actor, now=now)
        document_id = document.id
    wish = signing.Wish(one.certificate_sha256, 1, Place(1, Corner.BOTTOM_RIGHT, 20, 40), None)
    with db.transaction() as session:
        made = signing.prepare(session, _storage(city), one.actor, document_id, wish, now=now)
    r, s = decode_dss_signature(one.key.sign(made.signature.signed_attributes_der))
    return Prepared(document_id, made.session_id, r.to_bytes(32, "big") + s.to_bytes(32, "big"))


def _complete(city: City, prepared: Prepared) -> None:
    with db.transaction() as session:
        signing.complete(
            session,
            _storage(city),
            _official(city).actor,
            prepared.session_id,
            signature_value=prepared.signature_value,
            timestamp=timestamper(city.settings),
            now=datetime.now(UTC),
        )
    # As the page does after its transaction.
    reach("sign.committed_before_reply")


def _count(city: City, prepared: Prepared) -> Damage:
    """One new version that begins with the old one, whose signature poppler finds valid; one entry; nothing half."""
    with db.transaction() as session:
        versions = session.get_one(Document, prepared.document_id).versions
        state = session.get_one(SigningSession, prepared.session_id).state
        proven = session.get(ArchiveEntry, prepared.document_id)
        entries = session.scalar(
            select(func.count()).where(
                AuditEntry.act == "document_signed", AuditEntry.object_id == str(prepared.document_id)
            )
        )
        files = [_storage(city).get(one.sha256) for one in versions]
    lost = int(len(versions) < 2) + int(not entries) + int(state != SessionState.COMPLETED) + int(proven is None)
    lost += int(not files[-1].startswith(files[0])) + int(not _is_valid(files[-1]))
    return Damage(lost, max(0, len(versions) - 2) + max(0, (entries or 0) - 1))


def _is_valid(pdf: bytes) -> bool:
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        Path(file.name).write_bytes(pdf)
        said = run(["pdfsig", "-nocert", file.name], capture_output=True, check=False, text=True).stdout  # noqa: S603, S607
    return said.count("Signature is Valid") == 1 and "Total document signed" in said


_of_signature = partial(Scenario, most=1, arrange=_prepared, act=_complete, recover=_complete, count=_count)
SIGNING = tuple(
    _of_signature(point)
    for point in (
        "sign.finished",
        "storage.written_before_name",
        "sign.stored",
        "sign.before_commit",
        "sign.committed_before_reply",
    )
)
