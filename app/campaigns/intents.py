"""What a batch is going to sign: recorded before the key is used, read again after a crash.

Written as CBOR (RFC 8949) in one value, because a batch is recorded, finished and forgotten as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple
from uuid import UUID

import cbor2

_VERSION: Final = 1


class Intent(NamedTuple):
    """One certificate to be: whose it is, and the bytes that will be signed."""

    # Number of the campaign's row.
    number: int
    person_id: UUID
    certificate_id: UUID
    agency_id: UUID | None
    # Big-endian.
    serial: bytes
    shard: int
    label: str
    # SHA-256 of SubjectPublicKeyInfo, 32 octets.
    spki_sha256: bytes
    not_before: datetime
    not_after: datetime
    tbs_der: bytes


@dataclass(frozen=True)
class Intents:
    """The intents of a batch, and what they have in common."""

    authority_id: UUID
    profile: str
    profile_digest: str
    each: tuple[Intent, ...]

    def encode(self) -> bytes:
        """Return the bytes that stand in the batch."""
        return cbor2.dumps(
            [
                _VERSION,
                self.authority_id.bytes,
                self.profile,
                self.profile_digest,
                [
                    [
                        one.number,
                        one.person_id.bytes,
                        one.certificate_id.bytes,
                        one.agency_id.bytes if one.agency_id else None,
                        one.serial,
                        one.shard,
                        one.label,
                        one.spki_sha256,
                        int(one.not_before.timestamp()),
                        int(one.not_after.timestamp()),
                        one.tbs_der,
                    ]
                    for one in self.each
                ],
            ]
        )

    @classmethod
    def decode(cls, encoded: bytes) -> Intents:
        """Read what `encode` wrote."""
        version, authority, profile, digest, each = cbor2.loads(encoded)
        if version != _VERSION:
            raise ValueError(f"intents of version {version}")
        return cls(UUID(bytes=authority), profile, digest, tuple(_intent(*fields) for fields in each))


def _intent(
    number: int,
    person: bytes,
    certificate: bytes,
    agency: bytes | None,
    serial: bytes,
    shard: int,
    label: str,
    spki_sha256: bytes,
    not_before: int,
    not_after: int,
    tbs_der: bytes,
) -> Intent:
    return Intent(
        number,
        UUID(bytes=person),
        UUID(bytes=certificate),
        UUID(bytes=agency) if agency else None,
        serial,
        shard,
        label,
        spki_sha256,
        datetime.fromtimestamp(not_before, UTC),
        datetime.fromtimestamp(not_after, UTC),
        tbs_der,
    )
