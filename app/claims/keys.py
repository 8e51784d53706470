"""The list of keys that sign, or once signed, documents' codes: made by `worker`, fetched by the public page."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from flask_babel import lazy_gettext as _l
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.certificates import register
from app.certificates.models import Certificate
from app.claims.models import Claim, ClaimKeyList
from app.core.errors import Unavailable
from app.registry.models import Agency
from pki import document_claim
from pki.authority import spki
from pki.document_claim import ClaimSigner
from pki.keys import SigningKey
from pki.passes.signed_list import Edition
from pki.profiles import ProfileName
from pki.revocation import RevocationReason

# What is printed on the list as its end. A phone that was offline longer says of which day its list is.
LIFE: Final = timedelta(days=30)
RENEW_AFTER: Final = timedelta(days=1)
_LOCK: Final = 4_901_420


def signers(session: Session) -> Sequence[ClaimSigner]:
    """Return a signer for each seal that ever signed a code, ended ones too: paper outlives keys."""
    query = (
        select(Certificate, Agency)
        .join(Agency, Agency.id == Certificate.agency_id)
        .where(Certificate.id.in_(select(Claim.certificate_id)), Certificate.der.is_not(None))
        .order_by(Agency.code, Certificate.created_at)
    )
    return [_signer(certificate, agency) for certificate, agency in session.execute(query).unique()]


def publish(
    session: Session, found: Sequence[ClaimSigner], *, signer: Certificate, key: SigningKey, now: datetime
) -> bool:
    """Sign the list if it changed or is a day old, and say whether; one publisher works at a time."""
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    content = hashlib.sha256(repr((signer.sha256, *found)).encode()).digest()
    last = _newest(session)
    if last is not None and last.content_sha256 == content and now < last.issued_at + RENEW_AFTER:
        return False
    issued_at = now.replace(microsecond=0)
    edition = Edition((last.version if last else 0) + 1, issued_at, issued_at + LIFE)
    session.add(
        ClaimKeyList(
            version=edition.version,
            content_sha256=content,
            body=document_claim.build_keys(edition, found, key),
            issued_at=issued_at,
        )
    )
    session.flush()
    return True


def newest(session: Session, *, now: datetime) -> tuple[bytes, bytes]:
    """Return the newest list and the key (SubjectPublicKeyInfo) that signs it. Raises Unavailable before the first."""
    last = _newest(session)
    signer = register.service_certificate(session, ProfileName.TRUST_LIST_SIGNER, now=now)
    if last is None or signer is None or signer.der is None:
        raise Unavailable(_l("The list of the agencies’ keys is being made."), _l("Try again in a minute."))
    return last.body, spki(x509.load_der_x509_certificate(signer.der).public_key())


def _newest(session: Session) -> ClaimKeyList | None:
    return session.scalar(select(ClaimKeyList).order_by(ClaimKeyList.version.desc()).limit(1))


def _signer(certificate: Certificate, agency: Agency) -> ClaimSigner:
    read = x509.load_der_x509_certificate(certificate.der or b"")
    ended = certificate.revocation
    return ClaimSigner(
        register.kid_of(certificate),
        spki(read.public_key()),
        agency.code,
        agency.name,
        read.not_valid_before_utc,
        min(read.not_valid_after_utc, ended.revoked_at) if ended else read.not_valid_after_utc,
        compromised=ended is not None and ended.reason == RevocationReason.KEY_COMPROMISE,
    )
