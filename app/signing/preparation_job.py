"""Preparing a signature, in the limited process."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime
from typing import IO

from app.documents.sandbox_frame import Facts
from pki.layout.rules import ruler
from pki.layout.signature_block import find_signature_block
from pki.layout.words import as_shown
from pki.pades.appearance import Mark
from pki.pades.drawn import Drawn
from pki.pades.fields import SEAL, Lock
from pki.pades.geometry import page_geometries
from pki.pades.open_fields import places_of
from pki.pades.picture import PictureMark
from pki.pades.placement import Corner, Placement, Spot
from pki.pades.prepare import prepare


def prepare_marked(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    """Work out where the mark stands, prepare, and write what follows the file when it is prepared."""
    places = places_of(source) if facts["field"] else {}
    fixed = places.get(facts["field"])
    spot = Spot(
        page=facts["page"],
        corner=Corner(facts["corner"]),
        x_mm=facts["x_mm"],
        y_mm=facts["y_mm"],
        width_mm=facts["width_mm"],
        height_mm=facts["height_mm"],
    )
    prepared = prepare(
        source,
        certificate_der=base64.b64decode(facts["certificate"]),
        now=datetime.fromisoformat(facts["now"]),
        mark=_mark(facts, in_own_place=fixed is not None),
        placement=spot,
        signer_name=facts["signer_name"],
        reason=facts["reason"],
        field_name=facts["field"],
        lock=Lock.ALL_BUT_ISSUE if facts["is_head"] else Lock.NOTHING,
        leaves=facts["other_heads"],
        room=facts["room"],
    )
    output.write(prepared.appended)
    return {
        "prepared": prepared.to_json(),
        "page": (fixed or spot).page,
        "ruler": _ruler(facts, source, places) if facts["is_head"] else [],
    }


def _ruler(facts: Facts, source: IO[bytes], places: Mapping[str, Placement]) -> list[list[str | float]]:
    """Return what the page draws over a head's own place: a name of each length, and its two ends in millimetres."""
    pages = page_geometries(source)
    own, block = places.get(facts["field"]), find_signature_block(source, pages, facts["signer_name"])
    if own is None or block is None or block.page != own.page:
        return []
    seal = places.get(SEAL)
    geometry = pages[own.page - 1]
    seal_box = as_shown(seal.rectangle, geometry) if seal is not None and seal.page == own.page else None
    measures = ruler(block, as_shown(own.rectangle, geometry), seal_box)
    return [[one.length, *one.begins, *one.ends] for one in measures]


def _mark(facts: Facts, *, in_own_place: bool) -> Drawn:
    """Return the head's signature as Decree 30 wants it between post and name; text and picture anywhere else."""
    picture = base64.b64decode(facts["picture"]) if facts["picture"] is not None else None
    if picture is not None and in_own_place and facts["is_head"]:
        return PictureMark(picture)
    return Mark(tuple(facts["lines"]), None if in_own_place else picture)
