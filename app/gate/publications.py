"""The signed lists that tablets fetch: made by `worker`, kept with rising versions, read by `web`."""

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
from app.core.errors import Unavailable
from app.gate.models import Publication
from pki.authority import spki
from pki.keys import SigningKey
from pki.passes import status, trust_list
from pki.passes.signed_list import Edition
from pki.passes.status import PassStatus
from pki.passes.trust_list import Signer
from pki.profiles import ProfileName

# A tablet without news decides by itself for this long, then says "look again".
LIFE: Final = timedelta(minutes=15)
# Signed anew at this age even if nothing changed, so that a connected tablet never grows stale.
RENEW_AFTER: Final = timedelta(minutes=4)
_LOCK: Final = 4_901_338


def newest(session: Session) -> tuple[bytes, bytes]:
    """Return the newest trust list and status list. Raises Unavailable before the first were made."""
    found = {kind: _newest_of(session, kind) for kind in (trust_list.KIND, status.KIND)}
    trust, statuses = found[trust_list.KIND], found[status.KIND]
    if trust is None or statuses is None:
        raise Unavailable(_l("The lists for the gates are being made."), _l("Try again in a minute."))
    return trust.body, statuses.body


def publish(
    session: Session,
    *,
    signers: Sequence[Signer],
    statuses: dict[int, PassStatus],
    key: SigningKey,
    now: datetime,
) -> list[str]:
    """Sign what changed or grew old and return the kinds that were; one publisher works at a time."""
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    made = []
    ordered = sorted(signers, key=lambda one: (one.agency_code, one.kid))
    if _is_due(session, trust_list.KIND, repr(ordered).encode(), now):
        edition = _next_edition(session, trust_list.KIND, now)
        _store(session, trust_list.KIND, edition, repr(ordered).encode(), trust_list.build(edition, ordered, key))
        made.append(trust_list.KIND)
    content = repr(sorted((index, int(one)) for index, one in statuses.items())).encode()
    if _is_due(session, status.KIND, content, now):
        edition = _next_edition(session, status.KIND, now)
        _store(session, status.KIND, edition, content, status.build(edition, statuses, key))
        made.append(status.KIND)
    return made


def trust_key_spki(session: Session, *, now: datetime) -> bytes:
    """Return the key that signs both lists, as the tablet pins it. Raises Unavailable."""
    signer = register.service_certificate(session, ProfileName.TRUST_LIST_SIGNER, now=now)
    if signer is None or signer.der is None:
        raise Unavailable(_l("The city has no key for the gates’ lists."), _l("Tell the administrator."))
    return spki(x509.load_der_x509_certificate(signer.der).public_key())


def _newest_of(session: Session, kind: str) -> Publication | None:
    query = select(Publication).where(Publication.kind == kind).order_by(Publication.version.desc()).limit(1)
    return session.scalar(query)


def _is_due(session: Session, kind: str, content: bytes, now: datetime) -> bool:
    last = _newest_of(session, kind)
    return (
        last is None or last.content_sha256 != hashlib.sha256(content).digest() or now >= last.issued_at + RENEW_AFTER
    )


def _next_edition(session: Session, kind: str, now: datetime) -> Edition:
    last = _newest_of(session, kind)
    return Edition((last.version if last else 0) + 1, now.replace(microsecond=0), now.replace(microsecond=0) + LIFE)


def _store(session: Session, kind: str, edition: Edition, content: bytes, body: bytes) -> None:
    session.add(
        Publication(
            kind=kind,
            version=edition.version,
            content_sha256=hashlib.sha256(content).digest(),
            body=body,
            issued_at=edition.issued,
            next_update=edition.next_update,
        )
    )
    session.flush()
