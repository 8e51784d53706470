"""The signed claim in a document's QR code: "this agency issued this number on this day, and this is what was signed".

COSE_Sign1 as for passes, in decimal digits, signed by the agency's seal key under a context of its own, so that no
pass is ever read as a claim nor the other way. The list of keys lets a page without a network check it; unlike the
gates' list it keeps keys that have ended, since paper outlives them.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import IntEnum
from typing import Final

import cbor2
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from pki.errors import PassRejected, ProfileViolation
from pki.keys import Curve, SigningKey
from pki.passes import cbor, cose, digits, signed_list
from pki.passes.cbor import Cbor
from pki.passes.digits import Form
from pki.passes.faults import PassFault
from pki.passes.signed_list import Edition

KIND: Final = "claims"
CLAIM_ID_LENGTH: Final = 8
LONGEST_NUMBER: Final = 48
# COSE's external_aad: signed and never sent, so it costs no module of the code.
_CONTEXT: Final = b"kyvao document claim 1"
_DIGEST_LENGTH: Final = 32
_LARGEST_SIZE: Final = 0xFFFFFFFF
_EPOCH: Final = date(1970, 1, 1)
_LAST_DAY: Final = 0xFFFF
# A document's date is a day of the city.
_CITY: Final = timezone(timedelta(hours=7))


class DocumentClass(IntEnum):
    """What the public page may tell about a document."""

    # Number, date, title, agency, signer, and the file itself.
    PUBLIC = 0
    # Number, date, agency, and whether it is in force.
    RESTRICTED = 1
    # Whether the code is genuine, and nothing else.
    HIDDEN = 2


@dataclass(frozen=True)
class DocumentClaim:
    """What the code says. Nothing here names a person."""

    # 8 random bytes: the public name of the document.
    claim_id: bytes
    # Number and symbol as they stand on the paper, `123/QĐ-UBND`; NFC, up to 48 bytes of UTF-8.
    number: str
    # The date on the paper, from 1970 to 2149.
    issued_on: date
    # SHA-256 of the revision that the head signed. All of it: with half of it, whoever drafts a paper could look for
    # two with the same digest, show the head one of them and print the other (2^64 tries).
    digest: bytes
    # Bytes of that revision: what stands in the issued file behind it (number, seal, proofs) came later.
    size: int
    document_class: DocumentClass

    def encode(self) -> bytes:
        """Return the canonical CBOR. Raises ProfileViolation if a part is out of its bounds."""
        days = (self.issued_on - _EPOCH).days
        lengths = len(self.claim_id) == CLAIM_ID_LENGTH and len(self.digest) == _DIGEST_LENGTH
        numbers = 0 <= days <= _LAST_DAY and 0 < self.size <= _LARGEST_SIZE
        if not (lengths and numbers and _is_number(self.number)):
            raise ProfileViolation("a claim cannot say this")
        parts = [self.claim_id, self.number, days, self.digest, self.size, int(self.document_class)]
        return cbor2.dumps(parts, canonical=True)


def decode(payload: bytes) -> DocumentClaim:
    """Return the claim. Raises PassRejected(MALFORMED) unless `payload` is exactly what `encode` makes of it.

    The reader of CBOR knows one form of each value, so it is enough that `encode` would take the claim.
    """
    claim_id, number, days, digest, size, document_class = cbor.array(cbor.decode(payload), 6)
    try:
        claim = DocumentClaim(
            cbor.octets(claim_id, CLAIM_ID_LENGTH),
            cbor.text(number),
            _EPOCH + timedelta(days=cbor.natural(days)),
            cbor.octets(digest, _DIGEST_LENGTH),
            cbor.natural(size),
            DocumentClass(cbor.natural(document_class)),
        )
        claim.encode()
    except (ProfileViolation, ValueError, OverflowError) as error:
        raise cbor.malformed() from error
    return claim


def sign(claim: DocumentClaim, *, kid: bytes, key: SigningKey) -> str:
    """Return the digits of the signed claim. `kid` has 4 bytes, `key` is the agency's seal key on P-256.

    Raises ProfileViolation for a claim or key that no reader would take, KeyUnavailable.
    """
    return digits.encode(cose.sign(claim.encode(), kid=kid, key=key, context=_CONTEXT), Form.CLAIM)


@dataclass(frozen=True)
class ClaimSigner:
    """One key that signs, or once signed, the claims of an agency."""

    kid: bytes
    # DER of SubjectPublicKeyInfo on P-256.
    spki_der: bytes
    agency_code: str
    agency_name: str
    not_before: datetime
    # The end of its certificate, or the moment of its revocation if that came first.
    not_after: datetime
    # Somebody else may hold the key: no date in a claim of it proves anything.
    compromised: bool = False

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

    def covers(self, day: date) -> bool:
        """Say whether some moment of that day in the city lies within the key's time."""
        begins = datetime.combine(day, time(), _CITY)
        return self.not_before < begins + timedelta(days=1) and begins <= self.not_after


