"""Whether a new mark would hide what stands on a page: text, the place of another field, or most of the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Final

import pypdfium2

from pki.pades.placement import Rectangle

# A mark of 80 by 40 mm is large; one that covers more of a page than this is there to hide something.
LARGEST_SHARE: Final = 0.25
# Boxes of text are taller than its ink: a mark may touch them by this much (points).
_SLACK: Final = 1.5
_MOST_TEXT_BOXES: Final = 20_000


def covers_content(
    pdf: bytes | IO[bytes], page: int, rectangle: Rectangle, *, others: Sequence[Rectangle] = ()
) -> bool:
    """Return whether `rectangle` (user space) on `page` (from 1) covers text, one of `others`, or much of the page.

    `others` are the fields of the same page. A page with too much text to compare counts as covered. Raises what
    pdfium raises for a broken file.
    """
    if any(overlap(rectangle, other) for other in others):
        return True
    if not isinstance(pdf, bytes):
        pdf.seek(0)
    with pypdfium2.PdfDocument(pdf) as document:
        shown = document[page - 1]
        left, bottom, right, top = shown.get_cropbox()
        if _area(rectangle) > LARGEST_SHARE * abs((right - left) * (top - bottom)):
            return True
        text = shown.get_textpage()
        count = text.count_rects()
        return count > _MOST_TEXT_BOXES or any(overlap(rectangle, text.get_rect(number)) for number in range(count))


def overlap(one: Rectangle, other: Rectangle) -> bool:
    """Return whether two rectangles share more than a touch."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    upwards = min(one[3], other[3]) - max(one[1], other[1])
    return across > _SLACK and upwards > _SLACK


def _area(rectangle: Rectangle) -> float:
    return abs((rectangle[2] - rectangle[0]) * (rectangle[3] - rectangle[1]))
