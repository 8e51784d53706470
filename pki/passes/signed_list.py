"""What the trust list and the status list share: a version that only rises, times, and one signature."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec

from pki.errors import PassRejected
from pki.keys import SigningKey
from pki.passes import cose
from pki.passes.faults import PassFault

_VERSION: Final = 1
_ISSUED: Final = 2
_NEXT_UPDATE: Final = 3
_BODY: Final = 4
# Of lists there is one signer at a time; four zero bytes name it.
LIST_KID: Final = bytes(4)


@dataclass(frozen=True)
class Edition:
    """Which edition of a list this is."""

    # Rises with each edition; an older one is never accepted after a newer.
    version: int
    issued: datetime
    # When the next edition is due; after it the list is stale.
    next_update: datetime


def sign(kind: str, edition: Edition, body: object, key: SigningKey) -> bytes:
    """Return the signed list; `kind` keeps one list from being taken for the other."""
    payload = {
        _VERSION: [kind, edition.version],
        _ISSUED: int(edition.issued.timestamp()),
        _NEXT_UPDATE: int(edition.next_update.timestamp()),
        _BODY: body,
    }
    return cose.sign(cbor2.dumps(payload, canonical=True), kid=LIST_KID, key=key)


def verify(kind: str, message: bytes, public_key: ec.EllipticCurvePublicKey, *, at_least: int) -> tuple[Edition, Any]:
    """Return the edition and the body as plain CBOR values.

    Raises PassRejected: MALFORMED, BAD_SIGNATURE, or ROLLBACK if the version is under `at_least`.
    """
    signed = cose.parse(message)
    if not cose.holds(signed, public_key):
        raise PassRejected(PassFault.BAD_SIGNATURE)
    try:
        found = cbor2.loads(signed.payload)
        (named, version), body = found[_VERSION], found[_BODY]
        edition = Edition(
            version,
            datetime.fromtimestamp(found[_ISSUED], UTC),
            datetime.fromtimestamp(found[_NEXT_UPDATE], UTC),
        )
    except (cbor2.CBORError, LookupError, TypeError, ValueError, OverflowError) as error:
        raise PassRejected(PassFault.MALFORMED) from error
    if named != kind or not isinstance(version, int):
        raise PassRejected(PassFault.MALFORMED)
    if version < at_least:
        raise PassRejected(PassFault.ROLLBACK)
    return edition, body
