"""A finished campaign for the demonstration city: a file of a partner, checked, approved by a second officer, issued.

It walks the real way, in this process: nothing here writes a certificate. The people and their keys are invented.
"""

from __future__ import annotations

import base64
import csv
import io
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts import service as accounts
from app.approvals import service as approvals
from app.campaigns import check_job
from app.campaigns import service as campaigns
from app.campaigns.columns import Column, word_of
from app.campaigns.engine import Engine
from app.campaigns.models import Campaign, Mode
from app.campaigns.service import Plan, UploadedFile
from app.core.db import transaction
from app.core.permissions import Actor
from app.core.settings import Settings
from app.core.storage import Storage
from app.demo.names import names
from app.demo.people import PEOPLE
from pki.profiles import ProfileName

_TITLE: Final = "Chữ ký số cho người dân, đợt 1"
_OFFICER: Final = "dung"
_SECOND_OFFICER: Final = "hai"
_WARDS: Final = ("H99.03", "H99.04", "H99.05")
# One in so many rows has a fault, as in a file from life.
_FAULTS: Final = 97
_COLUMNS: Final = (
    Column.NUMBER, Column.SURNAME, Column.GIVEN_NAME, Column.AGENCY, Column.CONSENT, Column.CSR,
)  # fmt: skip


def create(settings: Settings, rows: int, tell: Callable[[str], None]) -> None:
    """Run the campaign unless there is one already."""
    with transaction() as session:
        if session.scalar(select(Campaign.id).limit(1)) is not None:
            return
        officer, second = _actor(session, _OFFICER), _actor(session, _SECOND_OFFICER)
    tell(f"Campaign for {rows} citizens: the file and its check")
    digest = Storage(settings.data_dir / "objects").put(_file(rows))
    with transaction() as session:
        plan = Plan(_TITLE, Mode.ISSUE, ProfileName.CITIZEN_SIGNING, None)
        file = UploadedFile("nguoi-dan-dot-1.csv", digest)
        campaign_id = campaigns.create(session, officer, plan, file, now=_now()).id
    check_job.run(settings, campaign_id, _now)
    with transaction() as session:
        act = campaigns.submit(session, officer, campaign_id, now=_now())
    if act is not None:
        with transaction() as session:
            approvals.approve(session, second, act.id, digest=act.digest_hex, now=_now())
    tell("Campaign: certificates")
    with transaction() as session:
        campaigns.start(session, officer, campaign_id, now=_now())
    Engine(settings, campaign_id).run()


def _actor(session: Session, login: str) -> Actor:
    account = accounts.find_account(session, login)
    if account is None:
        raise LookupError(login)
    return accounts.actor_of(account)


def _file(rows: int) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";")
    writer.writerow([word_of(column) for column in _COLUMNS])
    writer.writerows(_rows(rows))
    return text.getvalue().encode("utf-8-sig")


def _rows(count: int) -> Iterator[tuple[str, ...]]:
    chance = random.Random(7)  # noqa: S311  invented people, no secret
    # Nobody is called as a person of the demonstration: who looks for Ông Minh must find him.
    taken = {f"{one.surname} {one.given_name}" for one in PEOPLE}
    others = (name for name in names(2 * count, seed=7) if name not in taken)
    for row, name in enumerate(islice(others, count), 1):
        surname, _, given_name = name.rpartition(" ")
        number = f"079{chance.randrange(10)}{chance.randrange(100):02}{row:06}"
        consent = "có"
        if row % _FAULTS == 0:
            number, consent = chance.choice(((number[:-1], consent), (number, "không")))
        yield number, surname, given_name, chance.choice(_WARDS), consent, _request()


def _request() -> str:
    """A certification request as a partner's system makes it, in base64."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Ky Vao")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return base64.b64encode(request.public_bytes(serialization.Encoding.DER)).decode()


def _now() -> datetime:
    return datetime.now(UTC)
