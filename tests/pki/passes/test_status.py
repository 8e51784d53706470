"""The status list: exact at every place, whatever stands beside it."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pki.errors import PassRejected, ProfileViolation
from pki.passes import signed_list, status
from pki.passes.faults import PassFault
from pki.passes.status import CAPACITY, PassStatus, StatusList
from tests.factories.passes import EDITION, list_key, public

PLACES = st.integers(0, CAPACITY - 1)


def published(statuses: dict[int, PassStatus]) -> StatusList:
    return status.verify(status.build(EDITION, statuses, list_key()), public("trust"))


@settings(max_examples=15)
@given(st.dictionaries(PLACES | st.integers(0, 9), st.sampled_from(PassStatus), max_size=40), PLACES)
def test_each_place_says_its_own_status_and_no_neighbours(statuses: dict[int, PassStatus], other: int) -> None:
    found = published(statuses)
    for index in {*statuses, other, 0, CAPACITY - 1}:
        assert found.look_up(index) is statuses.get(index, PassStatus.VALID)


def test_a_list_of_a_busy_day_is_small() -> None:
    statuses = {index * 5003 % CAPACITY: PassStatus.WITHDRAWN for index in range(200)}
    assert len(status.build(EDITION, statuses, list_key())) < 2000


@pytest.mark.parametrize("index", [-1, CAPACITY])
def test_a_place_beyond_the_list_is_neither_written_nor_guessed(index: int) -> None:
    with pytest.raises(ProfileViolation):
        status.build(EDITION, {index: PassStatus.WITHDRAWN}, list_key())
    with pytest.raises(PassRejected) as rejected:
        published({}).look_up(index)
    assert rejected.value.fault is PassFault.MALFORMED


def test_a_signed_list_with_bytes_after_its_packed_form_is_refused() -> None:
    packed = zlib.compress(bytes(CAPACITY // 4)) + b"\x00"
    with pytest.raises(PassRejected) as rejected:
        status.verify(signed_list.sign(status.KIND, EDITION, packed, list_key()), public("trust"))
    assert rejected.value.fault is PassFault.MALFORMED
