"""Text as people enter it, made fit for a letter's head, a calendar and a list."""

from __future__ import annotations

import unicodedata
from typing import Final

# Controls, invisible format signs, halves of letters, private use: none belongs in a name or a title.
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co"})


def one_line(text: str) -> str:
    """Return `text` in NFC on one line, single-spaced, without signs that cannot be seen."""
    spaced = " ".join(unicodedata.normalize("NFC", text).split())
    return "".join(letter for letter in spaced if unicodedata.category(letter) not in _INVISIBLE).strip()
