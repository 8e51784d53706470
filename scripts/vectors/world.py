"""The small city that the cases play in."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from pki.authority import spki
from pki.keys import SoftwareKey
from pki.passes import cose, digits
from pki.passes.claims import PassClaims
from pki.passes.trust_list import Signer

START: Final = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
MINUTE: Final = timedelta(minutes=1)
LISTS_UNTIL: Final = START + 180 * MINUTE
KID: Final = bytes.fromhex("a1b2c3d4")


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


@dataclass(frozen=True)
class World:
    """The keys and lists of one run."""

    agency: SoftwareKey
    stranger: SoftwareKey
    trust: SoftwareKey

    def claims(self) -> PassClaims:
        return PassClaims(START, 150 * MINUTE, bytes(range(16)), 17, 4242, zones=2)

    def pass_digits(self, claims: PassClaims, *, key: SoftwareKey | None = None, kid: bytes = KID) -> str:
        return digits.encode(cose.sign(claims.encode(), kid=kid, key=key or self.agency))

    def signer(self) -> Signer:
        return Signer(
            KID,
            spki(self.agency.public_key),
            "H99.02",
            "Sở Khoa học và Công nghệ",
            START - timedelta(days=10),
            START + timedelta(days=30),
            ("TTHC", "TSC"),
            timedelta(days=3),
            zones=0b0011,
        )
