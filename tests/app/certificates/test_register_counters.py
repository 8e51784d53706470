"""Counters of the register: after any acts they say what counting would say."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.certificates import console, register_counters
from app.certificates.models import Authority, Certificate, CertificateState
from app.certificates.register_counters import Moved, Share
from app.certificates.register_filters import Status
from app.certificates.register_models import CertificateCounter
from app.core import db
from app.core.i18n import CITY_ZONE
from app.core.permissions import Actor, Grant, Role, house
from app.registry.models import Agency
from pki.profiles import ProfileName
from tests.factories.register import NOW, agency, certificate

# What can become of a certificate.
MOVES = {
    CertificateState.PREPARED: (CertificateState.ISSUED, CertificateState.ABANDONED),
    CertificateState.ISSUED: (CertificateState.HELD, CertificateState.REVOKED),
    CertificateState.HELD: (CertificateState.ISSUED, CertificateState.REVOKED),
}


def recount(session: Session) -> dict[tuple[str, UUID | None, str, str], int]:
    query = (
        select(Certificate.state, Certificate.agency_id, Certificate.profile, Authority.name, func.count())
        .join(Authority, Authority.id == Certificate.authority_id)
        .group_by(Certificate.state, Certificate.agency_id, Certificate.profile, Authority.name)
    )
    return {(state, of, profile, name): count for state, of, profile, name, count in session.execute(query)}


def counted(session: Session) -> dict[tuple[str, UUID | None, str, str], int]:
    query = (
        select(
            CertificateCounter.state,
            CertificateCounter.agency_id,
            CertificateCounter.profile,
            Authority.name,
            func.sum(CertificateCounter.entered - CertificateCounter.left),
        )
        .join(Authority, Authority.id == CertificateCounter.authority_id)
        .where(
            CertificateCounter.day.is_(None) | CertificateCounter.folded.is_(False),
            CertificateCounter.state != register_counters.ENDS,
        )
        .group_by(CertificateCounter.state, CertificateCounter.agency_id, CertificateCounter.profile, Authority.name)
    )
    found = {(state, of, profile, name): int(count) for state, of, profile, name, count in session.execute(query)}
    return {key: count for key, count in found.items() if count}


def some_acts(session: Session, source: random.Random, agencies: list[Agency]) -> None:
    for number in range(source.randint(3, 12)):
        official = source.random() < 0.3
        certificate(
            session,
            f"Nguyễn {number}",
            state=source.choice(list(CertificateState)),
            of_agency=source.choice([*agencies, None]),
            profile=ProfileName.OFFICIAL_SIGNING if official else ProfileName.CITIZEN_SIGNING,
            by="issuing_officials" if official else "issuing_citizens",
            created_at=NOW - timedelta(days=source.randint(0, 400)),
            not_after=NOW + timedelta(days=source.randint(-30, 30)),
        )
    for old, after in MOVES.items():
        some = session.scalars(select(Certificate.id).where(Certificate.state == old).order_by(Certificate.serial))
        chosen = [one for one in some if source.random() < 0.4]
        # Many at once, as bulk acts do.
        session.execute(update(Certificate).where(Certificate.id.in_(chosen)).values(state=source.choice(after)))
    moved = session.scalars(select(Certificate.id).where(func.random() < 0.1)).all()
    session.execute(update(Certificate).where(Certificate.id.in_(moved)).values(agency_id=agencies[0].id))


@pytest.mark.parametrize("seed", range(6))
def test_counters_equal_a_recount_after_random_acts_and_foldings(session: Session, seed: int) -> None:
    source = random.Random(seed)
    agencies = [agency(session, "H99", "Một"), agency(session, "H98", "Hai")]
    for _ in range(6):
        some_acts(session, source, agencies)
        if source.random() < 0.5:
            register_counters.fold(session, now=NOW)
        session.flush()
        assert counted(session) == recount(session)
    shown = session.scalar(select(func.count()).where(Certificate.state.in_(register_counters.SHOWN)))
    assert register_counters.total(session, agencies=None) == shown
    over = select(func.count()).where(Certificate.state == CertificateState.ISSUED, Certificate.not_after < midnight())
    assert register_counters.ended(session, now=NOW) == session.scalar(over)


def midnight() -> datetime:
    return NOW.astimezone(CITY_ZONE).replace(hour=0, minute=0, second=0, microsecond=0)


def test_folding_leaves_every_day_and_the_second_time_changes_nothing(session: Session) -> None:
    for days in (0, 0, 1, 89, 200):
        certificate(session, "An", created_at=NOW - timedelta(days=days))
    before = register_counters.per_day(session, None, now=NOW, days=90)
    register_counters.fold(session, now=NOW)
    rows = session.scalar(select(func.count()).select_from(CertificateCounter))
    assert register_counters.per_day(session, None, now=NOW, days=90) == before
    register_counters.fold(session, now=NOW)
    assert session.scalar(select(func.count()).select_from(CertificateCounter)) == rows
    assert before[-1] == Moved(NOW.astimezone(CITY_ZONE).date(), 2, 0)
    assert [one.issued for one in before if one.issued] == [1, 1, 2]
    assert len(before) == 90


def test_an_act_that_comes_to_nothing_counts_for_nothing(database: str) -> None:
    with db.transaction() as opened:
        certificate(opened, "An")
    with db.transaction() as opened:
        certificate(opened, "Bình")
        opened.rollback()
    with db.transaction() as opened:
        assert register_counters.total(opened, agencies=None) == 1


def test_coming_back_from_a_hold_is_not_being_issued_again(session: Session) -> None:
    one = certificate(session, "An", state=CertificateState.HELD)
    one.state = CertificateState.ISSUED
    session.flush()
    assert sum(day.issued for day in register_counters.per_day(session, None, now=NOW, days=90)) == 0
    assert register_counters.by_state(session, None) == {"held": 0, "issued": 1}


def test_a_day_ends_at_midnight_of_the_city(session: Session) -> None:
    certificate(session, "An", created_at=datetime.fromisoformat("2026-11-22T16:59:59+00:00"))
    certificate(session, "Bình", created_at=datetime.fromisoformat("2026-11-22T17:00:00+00:00"))
    assert register_counters.per_day(session, None, now=NOW, days=2) == [
        Moved(date(2026, 11, 22), 1, 0),
        Moved(date(2026, 11, 23), 1, 0),
    ]


def test_totals_know_use_authority_and_state(session: Session) -> None:
    certificate(session, "An", state=CertificateState.REVOKED)
    certificate(session, "Bình", profile=ProfileName.OFFICIAL_SIGNING, by="issuing_officials")
    assert register_counters.total(session, agencies=None, state=Status.REVOKED) == 1
    assert register_counters.total(session, agencies=None, profile=ProfileName.OFFICIAL_SIGNING) == 1
    assert register_counters.total(session, agencies=None, authority="issuing_citizens") == 1
    assert register_counters.total(session, agencies=None, authority="nobody") == 0


def test_the_console_shows_the_largest_agencies_and_the_rest_together(session: Session) -> None:
    for number in range(22):
        one = agency(session, f"H{number:02}", f"Phường {number:02}")
        for _ in range(2 if number == 21 else 1):
            certificate(session, "An", of_agency=one)
    figures = console.figures(session, house("test"), now=NOW)
    assert figures.agencies[0] == Share("Phường 21", 2)
    assert len(figures.agencies) == 20
    assert figures.others == 2
    assert [(one.name, one.count) for one in figures.profiles] == [("citizen_signing", 23)]


def test_the_console_of_an_officer_shows_their_agencies_alone(session: Session) -> None:
    mine, other = agency(session, "H1", "Một"), agency(session, "H2", "Hai")
    certificate(session, "An", of_agency=mine)
    certificate(session, "Bình", of_agency=mine, not_after=NOW - timedelta(days=1))
    certificate(session, "Chi", of_agency=other, state=CertificateState.REVOKED)
    certificate(session, "Của thành phố")
    officer = Actor(None, None, "officer", (Grant(Role.REGISTRATION_OFFICER, mine.id),))
    figures = console.figures(session, officer, now=NOW)
    assert (figures.in_force, figures.ended, figures.revoked) == (1, 1, 0)
    assert figures.agencies == [Share("Một", 2)]
    everything = console.figures(session, house("test"), now=NOW)
    assert (everything.in_force, everything.ended, everything.revoked) == (2, 1, 1)
