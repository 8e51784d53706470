"""Preparing a signature, in the limited process."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import IO

from app.documents.sandbox_frame import Facts
from pki.pades.appearance import Drawn, Mark
from pki.pades.fields import Lock
from pki.pades.geometry import page_geometries
from pki.pades.open_fields import page_of
from pki.pades.picture import PictureMark
from pki.pades.placement import Corner, place
from pki.pades.prepare import prepare


def prepare_marked(facts: Facts, source: IO[bytes], output: IO[bytes]) -> Facts:
    """Work out where the mark stands, prepare, and write what follows the file when it is prepared."""
    fixed = page_of(source, facts["field"]) if facts["field"] else None
    placement = place(
        page_geometries(source),
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
        placement=placement,
        signer_name=facts["signer_name"],
        reason=facts["reason"],
        field_name=facts["field"],
        lock=Lock.ALL_BUT_ISSUE if facts["is_head"] else Lock.NOTHING,
        room=facts["room"],
    )
    output.write(prepared.appended)
    return {"prepared": prepared.to_json(), "page": fixed or placement.page}


def _mark(facts: Facts, *, in_own_place: bool) -> Drawn:
    """Return the head's signature as Decree 30 wants it between post and name; text and picture anywhere else."""
    picture = base64.b64decode(facts["picture"]) if facts["picture"] is not None else None
    if picture is not None and in_own_place and facts["is_head"]:
        return PictureMark(picture)
    return Mark(tuple(facts["lines"]), None if in_own_place else picture)