@dataclass(frozen=True)
class ClaimKeys:
    """A verified list of keys."""

    edition: Edition
    signers: tuple[ClaimSigner, ...]

    def verify(self, text: str) -> tuple[DocumentClaim, ClaimSigner]:
        """Return the claim of a code and who signed it; nothing is read before the signature holds.

        Raises PassRejected: NOT_OURS, MALFORMED, UNKNOWN_KEY, BAD_SIGNATURE, and KEY_NOT_CURRENT where the key was
        not in force on the claim's day or is known to be compromised; the register may still know the document.
        """
        signed = cose.parse(digits.decode(text, Form.CLAIM))
        named = [one for one in self.signers if one.kid == signed.kid]
        signer = cose.first_that_holds(signed, named, lambda one: one.public_key, context=_CONTEXT)
        claim = decode(signed.payload)
        if signer.compromised or not signer.covers(claim.issued_on):
            raise PassRejected(PassFault.KEY_NOT_CURRENT)
        return claim, signer


def build_keys(edition: Edition, signers: Iterable[ClaimSigner], key: SigningKey) -> bytes:
    """Return the signed list of keys. Raises ProfileViolation for a signer that no reader could use, KeyUnavailable."""
    rows = [_row(one) for one in signers]
    try:
        for row in rows:
            _signer(row)
    except PassRejected as error:
        raise ProfileViolation("a signer's key must be on P-256 and be named by four bytes") from error
    return signed_list.sign(KIND, edition, rows, key)


def verify_keys(message: bytes, public_key: ec.EllipticCurvePublicKey, *, at_least: int = 0) -> ClaimKeys:
    """Return the list. Raises PassRejected: MALFORMED, BAD_SIGNATURE, ROLLBACK."""
    edition, body = signed_list.verify(KIND, message, public_key, at_least=at_least)
    rows = [cbor.array(row, 8) for row in cbor.array(body)]
    return ClaimKeys(edition, tuple(_signer(row) for row in rows if row[1] == cose.ES256))


def _is_number(number: str) -> bool:
    printable = all(unicodedata.category(letter)[0] != "C" for letter in number)
    return (
        printable
        and number == unicodedata.normalize("NFC", number).strip()
        and 0 < len(number.encode("utf-8", "replace")) <= LONGEST_NUMBER
    )


def _row(signer: ClaimSigner) -> list[Cbor]:
    return [
        signer.kid,
        cose.ES256,
        signer.spki_der,
        signer.agency_code,
        signer.agency_name,
        int(signer.not_before.timestamp()),
        int(signer.not_after.timestamp()),
        int(signer.compromised),
    ]


def _signer(row: list[Cbor]) -> ClaimSigner:
    kid, _algorithm, spki_der, code, name, not_before, not_after, compromised = row
    signer = ClaimSigner(
        cbor.octets(kid, cose.KID_LENGTH),
        cbor.octets(spki_der),
        cbor.text(code),
        cbor.text(name),
        datetime.fromtimestamp(cbor.natural(not_before), UTC),
        datetime.fromtimestamp(cbor.natural(not_after), UTC),
        cbor.natural(compromised) != 0,
    )
    _ = signer.public_key
    return signer
