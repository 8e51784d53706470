"""A campaign for a whole city, for real: a file, its check, two officers, three kills, the books, and other programs.

    .venv/bin/python -m scripts.bench.whole_city [--rows 470000] [--file FILE] [--sample 1000]

Every line is a figure; the program ends with 1 when the books do not agree or a judge disagrees.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep

from sqlalchemy import Row, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from app.accounts import service as accounts
from app.approvals import service as approvals
from app.campaigns import check_job, reconciling, service
from app.campaigns.models import Campaign, CampaignState, Mode
from app.campaigns.service import Plan, UploadedFile
from app.certificates import revocations, tasks
from app.certificates.models import Authority, Certificate, CertificateState, Crl
from app.core import db
from app.core.permissions import Actor, Role, house
from app.core.storage import Storage
from app.registry import service as registry
from pki.profiles import ProfileName
from pki.revocation import RevocationReason
from scripts.bench import city_judges, serving
from scripts.bench.campaign_file import write
from scripts.bench.city import City, city, figure, say

_WARDS = 12
_KILLS = 3
_ACTOR = house("whole city")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=470_000)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--sample", type=int, default=1_000)
    given = parser.parse_args()
    port = serving.free_port()
    # A public name stands in the certificates, as it would; the judges are told where the service really is.
    with city(wards=_WARDS, environ={"KYVAO_STATUS_URL": "http://pki.example.com"}) as made:
        campaign_id = _checked(made, given.file, given.rows)
        _issue(campaign_id)
        good = _books(campaign_id)
        good &= _judged(made, given.sample, port)
    if not good:
        raise SystemExit(1)


def _checked(made: City, path: Path | None, rows: int) -> uuid.UUID:
    """Give the file to the check and let two officers submit and approve what it accepts."""
    first, second = _officer("dung"), _officer("hai")
    with tempfile.TemporaryDirectory() as folder:
        if path is None:
            path = Path(folder) / "city.csv"
            write(path, rows, [ward.code for ward in made.wards])
        with path.open("rb") as stream:
            digest = Storage(made.settings.data_dir / "objects").put_stream(stream, largest=2**31)
    with db.transaction() as session:
        plan = Plan("Chữ ký số cho cả thành phố", Mode.ISSUE, ProfileName.CITIZEN_SIGNING, None)
        campaign_id = service.create(session, first, plan, UploadedFile(path.name, digest), now=_now()).id
    started = monotonic()
    check_job.run(made.settings, campaign_id, _now)
    took = monotonic() - started
    with db.transaction() as session:
        campaign = session.get_one(Campaign, campaign_id)
    figure("city.rows", campaign.rows_checked, "rows")
    figure("city.rejected", campaign.rows_rejected, "rows")
    figure("city.check_rate", campaign.rows_checked / took, "rows/s")
    started = monotonic()
    with db.transaction() as session:
        act = service.submit(session, first, campaign_id, now=_now())
    if act is None:
        raise SystemExit("a campaign of this size needs a second officer")
    with db.transaction() as session:
        approvals.approve(session, second, act.id, digest=act.digest_hex, now=_now())
    with db.transaction() as session:
        service.start(session, first, campaign_id, now=_now())
    figure("city.approval", monotonic() - started, "s")
    return campaign_id


def _officer(login: str) -> Actor:
    with db.transaction() as session:
        person = registry.add_person(session, surname="Cán bộ", given_name=login, email=None, actor=_ACTOR)
        account = accounts.create_account(session, login=login, label=login, person_id=person.id)
        accounts.grant_role(session, account, Role.REGISTRATION_OFFICER, agency_id=None, actor=_ACTOR)
        return accounts.actor_of(account)


def _issue(campaign_id: uuid.UUID) -> None:
    """Work the campaign off; its processes are killed three times on the way, all at once."""
    with db.transaction() as session:
        total = session.get_one(Campaign, campaign_id).rows_accepted
    chance, working, before = random.Random(), 0.0, 0  # noqa: S311  when the processes die
    for round_ in range(_KILLS + 1):
        until = total if round_ == _KILLS else int(total * (round_ + chance.uniform(0.5, 0.9)) / (_KILLS + 1))
        started = monotonic()
        done = _run_until(campaign_id, until, last=round_ == _KILLS)
        working += monotonic() - started
        if round_ < _KILLS:
            figure(f"city.killed_{round_ + 1}_at", done, "certificates")
        before = done
    figure("city.issued", before, "certificates")
    figure("city.issuing", working, "s")
    figure("city.rate_with_kills", total / working, "certificates/s")


def _run_until(campaign_id: uuid.UUID, until: int, *, last: bool) -> int:
    program = (
        "import os; from uuid import UUID; from app.campaigns import runner; from app.core.settings import load;"
        f"runner.work_off(load(os.environ), UUID('{campaign_id}'))"
    )
    process = subprocess.Popen([sys.executable, "-c", program], start_new_session=True)  # noqa: S603  ourselves
    while process.poll() is None:
        sleep(0.2)
        if not last and _done(campaign_id) >= until:
            # The coordinator and both of its processes, at whatever they are doing.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            sleep(0.5)
    if last and process.returncode:
        raise SystemExit("the last run ended early")
    return _done(campaign_id)


def _done(campaign_id: uuid.UUID) -> int:
    with db.transaction() as session:
        return session.scalars(select(Campaign.rows_done).where(Campaign.id == campaign_id)).one()


def _books(campaign_id: uuid.UUID) -> bool:
    with db.transaction() as session:
        books = reconciling.reconcile(session, campaign_id)
        twice = reconciling.doubled(session, campaign_id)
        state = session.get_one(Campaign, campaign_id).state
    figure("city.rows_accepted", books.accepted, "rows")
    figure("city.certificates", books.made, "certificates")
    figure("city.log_entries", books.logged, "entries")
    figure("city.passed_over", books.passed_over, "rows")
    figure("city.abandoned_serials", books.abandoned, "serial numbers")
    figure("city.people_with_two", twice, "people")
    return books.agree and not twice and state == CampaignState.FINISHED


def _judged(made: City, sample: int, port: int) -> bool:
    """Revoke and suspend some, publish, and let others judge a sample, every list and answers of each kind."""
    with db.transaction() as session:
        chosen = list(
            session.scalars(
                select(Certificate)
                .where(Certificate.state == CertificateState.ISSUED, Certificate.profile == ProfileName.CITIZEN_SIGNING)
                .order_by(func.random())
                .limit(sample + 60)
            ).unique()
        )
        for number, one in enumerate(chosen[sample:]):
            reason = RevocationReason.KEY_COMPROMISE if number % 2 else RevocationReason.CERTIFICATE_HOLD
            revocations.revoke(session, _ACTOR, one.id, reason=reason, now=_now())
    tasks.publish_due.func()
    with db.transaction() as session:
        authorities = session.scalars(select(Authority)).all()
        lists = session.execute(
            select(Crl.authority_id, Crl.shard, Crl.der)
            .ext(distinct_on(Crl.authority_id, Crl.shard))
            .order_by(Crl.authority_id, Crl.shard, Crl.number.desc())
        ).all()
    root = next(one for one in authorities if one.issuer_id is None)
    issuer = next(one for one in authorities if one.profile == ProfileName.ISSUING_CITIZENS)
    below = [one.certificate_der for one in authorities if one.issuer_id is not None]
    with tempfile.TemporaryDirectory() as folder:
        files = city_judges.Files(Path(folder), root.certificate_der, below, [der for _, _, der in lists])
        verdicts = [
            *_certificates(files, chosen, sample),
            *_lists(files, lists, authorities),
            *_answers(made, files, chosen, sample, issuer, port),
        ]
    for name, accepted, expected in verdicts:
        figure(f"city.{name}", accepted, f"of {expected}")
    return all(accepted == expected for _, accepted, expected in verdicts)


def _certificates(files: city_judges.Files, chosen: list[Certificate], sample: int) -> list[tuple[str, int, int]]:
    paths = [files.certificate(one.serial_hex, one.der or b"") for one in chosen]
    good, ended = paths[:sample], paths[sample:]
    say("certificates before OpenSSL, GnuTLS and pkilint")
    return [
        ("certificates_openssl", city_judges.accepted_by_openssl(files, good), len(good)),
        ("certificates_gnutls", city_judges.accepted_by_gnutls(files, good), len(good)),
        ("certificates_pkilint", city_judges.clean_for_pkilint("certificate", good), len(good)),
        ("revoked_refused_openssl", sum(city_judges.refused_by_openssl(files, one) for one in ended), len(ended)),
    ]


def _lists(
    files: city_judges.Files, lists: Sequence[Row[uuid.UUID, int, bytes]], authorities: Sequence[Authority]
) -> list[tuple[str, int, int]]:
    say("every list before OpenSSL, GnuTLS and pkilint")
    issuers = {one.id: files.certificate(f"issuer-{one.name}", one.certificate_der) for one in authorities}
    root = {one.id for one in authorities if one.issuer_id is None}
    paths = [(files.list_(f"list-{at}", der), authority) for at, (authority, _, der) in enumerate(lists)]
    by_openssl, by_gnutls = city_judges.lists_accepted([(path, issuers[authority]) for path, authority in paths])
    by_pkilint = city_judges.clean_for_pkilint("crl", [path for path, authority in paths if authority not in root])
    by_pkilint += city_judges.clean_for_pkilint("arl", [path for path, authority in paths if authority in root])
    return [
        ("lists_openssl", by_openssl, len(paths)),
        ("lists_gnutls", by_gnutls, len(paths)),
        ("lists_pkilint", by_pkilint, len(paths)),
    ]


def _answers(
    made: City, files: city_judges.Files, chosen: list[Certificate], sample: int, issuer: Authority, port: int
) -> list[tuple[str, int, int]]:
    say("answers of the status service before OpenSSL, GnuTLS and pkilint")
    issuer_path = files.certificate("issuer", issuer.certificate_der)
    asked: list[tuple[str, Path | int]] = [
        ("good", files.certificate(f"g{at}", one.der or b"")) for at, one in enumerate(chosen[: min(40, sample)])
    ]
    asked += [("revoked", files.certificate(f"r{at}", one.der or b"")) for at, one in enumerate(chosen[sample:])]
    asked += [("unknown", int.from_bytes(b"\x01" + os.urandom(17), "big")) for _ in range(20)]
    right, answers = 0, []
    with serving.child(made.settings, "status", port=port):
        host = serving.listening(port)
        for at, (expected, certificate) in enumerate(asked):
            answer = files.folder / f"answer-{at}.der"
            hash_name = "sha1" if at % 2 else "sha256"
            said = city_judges.ocsp_says(
                files, issuer_path, certificate, f"http://{host}:{port}/ocsp", answer, hash_name
            )
            right += said == expected
            if said != expected:
                say(f"expected {expected}: {said}")
            answers.append(answer)
    return [
        ("answers_openssl", right, len(asked)),
        ("answers_gnutls", city_judges.answers_accepted_by_gnutls(answers, issuer_path), len(answers)),
        ("answers_pkilint", city_judges.clean_for_pkilint("ocsp", answers), len(answers)),
    ]


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    main()
