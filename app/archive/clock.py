"""Until when a proof that `status` makes now will hold, known from the certificates of its timestamp units."""

from __future__ import annotations

from datetime import datetime

from cryptography import x509
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.certificates import register
from app.certificates.models import Certificate, CertificateState
from pki.algorithms import key_trusted_until
from pki.pades.proofs import MARGIN
from pki.profiles import ProfileName


def renew_by(session: Session, *, now: datetime) -> datetime | None:
    """Return when a timestamp made now has to be covered by the next one; None without a unit in force.

    The earliest of all units in force: which of them answered stands in the token, and a day too early harms nothing.
    """
    query = select(Certificate).where(
        Certificate.profile == ProfileName.TSA_UNIT,
        Certificate.state == CertificateState.ISSUED,
        Certificate.not_after > now,
    )
    ends = [end for unit in session.scalars(query).unique() for end in _ends(session, unit)]
    return min(ends) - MARGIN if ends else None


def units_der(session: Session, *, now: datetime) -> tuple[bytes, ...]:
    """Return the certificates of the timestamp units whose proofs can still be renewed, in DER."""
    query = select(Certificate.der).where(
        Certificate.profile == ProfileName.TSA_UNIT, Certificate.der.is_not(None), Certificate.not_after > now
    )
    return tuple(der for der in session.scalars(query) if der is not None)


def _ends(session: Session, unit: Certificate) -> list[datetime]:
    if unit.der is None:
        return []
    found = [x509.load_der_x509_certificate(one) for one in (unit.der, *register.chain_of(session, unit))]
    return [end for one in found for end in (one.not_valid_after_utc, key_trusted_until(one.public_key()))]
