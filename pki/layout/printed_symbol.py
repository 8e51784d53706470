"""The symbol that a document prints behind the blank of its number: `/TTr-SKHCN` after “Số:”."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from pki.layout.words import Line

_NUMBER: Final = re.compile(r"s[ốo]:?")
# The head stands in the upper part of the first page.
_HEAD: Final = 0.5


def printed_symbol(lines: Sequence[Line], page_height_mm: float) -> str | None:
    """Return what is printed behind the stroke in the line of the number, None where nothing is."""
    for line in lines:
        if line.box[1] < page_height_mm * _HEAD:
            continue
        at = next((at for at, word in enumerate(line.words) if _NUMBER.fullmatch(word.folded)), None)
        if at is None:
            continue
        found = next((word.text for word in line.words[at + 1 :] if word.text.startswith("/")), None)
        if found is not None:
            return found.removeprefix("/").rstrip(".,;")
    return None
