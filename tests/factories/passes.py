"""Passes, signers and lists of a small city."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import ec

from pki.authority import spki
from pki.keys import SoftwareKey
from pki.passes import cose, trust_list
from pki.passes.claims import PassClaims
from pki.passes.signed_list import Edition
from pki.passes.trust_list import Signer, TrustList
from tests.factories import pki

# Eight in the morning in the city.
START = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
EDITION = Edition(7, START, START + timedelta(hours=3))
KID = b"\xa1\xb2\xc3\xd4"
CLAIMS = PassClaims(START, timedelta(minutes=150), bytes(range(16)), 17, 4242, zones=2)
LONGEST = PassClaims(START, timedelta(days=3), bytes(range(16)), 2**32 - 1, 2**32 - 1, zones=255, slot=23)


def public(name: str = "agency") -> ec.EllipticCurvePublicKey:
    key = pki.key(name).public_key
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return key


def token(claims: PassClaims = CLAIMS, *, key: str = "agency", kid: bytes = KID) -> bytes:
    return cose.sign(claims.encode(), kid=kid, key=pki.key(key))


def signer(key: str = "agency", **changes: object) -> Signer:
    made = Signer(
        KID,
        spki(pki.key(key).public_key),
        "H99.02",
        "Sở Khoa học và Công nghệ",
        START - timedelta(days=10),
        START + timedelta(days=30),
        ("TTHC",),
        timedelta(days=3),
    )
    return replace(made, **changes)


def trusted(*signers: Signer) -> TrustList:
    """A list that was signed and read back."""
    return trust_list.verify(trust_list.build(EDITION, signers, list_key()), public("trust"))


def list_key() -> SoftwareKey:
    return pki.key("trust")
