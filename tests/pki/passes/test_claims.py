"""The claims of a pass: their one writing, and each bound on both sides."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.errors import PassRejected, ProfileViolation
from pki.passes import claims as pass_claims
from pki.passes.claims import PassClaims, PassFlags
from pki.passes.faults import PassFault
from tests.factories.passes import CLAIMS, LONGEST, START, public, token

CLAIMS_OF_A_PASS = st.builds(
    PassClaims,
    st.integers(0, 2**32 - 1).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.integers(1, 0xFFFF).map(lambda minutes: timedelta(minutes=minutes)),
    st.binary(min_size=16, max_size=16),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(0, 255),
    st.integers(0, 15).map(PassFlags),
    st.integers(0, 23),
)


@given(CLAIMS_OF_A_PASS)
def test_claims_are_read_back_as_they_were_written(claims: PassClaims) -> None:
    assert pass_claims.decode(claims.encode()) == claims


def test_the_layout_is_the_one_that_tablets_know() -> None:
    written = "a3" + "05" + "1a6a0371d0".replace("6a0371d0", f"{int(START.timestamp()):08x}")
    written += "0750" + bytes(range(16)).hex() + "3a00010000" + "86" + "1896" + "11" + "191092" + "02" + "00" + "00"
    assert CLAIMS.encode().hex() == written


def test_a_pass_ends_its_validity_after_it_begins() -> None:
    assert CLAIMS.not_after == START + timedelta(minutes=150)


@pytest.mark.parametrize(
    "changes",
    [
        {"validity": timedelta(minutes=0xFFFF)},
        {"validity": timedelta(minutes=1)},
        {"meeting": 2**32 - 1},
        {"status_index": 2**32 - 1},
        {"zones": 255},
        {"flags": PassFlags(15)},
        {"slot": 23},
        {"not_before": datetime.fromtimestamp(0, UTC)},
        {"not_before": datetime.fromtimestamp(2**32 - 1, UTC)},
    ],
)
def test_a_claim_at_its_bound_can_be_said(changes: dict[str, object]) -> None:
    claims = replace(CLAIMS, **changes)
    assert pass_claims.decode(claims.encode()) == claims


@pytest.mark.parametrize(
    "changes",
    [
        {"validity": timedelta(minutes=0x10000)},
        {"validity": timedelta(0)},
        {"validity": timedelta(minutes=-1)},
        {"validity": timedelta(seconds=90)},
        {"meeting": 2**32},
        {"meeting": -1},
        {"status_index": 2**32},
        {"status_index": -1},
        {"zones": 256},
        {"zones": -1},
        {"flags": PassFlags(16)},
        {"slot": 24},
        {"slot": -1},
        {"pass_id": bytes(15)},
        {"pass_id": bytes(17)},
        {"not_before": datetime.fromtimestamp(-1, UTC)},
        {"not_before": datetime.fromtimestamp(2**32, UTC)},
        {"not_before": START.replace(microsecond=1)},
    ],
)
def test_a_claim_beyond_its_bound_cannot_be_said(changes: dict[str, object]) -> None:
    with pytest.raises(ProfileViolation):
        replace(CLAIMS, **changes).encode()


def test_a_pass_has_at_most_128_bytes_and_one_of_a_city_hall_123_or_fewer() -> None:
    assert len(token(LONGEST)) <= 128
    assert len(token(CLAIMS)) <= 123


def test_a_pass_is_read_with_the_key_that_signed_it_and_with_no_other() -> None:
    assert pass_claims.verify(token(), public()) == CLAIMS
    with pytest.raises(PassRejected) as rejected:
        pass_claims.verify(token(), public("stranger"))
    assert rejected.value.fault is PassFault.BAD_SIGNATURE
