"""Searching Vietnamese names with or without their marks."""

from __future__ import annotations

import unicodedata


def fold(text: str) -> str:
    """Return `text` without marks, in lower case, single-spaced: “Nguyễn  Đức” becomes “nguyen duc”."""
    decomposed = unicodedata.normalize("NFD", text.replace("Đ", "D").replace("đ", "d"))
    bare = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return " ".join(bare.casefold().split())


def pattern(text: str) -> str:
    """Return a LIKE pattern that finds `text` anywhere in a folded name; wildcards in `text` are literal."""
    escaped = fold(text).replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    return f"%{escaped}%"
