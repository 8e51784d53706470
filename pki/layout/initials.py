"""Where initials belong: at the end of the text, and of who looked after the form at the end of the recipients.

Neither disturbs the signature; both are where whoever signs looks last (the practice under Decree 30/2020).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import IO, Final

from pki.layout.signature_block import COLUMN_GAP_MM, SignatureBlock
from pki.layout.words import Line, lines_of
from pki.pades.placement import PageGeometry, Rectangle

SIZE_MM: Final = (22.0, 9.0)
# From the last letter to the initials, and between two of them.
_AFTER_MM: Final = 2.0
# The right margin is at least this wide.
_MARGIN_MM: Final = 15.0
# Lines of the same list or of the same post stand closer than this many of their heights.
_TOGETHER: Final = 2.5
_RECIPIENTS: Final = "nơi nhận"


def after_text(pdf: IO[bytes], pages: Sequence[PageGeometry], block: SignatureBlock) -> Iterator[tuple[int, Rectangle]]:
    """Yield page and boxes behind the last line of the text, then below its end, the best first.

    The text ends above the post and what introduces it; where the block begins a page, on the page before.
    """
    lines = lines_of(pdf, block.page, pages[block.page - 1])
    limit = _top_of_block(lines, block)
    page, above = block.page, [line for line in lines if line.box[1] >= limit]
    if not above and page > 1:
        page -= 1
        above = lines_of(pdf, page, pages[page - 1])
    if above:
        yield from _behind(page, above[-1].box, pages[page - 1].shown_size_mm[0])


def after_recipients(
    pdf: IO[bytes], pages: Sequence[PageGeometry], block: SignatureBlock
) -> Iterator[tuple[int, Rectangle]]:
    """Yield page and boxes behind the last line of “Nơi nhận”, the best first; none where there is no such list."""
    last = None
    for part in _parts(lines_of(pdf, block.page, pages[block.page - 1])):
        if last is None:
            folded = " ".join(word.folded for word in part.words)
            last = part.box if folded.startswith(_RECIPIENTS) else None
        elif _is_below(part.box, last):
            last = part.box
    if last is not None:
        # The signer's column begins beside the list.
        yield from _behind(block.page, last, min(block.name[0], block.above[0]) + _MARGIN_MM)


def _behind(page: int, line: Rectangle, page_width: float) -> Iterator[tuple[int, Rectangle]]:
    width, height = SIZE_MM
    left, top = line[2] + _AFTER_MM, line[3]
    while left + width <= page_width - _MARGIN_MM:
        yield page, (left, top - height, left + width, top)
        left += width + _AFTER_MM
    right = min(line[2], page_width - _MARGIN_MM)
    below = line[1] - 1.0
    while right - width >= line[0]:
        yield page, (right - width, below - height, right, below)
        right -= width + _AFTER_MM


def _top_of_block(lines: Sequence[Line], block: SignatureBlock) -> float:
    """Return how high the post reaches, with the lines that introduce it and the recipients beside it."""
    top, middle = block.above[3], (block.above[0] + block.above[2]) / 2
    parts = list(_parts(lines))
    for part in reversed(parts):
        box = part.box
        is_near = 0 <= box[1] - top <= _TOGETHER * (box[3] - box[1]) - (box[3] - box[1])
        if is_near and abs((box[0] + box[2]) / 2 - middle) <= _AFTER_MM * 2:
            top = box[3]
    beside = [part.box[3] for part in parts if part.words[0].folded == "nơi" and part.box[2] < middle]
    return max([top, *beside])


def _parts(lines: Sequence[Line]) -> Iterator[Line]:
    for line in lines:
        yield from line.parts(COLUMN_GAP_MM)


def _is_below(box: Rectangle, above: Rectangle) -> bool:
    """Say whether the line continues the list that ends with `above`: in its column, right below it."""
    drop = above[1] - box[3]
    return -1.0 <= drop <= _TOGETHER * (above[3] - above[1]) and box[0] < above[2] and box[2] > above[0]
