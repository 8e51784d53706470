"""The signer's block: post above, name below, between them the room for the signature (Decree 30, Annex I, II.7)."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Final

from pki.layout.words import Line, Word, around, lines_of
from pki.pades.placement import PageGeometry, Rectangle

# Half the width of the block's column, and the room that is a signature's, from post to name.
_HALF_COLUMN_MM: Final = 45.0
_LEAST_GAP_MM: Final = 10.0
_MOST_GAP_MM: Final = 70.0
# A picture touches neither line.
_CLEAR_MM: Final = 1.0
PICTURE_MM: Final = (40.0, 20.0)
_PLAUSIBLE_SEALS_MM: Final = (30.0, 42.0)


@dataclass(frozen=True)
class SignatureBlock:
    """A page (from 1), and the lines above and below the signature, in millimetres as shown."""

    page: int
    above: Rectangle
    name: Rectangle


def find_signature_block(pdf: IO[bytes], pages: Sequence[PageGeometry], signer: str) -> SignatureBlock | None:
    """Return the block of the signer of that full name, looked for from the last page, from below; None if none is."""
    wanted = [unicodedata.normalize("NFC", word).casefold() for word in signer.split()]
    for number in range(len(pages), 0, -1):
        lines = lines_of(pdf, number, pages[number - 1])
        for line in reversed(lines):
            name = _named(line.words, wanted)
            above = _above(lines, name) if name is not None else None
            if name is not None and above is not None:
                return SignatureBlock(number, above, name)
    return None


def _named(words: Sequence[Word], wanted: Sequence[str]) -> Rectangle | None:
    for at in range(len(words) - len(wanted) + 1):
        run = words[at : at + len(wanted)]
        if wanted and [word.folded.strip(".,;") for word in run] == list(wanted):
            return around([word.box for word in run])
    return None


def _above(lines: Sequence[Line], name: Rectangle) -> Rectangle | None:
    """Return the lowest line of the column above the name, None if the room between is not a signature's."""
    middle = (name[0] + name[2]) / 2
    column = [
        word.box
        for line in lines
        for word in line.words
        if word.box[1] >= name[3] and abs((word.box[0] + word.box[2]) / 2 - middle) <= _HALF_COLUMN_MM
    ]
    if not column:
        return None
    bottom = min(box[1] for box in column)
    if not _LEAST_GAP_MM <= bottom - name[3] <= _MOST_GAP_MM:
        return None
    return around([box for box in column if box[1] - bottom < box[3] - box[1]])


def signature_place(block: SignatureBlock, size_mm: tuple[float, float] = PICTURE_MM) -> Rectangle:
    """Return the box of a picture of that size: centred on the name, in the middle of the gap, smaller if need be."""
    gap = block.above[1] - block.name[3] - 2 * _CLEAR_MM
    scale = min(1.0, gap / size_mm[1])
    width, height = size_mm[0] * scale, size_mm[1] * scale
    middle = ((block.name[0] + block.name[2]) / 2, (block.above[1] + block.name[3]) / 2)
    return (middle[0] - width / 2, middle[1] - height / 2, middle[0] + width / 2, middle[1] + height / 2)


def seal_place(signature: Rectangle, diameter_mm: float) -> Rectangle:
    """Return the box of a seal at true size over the left third of the signature, at its height."""
    right = signature[0] + (signature[2] - signature[0]) / 3
    middle = (signature[1] + signature[3]) / 2
    return (right - diameter_mm, middle - diameter_mm / 2, right, middle + diameter_mm / 2)


def overlap_of(seal: Rectangle, signature: Rectangle) -> float:
    """Return which part of the signature's width the seal covers; Decree 30 wants about a third."""
    covered = min(seal[2], signature[2]) - max(seal[0], signature[0])
    return max(0.0, covered) / (signature[2] - signature[0])


def is_plausible_seal(diameter_mm: float) -> bool:
    """Say whether an agency's seal can have that diameter."""
    return _PLAUSIBLE_SEALS_MM[0] <= diameter_mm <= _PLAUSIBLE_SEALS_MM[1]
