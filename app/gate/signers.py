"""The keys that may sign passes, as the trust list names them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from sqlalchemy.orm import Session

from app.certificates import register
from pki.authority import spki
from pki.passes.trust_list import Signer

# Two days of meeting and the time its door is open before and after.
LONGEST_PASS: Final = timedelta(days=3)


def trusted(session: Session, *, now: datetime) -> tuple[Signer, ...]:
    """Return a signer for each certificate that may sign passes now, straight from the register."""
    return tuple(_signer(one) for one in register.pass_signers(session, now=now) if one.usable)


def ended(session: Session, *, now: datetime) -> frozenset[bytes]:
    """Return the names of keys of agencies that were revoked or suspended before their time."""
    return frozenset(one.kid for one in register.pass_signers(session, now=now) if not one.usable)


def _signer(one: register.PassSigner) -> Signer:
    certificate = x509.load_der_x509_certificate(one.certificate.der or b"")
    return Signer(
        one.kid,
        spki(certificate.public_key()),
        one.agency.code,
        one.agency.name,
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
        buildings=(),
        longest=LONGEST_PASS,
    )
