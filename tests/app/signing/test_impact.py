"""What ending a certificate touches: papers before and after the loss of the key, and signings under way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from flask.testing import FlaskClient
from sqlalchemy import select

from app.certificates.models import Certificate
from app.core import db
from app.signing import impact
from tests.app.signing.conftest import Signer
from tests.factories.documents import plain_pdf, prepare, signed, uploaded

SignIn = Callable[[str], FlaskClient]


def counted(signer: Signer, *, since: datetime | None = None, later: timedelta = timedelta(0)) -> list[int]:
    """Return papers that stay proven, papers to sign again, signings under way."""
    with db.transaction() as session:
        chosen = select(Certificate.id).where(Certificate.id == signer.certificate.id)
        found = impact.count(session, chosen, since=since, now=datetime.now(UTC) + later)
        return [one.count for one in found]


def test_a_paper_counts_once_and_by_when_it_was_signed(sign_in: SignIn, minh: Signer, hanh: Signer) -> None:
    client = sign_in("minh")
    assert counted(minh) == [0, 0, 0]
    document_id = uploaded(client, plain_pdf(pages=1))
    signed(client, document_id, minh.certificate, minh.key)
    signed(client, document_id, minh.certificate, minh.key, baseNumber=2, corner="bottom_left")
    between = datetime.now(UTC)
    signed(client, uploaded(client), minh.certificate, minh.key)
    assert counted(minh) == [2, 0, 0]
    assert counted(minh, since=between) == [1, 1, 0]
    assert counted(hanh) == [0, 0, 0]


def test_a_signing_under_way_counts_until_its_ten_minutes_are_over(sign_in: SignIn, minh: Signer) -> None:
    client = sign_in("minh")
    prepare(client, uploaded(client), minh.certificate)
    assert counted(minh) == [0, 0, 1]
    assert counted(minh, later=timedelta(minutes=11)) == [0, 0, 0]
