"""Where a signature and a seal may stand, with the last millimetre that is allowed and the first that is not."""

from __future__ import annotations

import pytest

from pki.layout.rules import Length, Rule, check, ruler
from pki.layout.signature_block import SignatureBlock, seal_place, signature_place
from pki.pades.placement import Rectangle

A4 = (210.0, 297.0)
# Post from 100 to 105 mm above the foot, name from 65 to 70: a gap of 30.
BLOCK = SignatureBlock(1, (120.0, 100.0, 180.0, 105.0), (130.0, 65.0, 170.0, 70.0))
SIGNATURE = signature_place(BLOCK)
SEAL = seal_place(SIGNATURE, 36.0)


def moved(box: Rectangle, x: float = 0.0, y: float = 0.0) -> Rectangle:
    return (box[0] + x, box[1] + y, box[2] + x, box[3] + y)


def rules(signature: Rectangle = SIGNATURE, seal: Rectangle | None = SEAL, diameter: float | None = 36.0) -> set[Rule]:
    return {one.rule for one in check(BLOCK, signature, A4, seal=seal, diameter_mm=diameter)}


def test_the_places_that_we_find_break_no_rule() -> None:
    assert rules() == set()
    assert rules(seal=None, diameter=None) == set()
    # Of an agency that has not said how large its seal is.
    assert rules(diameter=None) == set()


@pytest.mark.parametrize(
    ("x", "y", "rule"),
    [(3.0, 0.0, None), (3.1, 0.0, Rule.SIGNATURE_ACROSS), (-3.1, 0.0, Rule.SIGNATURE_ACROSS), (0.0, 3.0, None),
     (0.0, 3.1, Rule.SIGNATURE_ALONG), (0.0, -3.1, Rule.SIGNATURE_ALONG)],
)  # fmt: skip
def test_a_signature_stands_in_the_middle_between_post_and_name(x: float, y: float, rule: Rule | None) -> None:
    signature = moved(SIGNATURE, x, y)
    assert rules(signature, seal_place(signature, 36.0)) == ({rule} if rule else set())


def test_a_signature_touches_neither_post_nor_name() -> None:
    higher = (SIGNATURE[0], 69.9, SIGNATURE[2], 100.1)
    assert rules(higher, None) == {Rule.SIGNATURE_TOUCHES_LINE}
    assert rules((SIGNATURE[0], 70.0, SIGNATURE[2], 100.0), None) == set()


@pytest.mark.parametrize(
    ("share", "allowed"), [(0.27, False), (0.28, True), (1 / 3, True), (0.38, True), (0.39, False), (-0.1, False)]
)
def test_the_seal_covers_a_third_of_the_signature(share: float, allowed: bool) -> None:
    width = SIGNATURE[2] - SIGNATURE[0]
    seal = moved(SEAL, (share - 1 / 3) * width)
    assert rules(seal=seal) == (set() if allowed else {Rule.SEAL_OVERLAP})


def test_the_seal_has_its_true_size_and_stands_level_with_the_signature() -> None:
    assert rules(diameter=36.5) == set()
    assert rules(diameter=36.6) == {Rule.SEAL_SIZE}
    assert rules(seal=moved(SEAL, y=3.0)) == set()
    assert rules(seal=moved(SEAL, y=3.1)) == {Rule.SEAL_LEVEL}


def test_nothing_leaves_the_page() -> None:
    narrow = check(BLOCK, SIGNATURE, (100.0, 297.0), seal=None)
    assert {one.rule for one in narrow} == {Rule.OUTSIDE_PAGE}
    assert (narrow[0].least_mm, narrow[0].most_mm) == (0.0, 100.0)


def test_a_violation_says_what_was_measured_and_what_is_allowed() -> None:
    (one,) = check(BLOCK, SIGNATURE, A4, seal=moved(SEAL, 10.0), diameter_mm=36.0)
    assert one.measured_mm == pytest.approx(40 / 3 + 10)
    assert (one.least_mm, one.most_mm) == pytest.approx((11.2, 15.2))


def test_the_ruler_shows_the_gaps_the_third_and_the_diameter() -> None:
    lengths = [(one.length, pytest.approx(one.mm)) for one in ruler(BLOCK, SIGNATURE, SEAL)]
    assert lengths == [
        (Length.TO_POST, 5.0),
        (Length.TO_NAME, 5.0),
        (Length.OFF_CENTRE, 0.0),
        (Length.COVERED, 40 / 3),
        (Length.DIAMETER, 36.0),
    ]
    assert len(ruler(BLOCK, SIGNATURE)) == 3
