"""What the trust list and the status list share: a version that only rises, times, and one signature."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec

from pki.errors import PassRejected
from pki.keys import SigningKey
from pki.passes import cbor, cose
from pki.passes.cbor import Cbor
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


def verify(kind: str, message: bytes, public_key: ec.EllipticCurvePublicKey, *, at_least: int) -> tuple[Edition, Cbor]:
    """Return the edition and the body.

    Raises PassRejected: MALFORMED, BAD_SIGNATURE, or ROLLBACK if the version is under `at_least`.
    """
    signed = cose.parse(message)
    if not cose.holds(signed, public_key):
        raise PassRejected(PassFault.BAD_SIGNATURE)
    found = cbor.mapping(cbor.decode(signed.payload))
    named, version_value = cbor.array(found.get(_VERSION), 2)
    if cbor.text(named) != kind or list(found) != [_VERSION, _ISSUED, _NEXT_UPDATE, _BODY]:
        raise cbor.malformed()
    version = cbor.natural(version_value)
    if version < at_least:
        raise PassRejected(PassFault.ROLLBACK)
    issued, next_update = (datetime.fromtimestamp(cbor.natural(found[name]), UTC) for name in (_ISSUED, _NEXT_UPDATE))
    return Edition(version, issued, next_update), found[_BODY]
