"""A spot of a page on which nothing stands: looked for in a picture of it, so that drawings count as text does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, Final

import pypdfium2

from pki.pades.placement import PageGeometry, Rectangle

_DPI: Final = 72
# Grey levels: 255 is paper.
_PAPER: Final = 250


def free_place(pdf: IO[bytes], page: int, geometry: PageGeometry, wanted: Iterable[Rectangle]) -> Rectangle | None:
    """Return the first of the boxes (millimetres as shown, from the lower left) that is on the page and empty.

    Raises what pdfium raises for a broken file.
    """
    pdf.seek(0)
    with pypdfium2.PdfDocument(pdf) as document:
        picture = document[page - 1].render(scale=_DPI / 72, grayscale=True, may_draw_forms=False).to_pil().convert("L")
    width, height = geometry.shown_size_mm
    # Not from the resolution: the renderer knows nothing of UserUnit.
    per_mm = picture.width / width
    for box in wanted:
        left, bottom, right, top = box
        if left < 0 or bottom < 0 or right > width or top > height:
            continue
        corners = (left, height - top, right, height - bottom)
        x0, y0, x1, y1 = (int(one * per_mm) for one in corners)
        pixels = picture.crop((x0, y0, x1 + 1, y1 + 1))
        darkest, _ = pixels.getextrema()
        if darkest >= _PAPER:
            return box
    return None


def along_the_foot(
    page_width_mm: float, size_mm: tuple[float, float], *, from_left: bool, lowest_mm: float = 6.0
) -> Iterable[Rectangle]:
    """Yield boxes near the lower margin, the lowest first, then higher ones, from one side to the other."""
    width, height = size_mm
    for row in range(4):
        bottom = lowest_mm + row * 5.0
        for step in range(int((page_width_mm - 2 * 15.0 - width) / 8.0) + 1):
            left = 15.0 + 8.0 * step
            if not from_left:
                left = page_width_mm - left - width
            yield (left, bottom, left + width, bottom + height)
