"""Identifiers of rows that are entered together."""

from __future__ import annotations

import time
import uuid

from app.core.identifiers import ordered_ids


def test_identifiers_are_of_version_7_begin_with_the_time_and_are_all_different() -> None:
    before = time.time_ns() // 1_000_000
    made = ordered_ids(5_000)
    after = time.time_ns() // 1_000_000
    assert len(set(made)) == 5_000
    assert {(one.version, one.variant) for one in made} == {(7, uuid.RFC_4122)}
    assert all(before <= one.int >> 80 <= after for one in made)


def test_no_bit_but_those_of_time_version_and_variant_is_fixed() -> None:
    made = [one.int & (1 << 80) - 1 for one in ordered_ids(500)]
    always_one, ever_one = (1 << 80) - 1, 0
    for one in made:
        always_one &= one
        ever_one |= one
    assert bin(always_one ^ ever_one).count("1") == 74
