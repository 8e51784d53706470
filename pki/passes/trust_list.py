"""The trust list: which keys may sign passes, for which agency, when, and into which buildings.

Being on the newest list is the rule of validity: a key that was revoked is simply no longer there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from pki.errors import PassRejected
from pki.keys import SigningKey
from pki.passes import claims as pass_claims
from pki.passes import cose, signed_list
from pki.passes.claims import PassClaims
from pki.passes.faults import PassFault
from pki.passes.signed_list import Edition

KIND: Final = "trust"


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

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The key. Raises PassRejected(MALFORMED) if it is not on a curve."""
        key = load_der_public_key(self.spki_der)
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise PassRejected(PassFault.MALFORMED)
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
    """Return the signed trust list."""
    body = [
        [
            one.kid,
            one.spki_der,
            one.agency_code,
            one.agency_name,
            int(one.not_before.timestamp()),
            int(one.not_after.timestamp()),
            list(one.buildings),
            one.longest // timedelta(minutes=1),
        ]
        for one in signers
    ]
    return signed_list.sign(KIND, edition, body, key)


def verify(message: bytes, public_key: ec.EllipticCurvePublicKey, *, at_least: int = 0) -> TrustList:
    """Return the list. Raises PassRejected: MALFORMED, BAD_SIGNATURE, ROLLBACK."""
    edition, body = signed_list.verify(KIND, message, public_key, at_least=at_least)
    try:
        return TrustList(edition, tuple(_signer(one) for one in body))
    except (TypeError, ValueError, OverflowError) as error:
        raise PassRejected(PassFault.MALFORMED) from error


def _signer(values: Any) -> Signer:
    kid, spki_der, code, name, not_before, not_after, buildings, minutes = values
    return Signer(
        kid,
        spki_der,
        code,
        name,
        datetime.fromtimestamp(not_before, UTC),
        datetime.fromtimestamp(not_after, UTC),
        tuple(buildings),
        timedelta(minutes=minutes),
    )
