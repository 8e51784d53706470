"""A TrueType font cut down to some of its glyphs, for embedding in a PDF (OpenType 1.9; ISO 32000-1, 9.9).

A general subsetter takes twenty milliseconds for what a mark needs, more than the signature below it; this one knows
fonts without hints whose tables were checked when they were put beside this module, and takes a fraction of one.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Final

# What a viewer needs of a font whose glyphs are named by number; no hints, no names, no character map.
_TABLES: Final = ("glyf", "head", "hhea", "hmtx", "loca", "maxp")
_ARGUMENTS_ARE_WORDS, _HAS_SCALE, _MORE, _HAS_TWO_SCALES, _HAS_MATRIX = 0x1, 0x8, 0x20, 0x40, 0x80
_CHECKSUM_BASE: Final = 0xB1B0AFBA


class TrueType:
    """A font file, read once. Its glyphs are numbered from 0, which is the one for what is missing."""

    def __init__(self, data: bytes) -> None:
        count = struct.unpack_from(">H", data, 4)[0]
        self._tables: dict[str, bytes] = {}
        for number in range(count):
            tag, _, offset, length = struct.unpack_from(">4sLLL", data, 12 + 16 * number)
            self._tables[tag.decode("ascii")] = data[offset : offset + length]

    def subset(self, glyphs: Iterable[int]) -> tuple[bytes, dict[int, int]]:
        """Return a font with these glyphs and those they are made of, and its number of each by the number here."""
        chosen = sorted(self._closure({0, *glyphs}))
        numbers = {old: new for new, old in enumerate(chosen)}
        outlines, offsets = bytearray(), [0]
        for old in chosen:
            outlines += _renumbered(self._outline(old), numbers)
            # Each begins at a multiple of four.
            outlines += bytes(-len(outlines) % 4)
            offsets.append(len(outlines))
        head = bytearray(self._tables["head"])
        struct.pack_into(">L", head, 8, 0)
        struct.pack_into(">h", head, 50, 1)
        made = {
            "glyf": bytes(outlines),
            "head": bytes(head),
            "hhea": self._tables["hhea"][:-2] + struct.pack(">H", len(chosen)),
            "hmtx": b"".join(self._metrics(old) for old in chosen),
            "loca": struct.pack(f">{len(offsets)}L", *offsets),
            "maxp": self._tables["maxp"][:4] + struct.pack(">H", len(chosen)) + self._tables["maxp"][6:],
        }
        return _file(made), numbers

    @cached_property
    def _offsets(self) -> tuple[int, ...]:
        loca, count = self._tables["loca"], struct.unpack_from(">H", self._tables["maxp"], 4)[0] + 1
        if struct.unpack_from(">h", self._tables["head"], 50)[0]:
            return struct.unpack(f">{count}L", loca[: 4 * count])
        return tuple(2 * half for half in struct.unpack(f">{count}H", loca[: 2 * count]))

    def _outline(self, glyph: int) -> bytes:
        return self._tables["glyf"][self._offsets[glyph] : self._offsets[glyph + 1]]

    def _metrics(self, glyph: int) -> bytes:
        """Return the advance and the left side bearing; glyphs behind the last advance share it."""
        advances = struct.unpack(">H", self._tables["hhea"][-2:])[0]
        hmtx = self._tables["hmtx"]
        if glyph < advances:
            return hmtx[4 * glyph : 4 * glyph + 4]
        at = 4 * advances + 2 * (glyph - advances)
        return hmtx[4 * advances - 4 : 4 * advances - 2] + hmtx[at : at + 2]

    def _closure(self, glyphs: set[int]) -> set[int]:
        found, open_ones = set(glyphs), list(glyphs)
        while open_ones:
            for at in _components(self._outline(open_ones.pop())):
                if at[1] not in found:
                    found.add(at[1])
                    open_ones.append(at[1])
        return found


def _components(outline: bytes) -> Iterator[tuple[int, int]]:
    """Yield where the number of each component of a composite glyph stands, and the number."""
    if not outline or struct.unpack_from(">h", outline)[0] >= 0:
        return
    at, flags = 10, _MORE
    while flags & _MORE:
        flags, glyph = struct.unpack_from(">HH", outline, at)
        yield at + 2, glyph
        at += 8 if flags & _ARGUMENTS_ARE_WORDS else 6
        if flags & _HAS_SCALE:
            at += 2
        elif flags & _HAS_TWO_SCALES:
            at += 4
        elif flags & _HAS_MATRIX:
            at += 8


def _renumbered(outline: bytes, numbers: dict[int, int]) -> bytes:
    found = list(_components(outline))
    if not found:
        return outline
    made = bytearray(outline)
    for at, old in found:
        struct.pack_into(">H", made, at, numbers[old])
    return bytes(made)


def _file(tables: dict[str, bytes]) -> bytes:
    power = len(tables).bit_length() - 1
    searched = 16 << power
    made = bytearray(struct.pack(">LHHHH", 0x00010000, len(tables), searched, power, 16 * len(tables) - searched))
    offset = 12 + 16 * len(tables)
    body = bytearray()
    for tag in _TABLES:
        made += struct.pack(">4sLLL", tag.encode(), _checksum(tables[tag]), offset + len(body), len(tables[tag]))
        body += tables[tag] + bytes(-len(tables[tag]) % 4)
    made += body
    at = offset + sum(len(tables[tag]) + -len(tables[tag]) % 4 for tag in _TABLES[: _TABLES.index("head")]) + 8
    struct.pack_into(">L", made, at, (_CHECKSUM_BASE - _checksum(bytes(made))) & 0xFFFFFFFF)
    return bytes(made)


def _checksum(data: bytes) -> int:
    padded = data + bytes(-len(data) % 4)
    return sum(struct.unpack(f">{len(padded) // 4}L", padded)) & 0xFFFFFFFF
