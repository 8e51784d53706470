"""The signer's block: post above, name below, between them the room for the signature (Decree 30, Annex I, II.7)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Final

from pki.layout.words import Word, around, lines_of
from pki.pades.placement import PageGeometry, Rectangle

# Half the width of the block's column, and the room that is a signature's, from post to name.
_HALF_COLUMN_MM: Final = 45.0
_LEAST_GAP_MM: Final = 10.0
_MOST_GAP_MM: Final = 70.0
# A picture touches neither line.
_CLEAR_MM: Final = 1.0
PICTURE_MM: Final = (40.0, 20.0)
_PLAUSIBLE_SEALS_MM: Final = (30.0, 42.0)
# Two signers stand side by side, or a signer beside the recipients: never closer than this.
COLUMN_GAP_MM: Final = 6.0
# What may stand around a name and is none of it.
_AROUND: Final = ".,;:()-–"
# Grave, acute, tilde, hook, dot below: the tones, which are put on one or the other letter of a syllable.
_TONES: Final = frozenset("\u0300\u0301\u0303\u0309\u0323")
# Titles and ranks before a name, without tones and spaces (Decree 30, Annex I, II.7.b).
_TITLES: Final = re.compile(
    r"(?:(?:gs|pgs|tskh|ts|ths|th\.s|bs|bacsi|bscki{1,2}|bsnt|cki{1,2}|ds|ks|kts|cn|ls|ngut|ngưt|ngnd|nsưt|nsnd"
    r"|(?:đai|thương|trung|thiêu)(?:ta|uy|tương)|giaosư|phogiaosư|tiênsi|thacsi)[.,\-–]*)+"
)


@dataclass(frozen=True)
class SignatureBlock:
    """A page (from 1), and the lines above and below the signature, in millimetres as shown."""

    page: int
    above: Rectangle
    name: Rectangle


@dataclass(frozen=True)
class _Run:
    """Words of a line without a wide gap between them: one block's part of it."""

    key: str
    box: Rectangle


def find_signature_block(pdf: IO[bytes], pages: Sequence[PageGeometry], signer: str) -> SignatureBlock | None:
    """Return the block of the signer of that full name, looked for from the last page, from below; None if none is.

    The name stands alone on its line or in its column, in any letters and however its marks are written, after an
    academic title or a rank or without one. Above it is the room, and above that the post, whatever line introduces it
    (TM., KT., TL., TUQ., Q.).
    """
    wanted = _key(signer)
    for number in range(len(pages), 0, -1) if wanted else ():
        lines = lines_of(pdf, number, pages[number - 1])
        runs = [_run(part.words) for line in lines for part in line.parts(COLUMN_GAP_MM)]
        for run in reversed(runs):
            above = _above(runs, run.box) if _is_named(run.key, wanted) else None
            if above is not None:
                return SignatureBlock(number, above, run.box)
    return None


def _run(words: Sequence[Word]) -> _Run:
    return _Run(_key("".join(word.text for word in words)), around([word.box for word in words]))


def _key(text: str) -> str:
    """Return letters without spaces, then their tones in order: `Hoà` and `HÒA` are one name, and odd spans too."""
    parts = unicodedata.normalize("NFD", text.casefold())
    letters = "".join(one for one in parts if one not in _TONES and not one.isspace())
    tones = "".join(one for one in parts if one in _TONES)
    return unicodedata.normalize("NFC", letters.strip(_AROUND)) + "|" + tones if letters.strip(_AROUND) else ""


def _is_named(key: str, wanted: str) -> bool:
    """Say whether a run is the name, or the name after titles."""
    letters, _, tones = key.partition("|")
    name, _, own_tones = wanted.partition("|")
    if not letters.endswith(name) or not tones.endswith(own_tones):
        return False
    before = letters[: len(letters) - len(name)]
    return (not before and tones == own_tones) or _TITLES.fullmatch(before) is not None


def _above(runs: Sequence[_Run], name: Rectangle) -> Rectangle | None:
    """Return the lowest line of the column above the name, None if the room between is not a signature's."""
    middle = (name[0] + name[2]) / 2
    column = [
        run.box
        for run in runs
        if run.box[1] >= name[3] and abs((run.box[0] + run.box[2]) / 2 - middle) <= _HALF_COLUMN_MM
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
