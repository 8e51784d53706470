"""What Decree 30/2020, Annex I asks of signature and seal, measured: what breaks it, and a ruler to see it by.

All in millimetres from the lower left corner of the page as it is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pki.layout.signature_block import SignatureBlock, overlap_of
from pki.pades.placement import Rectangle

# Of the signature's width that the seal covers.
LEAST_OVERLAP: Final = 0.28
MOST_OVERLAP: Final = 0.38
# How far the middle of a signature may lie from where it belongs, across and along the page.
_OFF_CENTRE_MM: Final = 3.0
# How far the seal's middle may lie above or below that of the signature.
_OFF_LEVEL_MM: Final = 3.0
# A seal is stamped at its true size.
_OFF_SIZE_MM: Final = 0.5
# Of sums of binary fractions.
_ROUNDING: Final = 1e-6


class Rule(StrEnum):
    SIGNATURE_ACROSS = "signature_across"
    SIGNATURE_ALONG = "signature_along"
    SIGNATURE_TOUCHES_LINE = "signature_touches_line"
    SEAL_OVERLAP = "seal_overlap"
    SEAL_LEVEL = "seal_level"
    SEAL_SIZE = "seal_size"
    OUTSIDE_PAGE = "outside_page"
    # What `pki.layout.survey` looks for besides.
    BLOCK_MISSING = "block_missing"
    NUMBER_MISSING = "number_missing"
    DATE_MISSING = "date_missing"
    PAGE_WIDTH = "page_width"
    PAGE_HEIGHT = "page_height"
    MARGIN_LEFT = "margin_left"
    MARGIN_RIGHT = "margin_right"
    MARGIN_TOP = "margin_top"
    MARGIN_BOTTOM = "margin_bottom"
    NO_FREE_STRIP = "no_free_strip"


@dataclass(frozen=True)
class Violation:
    """A rule that is broken: what was measured, and the least and most that are allowed, in millimetres."""

    rule: Rule
    measured_mm: float
    least_mm: float
    most_mm: float


class Length(StrEnum):
    """What a line of the ruler shows."""

    TO_POST = "to_post"
    TO_NAME = "to_name"
    OFF_CENTRE = "off_centre"
    COVERED = "covered"
    DIAMETER = "diameter"


@dataclass(frozen=True)
class Measure:
    """A line of the ruler, from one point to the other: across or along the page."""

    length: Length
    begins: tuple[float, float]
    ends: tuple[float, float]

    @property
    def mm(self) -> float:
        return abs(self.ends[0] - self.begins[0]) + abs(self.ends[1] - self.begins[1])


def check(
    block: SignatureBlock,
    signature: Rectangle,
    page_size_mm: tuple[float, float],
    *,
    seal: Rectangle | None = None,
    diameter_mm: float | None = None,
) -> list[Violation]:
    """Return every rule that the boxes break; `diameter_mm` is the registered seal's, None if it is not known."""
    middle_x, middle_y = _middle(signature)
    name_x = (block.name[0] + block.name[2]) / 2
    gap = (block.name[3], block.above[1])
    measured = [
        Violation(Rule.SIGNATURE_ACROSS, middle_x, name_x - _OFF_CENTRE_MM, name_x + _OFF_CENTRE_MM),
        Violation(Rule.SIGNATURE_ALONG, middle_y, *_around(sum(gap) / 2, _OFF_CENTRE_MM)),
        Violation(Rule.SIGNATURE_TOUCHES_LINE, signature[1], *gap),
        Violation(Rule.SIGNATURE_TOUCHES_LINE, signature[3], *gap),
        *_inside(signature, page_size_mm),
    ]
    if seal is not None:
        width = signature[2] - signature[0]
        covered = overlap_of(seal, signature) * width
        measured += [
            Violation(Rule.SEAL_OVERLAP, covered, LEAST_OVERLAP * width, MOST_OVERLAP * width),
            Violation(Rule.SEAL_LEVEL, _middle(seal)[1], *_around(middle_y, _OFF_LEVEL_MM)),
            *_inside(seal, page_size_mm),
        ]
        if diameter_mm is not None:
            for across in (seal[2] - seal[0], seal[3] - seal[1]):
                measured.append(Violation(Rule.SEAL_SIZE, across, *_around(diameter_mm, _OFF_SIZE_MM)))
    broken = (one for one in measured if not one.least_mm - _ROUNDING <= one.measured_mm <= one.most_mm + _ROUNDING)
    return list(dict.fromkeys(broken))


def ruler(block: SignatureBlock, signature: Rectangle, seal: Rectangle | None = None) -> list[Measure]:
    """Return what a page draws over the paper: the gaps to post and name, and what the seal covers and measures."""
    x, y = _middle(signature)
    measures = [
        Measure(Length.TO_POST, (x, signature[3]), (x, block.above[1])),
        Measure(Length.TO_NAME, (x, block.name[3]), (x, signature[1])),
        Measure(Length.OFF_CENTRE, ((block.name[0] + block.name[2]) / 2, y), (x, y)),
    ]
    if seal is not None:
        level = _middle(seal)[1]
        measures.append(Measure(Length.COVERED, (signature[0], level), (seal[2], level)))
        measures.append(Measure(Length.DIAMETER, (seal[0], seal[1]), (seal[2], seal[1])))
    return measures


def _middle(box: Rectangle) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _around(value: float, tolerance: float) -> tuple[float, float]:
    return value - tolerance, value + tolerance


def _inside(box: Rectangle, page_size_mm: tuple[float, float]) -> Iterator[Violation]:
    width, height = page_size_mm
    for edge, most in zip(box, (width, height, width, height), strict=True):
        yield Violation(Rule.OUTSIDE_PAGE, edge, 0.0, most)
