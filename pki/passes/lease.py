"""The lease list: which passes one tablet may admit by itself while it has no network, and until when.

The right to admit a pass and slot is in one place at a time: with the city's server, or leased to one tablet. The list
names the tablet and its boot: a copied or restored profile starts another boot, for which it was never signed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec

from pki.keys import SigningKey
from pki.passes import cbor, signed_list
from pki.passes.signed_list import Edition

KIND: Final = "leases"
# How far the clocks of a tablet and of the city may lie apart: a tablet ends its leases so much earlier, the city takes
# them back so much later.
SKEW: Final = timedelta(seconds=120)
_ID_LENGTH: Final = 16


class Policy(StrEnum):
    """What a gate without network does about a pass of a meeting when it does not hold the right to admit it."""

    # Nobody enters twice, whatever it costs: it says "look again".
    STRICT = "strict"
    # It lets in; whoever entered twice is reported when the tablets meet the network again.
    LENIENT = "lenient"


_CODES: Final = (Policy.STRICT, Policy.LENIENT)


@dataclass(frozen=True)
class LeaseList:
    """A verified list. `edition.version` is the epoch of the tablet, `edition.next_update` when every lease ends."""

    edition: Edition
    device_id: UUID
    boot_id: UUID
    # By place in the status list, and slot.
    entries: Mapping[tuple[int, int], Policy]

    def holds(self, status_index: int, slot: int, now: datetime) -> bool:
        """Say whether the tablet may admit this pass and slot at `now`, by its own clock."""
        return (status_index, slot) in self.entries and now <= self.edition.next_update - SKEW


def build(
    edition: Edition, device_id: UUID, boot_id: UUID, entries: Mapping[tuple[int, int], Policy], key: SigningKey
) -> bytes:
    """Return the signed list for one boot of one tablet. Raises KeyUnavailable."""
    rows = [[index, slot, _CODES.index(policy)] for (index, slot), policy in sorted(entries.items())]
    return signed_list.sign(KIND, edition, [device_id.bytes, boot_id.bytes, rows], key)


def verify(
    message: bytes,
    public_key: ec.EllipticCurvePublicKey,
    *,
    device_id: UUID,
    boot_id: UUID,
    at_least: int = 0,
) -> LeaseList:
    """Return the list.

    Raises PassRejected: MALFORMED (also when it is for another tablet or an earlier boot), BAD_SIGNATURE, ROLLBACK if
    its epoch is under `at_least`.
    """
    edition, body = signed_list.verify(KIND, message, public_key, at_least=at_least)
    device, boot, rows = cbor.array(body, 3)
    if cbor.octets(device, _ID_LENGTH) != device_id.bytes or cbor.octets(boot, _ID_LENGTH) != boot_id.bytes:
        raise cbor.malformed()
    entries: dict[tuple[int, int], Policy] = {}
    for row in cbor.array(rows):
        index, slot, code = (cbor.natural(one) for one in cbor.array(row, 3))
        if code >= len(_CODES):
            raise cbor.malformed()
        entries[(index, slot)] = _CODES[code]
    return LeaseList(edition, device_id, boot_id, entries)
