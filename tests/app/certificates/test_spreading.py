"""The ends of certificates that were made on one day fall on many."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID, uuid4

from app.certificates import renewals
from pki.profiles import PROFILES, ProfileName

LIFE = PROFILES[ProfileName.CITIZEN_SIGNING].validity
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def people(count: int) -> list[UUID]:
    source = Random(7)
    return [UUID(int=source.getrandbits(128)) for _ in range(count)]


def test_a_campaign_comes_back_evenly_over_a_sixth_of_a_life() -> None:
    days = Counter(renewals.spread(person, LIFE) // timedelta(days=1) for person in people(30_000))
    assert sorted(days) == list(range(15))
    assert max(days.values()) < 1.1 * 30_000 / 15
    assert min(days.values()) > 0.9 * 30_000 / 15


def test_one_person_has_the_same_share_every_time() -> None:
    person = uuid4()
    assert renewals.spread(person, LIFE) == renewals.spread(person, LIFE)


def test_no_life_is_cut_by_more_than_a_sixth() -> None:
    shares = [renewals.spread(person, LIFE) for person in people(5_000)]
    assert min(shares) >= timedelta(0)
    assert max(shares) < LIFE / 6


def test_the_limit_is_the_full_life_less_the_share() -> None:
    for person in people(50):
        limit = renewals.not_after_limit(person, PROFILES[ProfileName.CITIZEN_SIGNING], now=NOW)
        full = NOW - timedelta(minutes=1) + LIFE - timedelta(seconds=1)
        assert full - limit == renewals.spread(person, LIFE)
