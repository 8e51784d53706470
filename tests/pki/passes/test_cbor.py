"""The strict reader, beside cbor2: what it reads it reads alike, and it never fails in another way than by refusing."""

from __future__ import annotations

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.errors import PassRejected
from pki.passes import cbor

NATURALS = st.integers(0, 2**32 - 1)
LEAVES = NATURALS | st.integers(-(2**32), -1) | st.text(max_size=8) | st.binary(max_size=8)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NATURALS, inner, max_size=4), max_leaves=8
)


def depth(value: object) -> int:
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 0


@given(VALUES.filter(lambda value: depth(value) <= 6))
def test_what_cbor2_writes_canonically_is_read_back(value: object) -> None:
    assert cbor.decode(cbor2.dumps(value, canonical=True)) == value


@given(st.binary(max_size=40))
def test_random_bytes_are_refused_or_read_as_cbor2_reads_them(data: bytes) -> None:
    try:
        value = cbor.decode(data)
    except PassRejected:
        return
    assert cbor2.loads(data) == value


@given(VALUES.filter(lambda value: depth(value) <= 6), st.data())
def test_what_is_read_has_no_second_writing_one_bit_away_with_the_same_value(
    value: object, data: st.DataObject
) -> None:
    written = bytearray(cbor2.dumps(value, canonical=True))
    place = data.draw(st.integers(0, len(written) * 8 - 1))
    written[place // 8] ^= 1 << place % 8
    try:
        again = cbor.decode(bytes(written))
    except PassRejected:
        return
    assert again != value


@pytest.mark.parametrize("value", [-1, "1", b"1", [1], {1: 1}, None])
def test_what_is_no_natural_number_is_refused_where_one_is_needed(value: cbor.Cbor | None) -> None:
    with pytest.raises(PassRejected):
        cbor.natural(value)


@pytest.mark.parametrize("value", [1, "1", b"1", [1], {1: 1}, None])
def test_each_kind_is_taken_for_itself_alone(value: cbor.Cbor | None) -> None:
    taken = []
    for take in (cbor.natural, cbor.text, cbor.octets, cbor.array, cbor.mapping):
        try:
            taken.append(take(value))
        except PassRejected:
            continue
    assert taken == ([] if value is None else [value])


def test_a_length_that_is_asked_for_is_held_exactly() -> None:
    assert cbor.octets(b"abc", 3) == b"abc"
    assert cbor.array([1, 2], 2) == [1, 2]
    for wrong in (1, 4):
        with pytest.raises(PassRejected):
            cbor.octets(b"abc", wrong)
        with pytest.raises(PassRejected):
            cbor.array([1, 2], wrong)
