"""Searching Vietnamese names with or without their marks."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

# All that Vietnamese letters decompose into; other marks are rare and looked for one by one.
_MARKS: Final = re.compile("[\u0300-\u036f]")


# A name is folded when its person is entered and again when the certificate is stored.
@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """Return `text` without marks, in lower case, single-spaced: “Nguyễn  Đức” becomes “nguyen duc”."""
    bare = _MARKS.sub("", unicodedata.normalize("NFD", text.replace("Đ", "D").replace("đ", "d")))
    if not bare.isascii():
        bare = "".join(letter for letter in bare if not unicodedata.combining(letter))
    return " ".join(bare.casefold().split())


def pattern(text: str) -> str:
    """Return a LIKE pattern that finds `text` anywhere in a folded name; wildcards in `text` are literal."""
    escaped = fold(text).replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    return f"%{escaped}%"
