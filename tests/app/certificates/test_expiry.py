"""Notices before the end: once for each certificate and step, to those whom it helps."""

from __future__ import annotations

from datetime import datetime, timedelta
from email import message_from_bytes, policy

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.certificates import expiry
from app.certificates.life_models import ExpiryNotice
from app.certificates.models import Certificate
from app.core import db
from app.core.settings import Settings
from app.notices.models import Notice
from app.registry.models import Person
from pki.profiles import ProfileName
from tests.factories.certificates import issued_to


@pytest.fixture
def minhs(city: Settings) -> Certificate:
    return issued_to("minh")


def tell(settings: Settings, now: datetime) -> list[str]:
    """Run every step and return the subjects of the letters that were queued by it."""
    with db.transaction() as session:
        before = set(session.scalars(select(Notice.id)))
    with db.transaction() as session:
        steps = expiry.steps(session)
    for step in steps:
        after = None
        while True:
            with db.transaction() as session:
                after = expiry.tell(session, settings, step, after=after, now=now)
            if after is None:
                break
    with db.transaction() as session:
        query = select(Notice).where(Notice.kind == "certificate_ends")
        return [one.title for one in session.scalars(query) if one.id not in before]


def test_steps_lie_within_the_last_third_of_a_life(session: Session) -> None:
    assert [
        (one.days, one.next_days) for one in expiry.steps(session) if one.profile is ProfileName.CITIZEN_SIGNING
    ] == [
        (30, 7),
        (7, 0),
    ]


def test_a_holder_is_told_at_thirty_and_at_seven_days_and_never_twice(minhs: Certificate, city: Settings) -> None:
    end = minhs.not_after
    told = [len(tell(city, end - timedelta(days=days, seconds=second))) for days, second in _MOMENTS]
    assert told == [0, 1, 0, 1, 0, 0]


# Days before the end and a second more: before the first step, at it, after it, at the second, after it, after the end.
_MOMENTS = ((30, 1), (30, 0), (12, 0), (7, 0), (1, 0), (-1, 0))


def test_the_letter_says_until_when_and_how(minhs: Certificate, city: Settings) -> None:
    tell(city, minhs.not_after - timedelta(days=20))
    with db.transaction() as session:
        notice = session.scalars(select(Notice).where(Notice.kind == "certificate_ends")).one()
    letter = message_from_bytes(notice.mime, policy=policy.default)
    text = letter.get_body(("plain",)).get_content()  # type: ignore[union-attr,attr-defined]  # a message of text
    assert "còn 20 ngày" in text
    assert "in 20 days" in text
    assert f"{city.web_url}/certificates/" in text
    assert minhs.serial_hex not in text


def test_who_has_a_newer_certificate_or_no_address_is_not_written_to(minhs: Certificate, city: Settings) -> None:
    with db.transaction() as session:
        session.execute(update(Person).where(Person.id == minhs.person_id).values(email=None))
    assert tell(city, minhs.not_after - timedelta(days=20)) == []
    with db.transaction() as session:
        (noted,) = session.scalars(select(ExpiryNotice)).all()
        assert not noted.told


def test_what_was_revoked_is_not_written_about(minhs: Certificate, city: Settings) -> None:
    with db.transaction() as session:
        session.execute(update(Certificate).where(Certificate.id == minhs.id).values(state="revoked"))
    assert tell(city, minhs.not_after - timedelta(days=20)) == []


def test_batches_leave_nobody_out(city: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    ends = [issued_to(login).not_after for login in ("minh", "lan")]
    monkeypatch.setattr(expiry, "BATCH", 1)
    assert len(tell(city, min(ends) - timedelta(days=8))) == 2
