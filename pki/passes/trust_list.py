"""The trust list: which keys may sign passes, for which agency, when, and into which buildings.

Being on the newest list is the rule of validity: a key that was revoked is simply no longer there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from pki.errors import PassRejected, ProfileViolation
from pki.keys import Curve, SigningKey
from pki.passes import cbor, cose, signed_list
from pki.passes import claims as pass_claims
from pki.passes.cbor import Cbor
from pki.passes.claims import PassClaims
from pki.passes.faults import PassFault
from pki.passes.signed_list import Edition

KIND: Final = "trust"
EVERY_ZONE: Final = 0xFF


@dataclass(frozen=True)
class Signer:
    """One key that may sign passes."""

    kid: bytes
    # DER of SubjectPublicKeyInfo on P-256.
    spki_der: bytes
    agency_code: str
    agency_name: str
    not_before: datetime
    not_after: datetime
    # Codes of the buildings it may invite to; empty means all.
    buildings: tuple[str, ...]
    # The longest validity of a pass of this key.
    longest: timedelta
    # Bit set of the zones it may invite to; the entrance needs none.
    zones: int = EVERY_ZONE

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The key. Raises PassRejected(MALFORMED) if it is not one on P-256."""
        try:
            key = load_der_public_key(self.spki_der)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise cbor.malformed() from error
        if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != Curve.P256:
            raise cbor.malformed()
        return key


@dataclass(frozen=True)
class TrustList:
    """A verified list."""

    edition: Edition
    signers: tuple[Signer, ...]

    def verify_pass(self, token: bytes, now: datetime) -> tuple[PassClaims, Signer]:
        """Return the claims of a pass and who signed it; nothing is read from the claims before the signature holds.

        Whether the pass is current, for this place and not withdrawn is for `decision.decide`. Raises PassRejected:
        MALFORMED, UNKNOWN_KEY, BAD_SIGNATURE, KEY_NOT_CURRENT, TOO_LONG_VALIDITY.
        """
        signed = cose.parse(token)
        named = [signer for signer in self.signers if signer.kid == signed.kid]
        signer = cose.first_that_holds(signed, named, lambda one: one.public_key)
        if not signer.not_before <= now <= signer.not_after:
            raise PassRejected(PassFault.KEY_NOT_CURRENT)
        claims = pass_claims.decode(signed.payload)
        if claims.validity > signer.longest:
            raise PassRejected(PassFault.TOO_LONG_VALIDITY)
        return claims, signer


def build(edition: Edition, signers: Iterable[Signer], key: SigningKey) -> bytes:
    """Return the signed trust list. Raises ProfileViolation for a signer that no tablet could use, KeyUnavailable."""
    rows = [_row(one) for one in signers]
    try:
        for row in rows:
            _signer(row)
    except PassRejected as error:
        raise ProfileViolation("a signer's key must be on P-256 and be named by four bytes") from error
    return signed_list.sign(KIND, edition, rows, key)


def verify(message: bytes, public_key: ec.EllipticCurvePublicKey, *, at_least: int = 0) -> TrustList:
    """Return the list. Raises PassRejected: MALFORMED, BAD_SIGNATURE, ROLLBACK.

    A signer with an algorithm that this reader does not know is as good as not listed: its passes name an unknown key.
    """
    edition, body = signed_list.verify(KIND, message, public_key, at_least=at_least)
    rows = [cbor.array(row, 10) for row in cbor.array(body)]
    return TrustList(edition, tuple(_signer(row) for row in rows if row[1] == cose.ES256))


def _row(signer: Signer) -> list[Cbor]:
    return [
        signer.kid,
        cose.ES256,
        signer.spki_der,
        signer.agency_code,
        signer.agency_name,
        int(signer.not_before.timestamp()),
        int(signer.not_after.timestamp()),
        list(signer.buildings),
        signer.zones,
        signer.longest // timedelta(minutes=1),
    ]


def _signer(row: list[Cbor]) -> Signer:
    kid, _algorithm, spki_der, code, name, not_before, not_after, buildings, zones, minutes = row
    signer = Signer(
        cbor.octets(kid, cose.KID_LENGTH),
        cbor.octets(spki_der),
        cbor.text(code),
        cbor.text(name),
        datetime.fromtimestamp(cbor.natural(not_before), UTC),
        datetime.fromtimestamp(cbor.natural(not_after), UTC),
        tuple(cbor.text(one) for one in cbor.array(buildings)),
        timedelta(minutes=cbor.natural(minutes)),
        cbor.natural(zones),
    )
    # A key that cannot be used is found here, not when the first guest stands at the gate.
    _ = signer.public_key
    return signer
