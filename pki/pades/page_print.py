"""A digest of all that decides how a page looks, so that pages of a long document need not all be drawn."""

from __future__ import annotations

import hashlib
from typing import BinaryIO, Final

import pikepdf

_DEEPEST: Final = 64
_INHERITED: Final = ("/Resources", "/MediaBox", "/CropBox", "/Rotate")
# Ways back up the file, values that no page shows, and where links lead.
_NOT_SEEN: Final = frozenset({"/Parent", "/P", "/V", "/Popup", "/Lock", "/Dest", "/A", "/StructParents"})


def prints_of(pdf: BinaryIO) -> dict[int, bytes]:
    """Return a SHA-256 for each page (from 1). Raises whatever qpdf raises for a broken file."""
    pdf.seek(0)
    with pikepdf.open(pdf) as document:
        around = _Print(document)
        # Layers and the look of forms stand outside of the pages, and decide about all of them.
        form = document.Root.get("/AcroForm", pikepdf.Dictionary())
        for entry in (document.Root.get("/OCProperties"), form.get("/NeedAppearances"), form.get("/DR")):
            around.add(entry)
        return {number: _of_page(page, around) for number, page in enumerate(document.pages, 1)}


def _of_page(page: pikepdf.Page, around: _Print) -> bytes:
    one = around.copy()
    one.add(page.obj)
    for key in _INHERITED:
        one.add(_inherited(page.obj, key))
    return one.digest()


def _inherited(node: pikepdf.Object, key: str) -> pikepdf.Object | None:
    for _ in range(_DEEPEST):
        if key in node or "/Parent" not in node:
            break
        node = node["/Parent"]
    return node.get(key)


class _Print:
    """A running digest over trees of objects; each object of the file is followed once."""

    def __init__(self, document: pikepdf.Pdf) -> None:
        self._document = document
        self._digest = hashlib.sha256()
        self._seen: dict[tuple[int, int], int] = {}

    def copy(self) -> _Print:
        other = _Print(self._document)
        other._digest, other._seen = self._digest.copy(), dict(self._seen)
        return other

    def digest(self) -> bytes:
        return self._digest.digest()

    def add(self, value: object) -> None:
        waiting: list[object] = [value]
        while waiting:
            waiting.extend(reversed(self._step(waiting.pop())))

    def _step(self, value: object) -> list[object]:
        """Feed one object; return what hangs below it."""
        if isinstance(value, pikepdf.Object) and value.is_indirect:
            if value.objgen in self._seen:
                self._feed(b"seen", self._seen[value.objgen])
                return []
            self._seen[value.objgen] = len(self._seen)
        if isinstance(value, pikepdf.Stream):
            self._feed(b"stream", hashlib.sha256(value.read_raw_bytes()).digest())
        if isinstance(value, pikepdf.Dictionary | pikepdf.Stream):
            keys = sorted(set(value.keys()) - _NOT_SEEN)
            self._feed(b"keys", keys)
            return [value[key] for key in keys]
        if isinstance(value, pikepdf.Array):
            self._feed(b"array", len(value))
            return list(value)
        self._feed(b"value", repr(value))
        return []

    def _feed(self, kind: bytes, content: object) -> None:
        self._digest.update(kind + repr(content).encode() + b"\0")
