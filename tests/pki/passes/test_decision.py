"""The decision at the gate: its rule as a whole; the shared cases hold its single answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.passes.decision import CITY_ZONE, GRACE, Entry, Outcome, Place, Reason, Verdict, decide, refuse_fault
from pki.passes.faults import PassFault
from pki.passes.status import PassStatus
from tests.factories.passes import CLAIMS, START, signer

HERE = Place("TTHC")
ENTRY = Entry(START, "Cổng A")


def verdict(**changes: object) -> Verdict:
    facts = {
        "now": START + timedelta(minutes=30),
        "place": HERE,
        "status": PassStatus.VALID,
        "lists_until": START + timedelta(hours=3),
        "meeting_building": "TTHC",
        "earlier": None,
    }
    return decide(CLAIMS, signer(), **{**facts, **changes})


@given(
    minutes=st.integers(-3000, 3000),
    place=st.builds(Place, st.sampled_from(["TTHC", "TSC"]), st.sampled_from([0, 1, 2, 4])),
    status=st.sampled_from(PassStatus),
    fresh=st.integers(-3000, 3000),
    meeting_building=st.sampled_from([None, "TTHC", "TSC"]),
    earlier=st.sampled_from([None, ENTRY]),
)
def test_a_guest_is_let_in_exactly_when_every_single_condition_holds(
    minutes: int, place: Place, status: PassStatus, fresh: int, meeting_building: str | None, earlier: Entry | None
) -> None:
    now, lists_until = START + timedelta(minutes=minutes), START + timedelta(minutes=fresh)
    found = verdict(
        now=now,
        place=place,
        status=status,
        lists_until=lists_until,
        meeting_building=meeting_building,
        earlier=earlier,
    )
    holds = (
        status is PassStatus.VALID
        and place.building == "TTHC"
        and meeting_building in (None, "TTHC")
        and place.zone in (0, 2)
        and START - GRACE <= now <= CLAIMS.not_after + GRACE
        and earlier is None
    )
    assert (found.outcome is Outcome.ADMIT) == (holds and now <= lists_until)
    assert (found.outcome is Outcome.LOOK_AGAIN) == (holds and now > lists_until)


def test_a_second_scan_says_when_and_where_the_first_was() -> None:
    expected = Verdict(Outcome.REFUSE, Reason.ALREADY_ADMITTED, at=START, place="Cổng A")
    assert verdict(earlier=ENTRY) == expected


def test_a_guest_at_the_wrong_building_hears_which_is_right() -> None:
    assert verdict(meeting_building="TSC") == Verdict(Outcome.REFUSE, Reason.WRONG_BUILDING, place="TSC")


def test_the_day_is_that_of_the_city_whatever_the_clock_of_the_tablet_is_set_to() -> None:
    first_moment = datetime(2026, 11, 24, tzinfo=CITY_ZONE)
    for moment in (first_moment, first_moment.astimezone(UTC)):
        assert verdict(now=moment).reason is Reason.WRONG_DAY
        assert verdict(now=moment - timedelta(seconds=1)).reason is Reason.TOO_LATE


def test_a_pass_over_midnight_is_of_both_its_days() -> None:
    late = replace(CLAIMS, not_before=START + timedelta(hours=14))
    facts = {"place": HERE, "status": PassStatus.VALID, "lists_until": START + timedelta(days=9), "earlier": None}
    for hours, reason in ((0, Reason.TOO_EARLY), (15, Reason.ADMITTED), (18, Reason.TOO_LATE), (40, Reason.WRONG_DAY)):
        now = START + timedelta(hours=hours)
        found = decide(late, signer(), now=now, meeting_building=None, **facts)
        assert found.reason is reason, hours


def test_an_agency_lets_nobody_into_a_zone_that_is_not_its_own() -> None:
    everywhere = replace(CLAIMS, zones=255)
    facts = {"now": START, "status": PassStatus.VALID, "lists_until": START, "meeting_building": None, "earlier": None}
    for zone, outcome in ((0, Outcome.ADMIT), (1, Outcome.ADMIT), (2, Outcome.REFUSE)):
        place = Place("TTHC", zone)
        assert decide(everywhere, signer(zones=1), place=place, **facts).outcome is outcome


def test_an_agency_without_a_list_of_buildings_invites_to_all() -> None:
    facts = {"now": START, "status": PassStatus.VALID, "lists_until": START, "meeting_building": None, "earlier": None}
    found = decide(CLAIMS, signer(buildings=()), place=Place("X"), **facts)
    assert found.outcome is Outcome.ADMIT


@pytest.mark.parametrize("fault", PassFault)
def test_whatever_is_wrong_with_a_code_the_answer_is_no(fault: PassFault) -> None:
    assert refuse_fault(fault).outcome is Outcome.REFUSE


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (PassFault.NOT_OURS, Reason.NOT_OURS),
        (PassFault.MALFORMED, Reason.FORGED),
        (PassFault.UNKNOWN_KEY, Reason.UNKNOWN_KEY),
        (PassFault.BAD_SIGNATURE, Reason.FORGED),
        (PassFault.KEY_NOT_CURRENT, Reason.AGENCY_KEY_ENDED),
        (PassFault.TOO_LONG_VALIDITY, Reason.FORGED),
        (PassFault.ROLLBACK, Reason.STALE_LISTS),
    ],
)
def test_each_fault_has_its_own_words_at_the_gate(fault: PassFault, reason: Reason) -> None:
    assert refuse_fault(fault).reason is reason
