"""Raising a stored file to a level: looked at and written in the limited process, timestamped by `status`.

What comes back is an increment; whoever stores it writes the base, then the increment.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import IO, Final

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from app.archive import augment_job
from app.archive.material import material_for
from app.core.errors import Invalid, Unavailable
from app.core.settings import Settings
from app.core.timestamping import Timestamper
from app.documents import sandbox
from app.documents.models import Level
from pki import tsa
from pki.errors import PdfRefused, TimestampRefused
from pki.pades import augment, proofs
from pki.pades.augment import TOKEN_ROOM, PreparedTimestamp
from pki.pades.dss import Material
from pki.pades.faults import PdfFault

# Where the file lies, or its bytes.
Base = Path | bytes
_SPARE: Final = 256
_ANY_TIME: Final = datetime(2000, 1, 1, tzinfo=UTC)
_ORDER: Final = (Level.BASIC, Level.TIMESTAMP, Level.LONG_TERM, Level.ARCHIVE)


@dataclass(frozen=True)
class Standing:
    """What a file proves by itself."""

    # None without a signature.
    level: Level | None
    end_entities_der: tuple[bytes, ...]
    renew_by: datetime | None


@dataclass(frozen=True)
class Raised:
    """What follows the base, empty where nothing was missing, and what the file then proves."""

    appended: bytes
    level: Level
    renew_by: datetime


def reaches(level: str | None, wanted: str) -> bool:
    """Say whether a level is the one that is wanted, or a higher one."""
    return level is not None and _ORDER.index(Level(level)) >= _ORDER.index(Level(wanted))


def standing(base: Base) -> Standing:
    """Return what a file proves. Raises PdfRefused."""
    facts, output = sandbox.run(augment_job.look, {}, base)
    output.close()
    return Standing(
        Level(facts["level"]) if facts["level"] else None,
        augment_job.decoded(facts["end_entities"]),
        datetime.fromisoformat(facts["renew_by"]) if facts["renew_by"] else None,
    )


def raise_to(session: Session, settings: Settings, base: Base, *, level: Level, timestamp: Timestamper) -> Raised:
    """Return what lifts a signed file to `level`, or renews it where it is B-LTA already and B-LTA is asked for.

    A file whose signature has no timestamp gets a document timestamp whatever is asked for: that is the only proof of
    time that can still be added. Raises PdfRefused, Unavailable (timestamp or status could not be had), Invalid for a
    file without a signature.
    """
    found = standing(base)
    if found.level is None or found.renew_by is None:
        raise Invalid(_l("The file carries no signature, so there is nothing to prove."))
    if level is not Level.ARCHIVE and reaches(found.level, level):
        return Raised(b"", found.level, found.renew_by)
    material = material_for(session, settings, found.end_entities_der)
    if level is Level.ARCHIVE or found.level is Level.BASIC:
        return timestamped(base, material, timestamp)
    facts, output = sandbox.run(augment_job.add_material, {"material": augment_job.material_facts(material)}, base)
    del facts
    with output:
        return Raised(output.read(), Level.LONG_TERM, found.renew_by)


def timestamped(base: Base, material: Material, timestamp: Timestamper) -> Raised:
    """Return an increment with the material and a document timestamp over everything. Raises as `raise_to`."""
    prepared = _prepared(base, material, TOKEN_ROOM)
    token = _token(prepared, timestamp)
    if len(token) > TOKEN_ROOM:
        prepared = _prepared(base, material, len(token) + _SPARE)
        token = _token(prepared, timestamp)
    return Raised(augment.fill(prepared, token), Level.ARCHIVE, renew_by_of(token, material))


def filled(prepared: PreparedTimestamp, material: Material, timestamp: Timestamper) -> Raised:
    """Return what was prepared with a token in its place. Raises Unavailable, PdfRefused (the token is too large)."""
    token = _token(prepared, timestamp)
    return Raised(augment.fill(prepared, token), Level.ARCHIVE, renew_by_of(token, material))


def renew_by_of(token_der: bytes, material: Material) -> datetime:
    """Return when the proof of a token of ours has to be renewed."""
    token = tsa.read_token(token_der)
    return _renew_by(replace(token, gen_time=_ANY_TIME, serial_number=0, imprint=b""), material.certificates_der)


@lru_cache(maxsize=64)
def _renew_by(token: tsa.Token, certificates_der: tuple[bytes, ...]) -> datetime:
    """The same for whatever a unit stamped: asked once for each unit and each set of authorities."""
    return proofs.holds_until(token, [*token.certificates_der, *certificates_der]) - proofs.MARGIN


def checked(prepared: PreparedTimestamp, base: Base) -> PreparedTimestamp:
    """Return what a child prepared if it is true of the base. Raises PdfRefused(BYTE_RANGE).

    The child has read a stranger's file: what it says is to be proven is worked out again here.
    """
    with open_base(base) as file:
        size = file.seek(0, os.SEEK_END)
        if prepared.base_size != size or augment.digest_of(file, prepared) != prepared.document_digest:
            raise PdfRefused(PdfFault.BYTE_RANGE)
    return prepared


def open_base(base: Base) -> IO[bytes]:
    return base.open("rb") if isinstance(base, Path) else BytesIO(base)


def _prepared(base: Base, material: Material, room: int) -> PreparedTimestamp:
    wish = {"material": augment_job.material_facts(material), "room": room}
    facts, output = sandbox.run(augment_job.prepare_timestamp, wish, base)
    with output:
        return checked(PreparedTimestamp.from_json(facts["prepared"], output.read()), base)


def _token(prepared: PreparedTimestamp, timestamp: Timestamper) -> bytes:
    request = augment.request_for(prepared)
    try:
        return tsa.token_from_response(timestamp(request), request_der=request)
    except TimestampRefused as error:
        raise Unavailable(_l("The timestamp service does not answer.")) from error
