"""The encrypted roster: who is expected in a building today, readable record by record with the pass in hand.

A record lies under eight octets and a key that are both derived from the secret id of its pass (RFC 5869, HKDF with
SHA-256, salted with the roster's id). The tablet holds neither: whoever copies it holds blobs of two sizes that name
nobody, and two rosters do not tell that the same guest is in both.

    record    index 8 | size class 1 | nonce 12 | AES-256-GCM of the padded content, tag 16
    content   CBOR array: name, title, organisation, host, meeting, room, seat, needs, flags, portrait (WebP or empty)
    padding   one octet 0x80, then zeros (ISO/IEC 7816-4)
    header    signed list of kind "roster": roster id 16, building, day as yyyymmdd, records, SHA-256 of all records
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntFlag
from typing import Final, Self

import cbor2
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pki.errors import ProfileViolation
from pki.keys import SigningKey
from pki.passes import cbor, signed_list
from pki.passes.claims import SECRET_LENGTH
from pki.passes.signed_list import Edition

KIND: Final = "roster"
ID_LENGTH: Final = 16
INDEX_LENGTH: Final = 8
# Octets of the padded content, by size class: without a portrait, and with one.
SIZES: Final = (768, 2304)
_NONCE: Final = 12
_TAG: Final = 16
_HEAD: Final = INDEX_LENGTH + 1 + _NONCE
_MARK: Final = b"\x80"
_CLASSES: Final = tuple(bytes([number]) for number in range(len(SIZES)))


class RosterFlags(IntFlag):
    NONE = 0
    # Decided before arrival: a supervisor is called, the guard says nothing.
    WATCH = 1
    # Help is wanted at the door; what help stands in `needs`.
    HELP = 2
    GUEST_OF_HONOUR = 4


_ALL_FLAGS: Final = int(RosterFlags.WATCH | RosterFlags.HELP | RosterFlags.GUEST_OF_HONOUR)


@dataclass(frozen=True)
class Record:
    """What a guard is shown of a guest."""

    name: str
    title: str = ""
    organisation: str = ""
    host: str = ""
    meeting: str = ""
    room: str = ""
    seat: str = ""
    needs: str = ""
    flags: RosterFlags = RosterFlags.NONE
    # WebP, or empty.
    portrait: bytes = b""

    def encode(self) -> bytes:
        """Return the content without padding."""
        texts = [self.name, self.title, self.organisation, self.host, self.meeting, self.room, self.seat, self.needs]
        return cbor2.dumps([*texts, int(self.flags), self.portrait], canonical=True)

    @classmethod
    def decode(cls, content: bytes) -> Self:
        """Read a content without padding. Raises PassRejected(MALFORMED)."""
        *texts, flags, portrait = cbor.array(cbor.decode(content), 10)
        name, title, organisation, host, meeting, room, seat, needs = map(cbor.text, texts)
        known = RosterFlags(cbor.natural(flags) & _ALL_FLAGS)
        return cls(name, title, organisation, host, meeting, room, seat, needs, known, cbor.octets(portrait))


@dataclass(frozen=True)
class Roster:
    """A verified header. `edition.next_update` is when it ends: the night of its day."""

    edition: Edition
    roster_id: bytes
    building: str
    # yyyymmdd, in the city's zone.
    day: int
    records: int
    sha256: bytes


def index_of(secret: bytes, roster_id: bytes) -> bytes:
    """Return where the record of a pass lies."""
    return _derived(secret, roster_id, b"kyvao roster index v1", INDEX_LENGTH)


def seal(record: Record, secret: bytes, roster_id: bytes) -> bytes:
    """Return a record as it lies in the roster. Raises ProfileViolation if it does not fit the larger size."""
    content = record.encode() + _MARK
    sizes = [(number, size) for number, size in enumerate(SIZES) if len(content) <= size]
    if not sizes:
        raise ProfileViolation(f"a record of {len(content)} octets does not fit the roster")
    number, size = sizes[0]
    # Sealed anew when it changes, under the same key: a nonce of its own each time.
    index, nonce = index_of(secret, roster_id), os.urandom(_NONCE)
    head = index + bytes([number])
    sealed = AESGCM(_key(secret, roster_id)).encrypt(nonce, content.ljust(size, b"\0"), roster_id + head)
    return head + nonce + sealed


def unseal(sealed: bytes, secret: bytes, roster_id: bytes) -> Record:
    """Return the record of the pass with that secret. Raises PassRejected(MALFORMED) for any other."""
    head, nonce = sealed[: INDEX_LENGTH + 1], sealed[INDEX_LENGTH + 1 : _HEAD]
    try:
        padded = AESGCM(_key(secret, roster_id)).decrypt(nonce, sealed[_HEAD:], roster_id + head)
    except (InvalidTag, ValueError) as error:
        raise cbor.malformed() from error
    content, mark, _ = padded.rpartition(_MARK)
    if not mark:
        raise cbor.malformed()
    return Record.decode(content)


def join(records: Mapping[bytes, bytes]) -> bytes:
    """Return all records by index, as the header's digest covers them."""
    return b"".join(records[index] for index in sorted(records))


def split(body: bytes) -> dict[bytes, bytes]:
    """Return the records of a body by index. Raises PassRejected(MALFORMED), also when they are out of order."""
    found: dict[bytes, bytes] = {}
    at, before = 0, b""
    while at < len(body):
        index, size_class = body[at : at + INDEX_LENGTH], body[at + INDEX_LENGTH : at + INDEX_LENGTH + 1]
        if index <= before or size_class not in _CLASSES:
            raise cbor.malformed()
        end = at + _HEAD + SIZES[size_class[0]] + _TAG
        if end > len(body):
            raise cbor.malformed()
        found[index], before, at = body[at:end], index, end
    return found


def sign_header(
    edition: Edition, roster_id: bytes, *, building: str, day: int, records: Mapping[bytes, bytes], key: SigningKey
) -> bytes:
    """Return the signed header over the records. Raises KeyUnavailable."""
    digest = hashlib.sha256(join(records)).digest()
    return signed_list.sign(KIND, edition, [roster_id, building, day, len(records), digest], key)


def verify_header(message: bytes, public_key: ec.EllipticCurvePublicKey, *, at_least: int = 0) -> Roster:
    """Return the header. Raises PassRejected: MALFORMED, BAD_SIGNATURE, ROLLBACK if it is under `at_least`."""
    edition, body = signed_list.verify(KIND, message, public_key, at_least=at_least)
    roster_id, building, day, records, digest = cbor.array(body, 5)
    return Roster(
        edition,
        cbor.octets(roster_id, ID_LENGTH),
        cbor.text(building),
        cbor.natural(day),
        cbor.natural(records),
        cbor.octets(digest, hashlib.sha256().digest_size),
    )


def read(header: Roster, body: bytes) -> dict[bytes, bytes]:
    """Return the records that a header covers. Raises PassRejected(MALFORMED) if it covers others."""
    found = split(body)
    if len(found) != header.records or hashlib.sha256(body).digest() != header.sha256:
        raise cbor.malformed()
    return found


def _key(secret: bytes, roster_id: bytes) -> bytes:
    return _derived(secret, roster_id, b"kyvao roster record v1", 32)


def _derived(secret: bytes, roster_id: bytes, label: bytes, length: int) -> bytes:
    if len(secret) != SECRET_LENGTH:
        raise ProfileViolation(f"the secret of a pass has {SECRET_LENGTH} octets")
    return HKDF(SHA256(), length, roster_id, label).derive(secret)
