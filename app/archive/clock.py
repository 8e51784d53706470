"""Until when a proof that `status` makes now will hold, known from the certificates of its timestamp units."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from uuid import UUID

from cryptography import x509
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.certificates.models import Authority, Certificate, CertificateState
from pki.algorithms import key_trusted_until
from pki.pades.proofs import MARGIN
from pki.profiles import ProfileName


def renew_by(session: Session, *, now: datetime) -> datetime | None:
    """Return when a timestamp made now has to be covered by the next one; None without a unit in force.

    The earliest of all units in force: which of them answered stands in the token, and a day too early harms nothing.
    """
    units = select(Certificate.der, Certificate.authority_id).where(
        Certificate.profile == ProfileName.TSA_UNIT,
        Certificate.state == CertificateState.ISSUED,
        Certificate.not_after > now,
    )
    authorities = {
        one_id: (der, issuer_id)
        for one_id, der, issuer_id in session.execute(
            select(Authority.id, Authority.certificate_der, Authority.issuer_id)
        )
    }
    ends = []
    for unit_der, authority_id in session.execute(units):
        ends.append(_end(unit_der))
        above: UUID | None = authority_id
        while above is not None:
            der, above = authorities[above]
            ends.append(_end(der))
    return min(ends) - MARGIN if ends else None


def units_der(session: Session, *, now: datetime) -> tuple[bytes, ...]:
    """Return the certificates of the timestamp units whose proofs can still be renewed, in DER."""
    query = select(Certificate.der).where(
        Certificate.profile == ProfileName.TSA_UNIT, Certificate.der.is_not(None), Certificate.not_after > now
    )
    return tuple(der for der in session.scalars(query) if der is not None)


# The same few certificates are asked about with every signature.
@lru_cache(maxsize=64)
def _end(certificate_der: bytes) -> datetime:
    """Return when a certificate ends, or the algorithm of its key, whichever is first."""
    certificate = x509.load_der_x509_certificate(certificate_der)
    return min(certificate.not_valid_after_utc, key_trusted_until(certificate.public_key()))
