"""Finding where a person's own name stands, to propose a place for the mark; in the limited process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Final

from app.documents.sandbox_frame import Facts
from pki.layout.free_place import free_place
from pki.layout.signature_block import SignatureBlock, find_signature_block
from pki.pades.geometry import page_geometries
from pki.pades.placement import Rectangle

# To the sides of the middle of the name, the nearest first.
_ASIDE_MM: Final = (0.0, -8.0, 8.0, -16.0, 16.0)


def propose(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    """Return page, left and lower edge (millimetres as shown) of an empty place between post and name, else None."""
    del output
    pages = page_geometries(source)
    block = find_signature_block(source, pages, facts["signer"])
    if block is None:
        return {"place": None}
    wanted = _between(block, facts["width_mm"], facts["height_mm"])
    box = free_place(source, block.page, pages[block.page - 1], wanted)
    return {"place": [block.page, box[0], box[1]] if box is not None else None}


def _between(block: SignatureBlock, width: float, height: float) -> Sequence[Rectangle]:
    """Return the boxes of that size in the middle of the gap; none where it is too low for one."""
    bottom, top = block.name[3], block.above[1]
    if top - bottom < height:
        return []
    middle, y = (block.name[0] + block.name[2]) / 2, (bottom + top - height) / 2
    return [(middle + aside - width / 2, y, middle + aside + width / 2, y + height) for aside in _ASIDE_MM]
