"""The list of a bulk revocation: read from text, looked up in the register within a scope, written as rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from app.certificates.life_models import BulkKind, Finding
from app.certificates.models import Certificate, CertificateState
from app.core.copying import copy_rows
from app.core.permissions import Actor, Permission
from app.registry import scope

_SERIAL: Final = re.compile(r"[0-9a-f]{2,40}")
_LONGEST: Final = 100
_AT_ONCE: Final = 5_000
_FROM: Final = {
    BulkKind.REVOKE: (CertificateState.ISSUED, CertificateState.HELD),
    BulkKind.SUSPEND: (CertificateState.ISSUED,),
    BulkKind.RELEASE: (CertificateState.HELD,),
}


@dataclass(frozen=True)
class Line:
    """A line as it was given, and the serial number in it; None if there is none."""

    given: str
    serial: bytes | None


@dataclass(frozen=True)
class Looked:
    """A line as the dry run leaves it."""

    given: str
    certificate_id: UUID | None
    finding: Finding


_Known = Row[UUID, bytes, str, datetime, UUID | None]


def read(text: str, *, most: int) -> list[Line]:
    """Return the lines of a text, at most `most` + 1: the first cell of each, empty lines and a heading left out.

    A serial number is hexadecimal, in either case, with colons or spaces, as OpenSSL and browsers write it.
    """
    found: list[Line] = []
    for line in text.removeprefix("\ufeff").splitlines():
        cell = re.split(r"[,;\t]", line, maxsplit=1)[0].strip().strip("\"'")[:_LONGEST]
        if not cell:
            continue
        bare = re.sub(r"[:\s]", "", cell).lower().removeprefix("0x")
        serial = bytes.fromhex(bare.zfill(len(bare) + len(bare) % 2)) if _SERIAL.fullmatch(bare) else None
        if serial is None and not found:
            # The name of the column.
            continue
        found.append(Line(cell, serial.lstrip(b"\0") if serial is not None else None))
        if len(found) > most:
            break
    return found


def look_up(session: Session, actor: Actor, lines: Sequence[Line], kind: BulkKind, *, now: datetime) -> list[Looked]:
    """Say of each line whether it can be worked off; what lies outside the actor's scope is not found."""
    known: dict[bytes, _Known] = {}
    for part in _parts([line.serial for line in lines if line.serial]):
        query = select(
            Certificate.id, Certificate.serial, Certificate.state, Certificate.not_after, Certificate.person_id
        ).where(
            Certificate.serial.in_(part),
            Certificate.der.is_not(None),
            scope.within(actor, Permission.REVOKE_CERTIFICATES, Certificate.agency_id),
        )
        known |= {row.serial: row for row in session.execute(query)}
    seen: set[bytes] = set()
    looked = []
    for line in lines:
        finding = _finding(line, known, seen, kind, actor, now)
        row = known.get(line.serial or b"")
        looked.append(Looked(line.given, row.id if row and finding is not Finding.TWICE else None, finding))
        if line.serial:
            seen.add(line.serial)
    return looked


def write(session: Session, bulk_id: UUID, looked: Sequence[Looked]) -> None:
    """Write the rows of a list, numbered from 1."""
    copy_rows(
        session,
        "bulk_revocation_row (bulk_id, number, given, certificate_id, finding)",
        "uuid int4 text uuid text",
        ((bulk_id, number, one.given, one.certificate_id, one.finding.value) for number, one in enumerate(looked, 1)),
    )


def _finding(
    line: Line, known: Mapping[bytes, _Known], seen: set[bytes], kind: BulkKind, actor: Actor, now: datetime
) -> Finding:
    if line.serial is None:
        return Finding.UNREADABLE
    if line.serial in seen:
        return Finding.TWICE
    row = known.get(line.serial)
    if row is None:
        return Finding.NOT_FOUND
    if row.state not in _FROM[kind]:
        return Finding.ALREADY
    if row.not_after < now:
        return Finding.ENDED
    if kind is BulkKind.RELEASE and actor.person_id is not None and row.person_id == actor.person_id:
        return Finding.OWN
    return Finding.READY


def _parts(serials: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    for start in range(0, len(serials), _AT_ONCE):
        yield serials[start : start + _AT_ONCE]
