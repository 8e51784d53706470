"""The gap that a signature leaves in a PDF: the check that the browser makes too, on the same vectors.

No PDF parser here on purpose: what is covered must be decidable from four numbers and the bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from pki.errors import PdfRefused
from pki.pades.faults import PdfFault

_HEX = frozenset(b"0123456789abcdefABCDEF")


def is_sound(pdf: bytes, byte_range: Sequence[int], *, end: int | None = None) -> bool:
    """Return whether the range covers `pdf` up to `end` (default: its last byte) but for one hexadecimal string.

    The range is `[0, a, b, c]`; bytes `a` to `b` must be `<`, hexadecimal digits only, `>`. Anything else that
    could be left out (white space, a second string, a comment) could carry content that nobody signed.
    """
    limit = len(pdf) if end is None else end
    if len(byte_range) != 4 or byte_range[0] != 0:
        return False
    gap_start, gap_end, tail = byte_range[1], byte_range[2], byte_range[3]
    if not 0 < gap_start < gap_end - 1 < limit <= len(pdf) or tail < 1 or gap_end + tail != limit:
        return False
    gap = pdf[gap_start:gap_end]
    return gap[:1] == b"<" and gap[-1:] == b">" and len(gap) % 2 == 0 and set(gap[1:-1]) <= _HEX


def digest(pdf: bytes, byte_range: Sequence[int]) -> bytes:
    """Return the SHA-256 of the covered bytes. Raises PdfRefused(BYTE_RANGE) if the range is not sound."""
    if not is_sound(pdf, byte_range):
        raise PdfRefused(PdfFault.BYTE_RANGE)
    hashed = hashlib.sha256(memoryview(pdf)[: byte_range[1]])
    hashed.update(memoryview(pdf)[byte_range[2] :])
    return hashed.digest()
