"""Where a mark stands: from page, corner and millimetres as a reader sees them to user space of the PDF.

Handles /Rotate, boxes that do not begin at 0, CropBox and UserUnit; pages are counted from 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pki.errors import PdfRefused
from pki.pades.faults import PdfFault

POINTS_PER_MM: Final = 72 / 25.4
# Rounding in viewers and in JSON may push a mark at the very edge out by this much (points).
_TOLERANCE: Final = 0.01

Rectangle = tuple[float, float, float, float]


class Corner(StrEnum):
    TOP_LEFT = "top_left"
    TOP_RIGHT = "top_right"
    BOTTOM_LEFT = "bottom_left"
    BOTTOM_RIGHT = "bottom_right"


@dataclass(frozen=True)
class PageGeometry:
    # Visible box (CropBox cut by MediaBox) in user space: left, bottom, right, top.
    box: Rectangle
    # Clockwise turn when shown: 0, 90, 180 or 270.
    rotation: int
    # Size of one unit of user space in 1/72 inch (ISO 32000, UserUnit).
    user_unit: float

    @property
    def shown_size_mm(self) -> tuple[float, float]:
        """Width and height as the reader sees the page."""
        left, bottom, right, top = self.box
        scale = self.user_unit / POINTS_PER_MM
        width, height = (right - left) * scale, (top - bottom) * scale
        return (height, width) if self.rotation in (90, 270) else (width, height)


@dataclass(frozen=True)
class Placement:
    # Counted from 1.
    page: int
    # Left, bottom, right, top in user space of the page.
    rectangle: Rectangle


@dataclass(frozen=True)
class Spot:
    """A place as a reader names it: a page (from 1), a corner of it as shown, and what goes from there."""

    page: int
    corner: Corner
    # From the corner inwards, and the size of the mark.
    x_mm: float
    y_mm: float
    width_mm: float
    height_mm: float

    def on(self, geometry: PageGeometry) -> Placement:
        """Return it in user space of its page. Raises PdfRefused(MARK_OUTSIDE_PAGE) when it does not fit."""
        shown_width, shown_height = geometry.shown_size_mm
        from_right = self.corner in (Corner.TOP_RIGHT, Corner.BOTTOM_RIGHT)
        from_top = self.corner in (Corner.TOP_LEFT, Corner.TOP_RIGHT)
        left = shown_width - self.x_mm - self.width_mm if from_right else self.x_mm
        bottom = shown_height - self.y_mm - self.height_mm if from_top else self.y_mm
        unit = POINTS_PER_MM / geometry.user_unit
        shown = (left * unit, bottom * unit, (left + self.width_mm) * unit, (bottom + self.height_mm) * unit)
        placement = Placement(self.page, _to_user_space(geometry, shown))
        refuse_outside(geometry, placement.rectangle)
        return placement


def place(
    pages: tuple[PageGeometry, ...],
    *,
    page: int,
    corner: Corner,
    x_mm: float,
    y_mm: float,
    width_mm: float,
    height_mm: float,
) -> Placement:
    """Return the place of a mark `x_mm`, `y_mm` inwards from `corner` of the page as it is shown.

    Raises PdfRefused(MARK_OUTSIDE_PAGE) when the page does not exist or the mark does not fit on it.
    """
    if not 1 <= page <= len(pages):
        raise PdfRefused(PdfFault.MARK_OUTSIDE_PAGE)
    return Spot(page, corner, x_mm, y_mm, width_mm, height_mm).on(pages[page - 1])


def check_inside(pages: tuple[PageGeometry, ...], placement: Placement) -> None:
    """Raise PdfRefused(MARK_OUTSIDE_PAGE) unless the whole mark is on an existing page and has a size."""
    if not 1 <= placement.page <= len(pages):
        raise PdfRefused(PdfFault.MARK_OUTSIDE_PAGE)
    refuse_outside(pages[placement.page - 1], placement.rectangle)


def refuse_outside(geometry: PageGeometry, rectangle: Rectangle) -> None:
    """Raise PdfRefused(MARK_OUTSIDE_PAGE) unless a mark is wholly on its page and has a size."""
    left, bottom, right, top = rectangle
    box = geometry.box
    inside = left >= box[0] - _TOLERANCE and bottom >= box[1] - _TOLERANCE
    inside = inside and right <= box[2] + _TOLERANCE and top <= box[3] + _TOLERANCE
    if not (inside and right - left >= 1 and top - bottom >= 1):
        raise PdfRefused(PdfFault.MARK_OUTSIDE_PAGE)


def _to_user_space(geometry: PageGeometry, shown: Rectangle) -> Rectangle:
    """Turn a rectangle measured from the shown lower left corner back into user space."""
    left, bottom, right, top = shown
    x0, y0, x1, y1 = geometry.box
    match geometry.rotation:
        case 90:
            return (x1 - top, y0 + left, x1 - bottom, y0 + right)
        case 180:
            return (x1 - right, y1 - top, x1 - left, y1 - bottom)
        case 270:
            return (x0 + bottom, y1 - right, x0 + top, y1 - left)
        case _:
            return (x0 + left, y0 + bottom, x0 + right, y0 + top)
