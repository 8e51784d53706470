"""What a tablet sends of its log, read into types and verified before anything is looked up."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import sha256
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec
from flask_babel import lazy_gettext as _l

from app.core.errors import Invalid
from app.gate.admissions import secret_of
from app.gate.scan_message import LONGEST_TEXT
from pki.errors import PassRejected
from pki.passes import scan_event
from pki.passes.decision import Outcome
from pki.passes.scan_event import Direction, EventFlags, ScanEvent

MOST: Final = 500
_SALT: Final = 16
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# Entries that are no scans: the log speaking about itself, or about an earlier scan.
_NOTICES: Final = EventFlags.BOOT | EventFlags.LEASES_TAKEN | EventFlags.FACE | EventFlags.CLOSED


@dataclass(frozen=True)
class Entry:
    """One entry of a log, with what travels beside it."""

    event: ScanEvent
    data: bytes
    signature: bytes
    salt: bytes
    # SHA-256 of the secret of the pass; None where none was read, or what was sent is not what was signed.
    secret_sha256: bytes | None

    @cached_property
    def digest(self) -> bytes:
        return sha256(self.data).digest()

    @cached_property
    def scan_id(self) -> UUID:
        return self.event.scan_id

    @property
    def at(self) -> datetime:
        """The tablet's own time of it."""
        return _EPOCH + timedelta(milliseconds=self.event.hlc >> 16)

    @property
    def is_scan(self) -> bool:
        return not self.event.flags & _NOTICES

    @property
    def lets_in(self) -> bool:
        event = self.event
        return self.is_scan and event.outcome is Outcome.ADMIT and event.direction is Direction.IN


def parse(body: object) -> list[Entry]:
    """Return the entries in the order of their numbers. Raises Invalid if any part cannot be read."""
    rows = body.get("events") if isinstance(body, dict) else None
    if not isinstance(rows, list) or not 0 < len(rows) <= MOST:
        raise _unreadable()
    entries = sorted((_entry(row) for row in rows), key=lambda entry: entry.event.seq)
    if len({(entry.event.device_id, entry.event.seq) for entry in entries}) != len(entries):
        raise _unreadable()
    return entries


def require_signed(entries: Sequence[Entry], device_id: UUID, public_key: ec.EllipticCurvePublicKey | None) -> None:
    """Raise Invalid unless every entry is of this tablet and signed with its key."""
    if any(entry.event.device_id != device_id for entry in entries):
        raise Invalid(_l("These entries are of another tablet."))
    if public_key is None or not all(scan_event.holds(one.data, one.signature, public_key) for one in entries):
        raise Invalid(_l("The entries are not signed by this tablet."), _l("Enrol the tablet again."))


def _entry(row: object) -> Entry:
    try:
        if not isinstance(row, dict):
            raise TypeError("not an object")
        data, signature, salt = (base64.b64decode(row[name], validate=True) for name in ("event", "signature", "salt"))
        event = scan_event.decode(data)
        text = row.get("digits")
        if len(salt) != _SALT or event.hlc >> 63 or not isinstance(text, str | None) or len(text or "") > LONGEST_TEXT:
            raise ValueError("salt, clock or digits")
    except (KeyError, TypeError, ValueError, binascii.Error, PassRejected) as error:
        raise _unreadable() from error
    return Entry(event, data, signature, salt, _secret(event, salt, text) if text else None)


def _secret(event: ScanEvent, salt: bytes, text: str) -> bytes | None:
    try:
        secret = secret_of(text)
    except PassRejected:
        return None
    return sha256(secret).digest() if scan_event.commitment(salt, secret) == event.commitment else None


def _unreadable() -> Invalid:
    return Invalid(_l("The scans could not be read."), _l("Update the tablet and send them again."))
