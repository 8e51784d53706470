"""Whom the check trusts: the city's own roots and those that two administrators imported; and whom it may ask."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Final
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.certificates import service as certificates
from app.core.errors import Conflict, Invalid, NotFound
from app.core.permissions import Actor, Permission
from app.documents import sandbox
from app.registry import scope
from app.trust import certificates_job, evidence
from app.trust.evidence import evidence_for
from app.trust.models import Kind, TrustAnchor, TrustHost
from pki.chains import TrustStore
from pki.errors import PdfRefused
from pki.status_evidence import StatusEvidence

__all__ = [
    "Root",
    "anchors",
    "evidence_for",
    "evidence_of_pdf",
    "export",
    "find_anchor",
    "kind_of",
    "kinds",
    "roots",
    "store",
]

# What it takes to ask for roots and hosts and to decide on them, for the whole city; and to look at them.
MANAGE: Final = Permission.MANAGE_PROFILES
READERS: Final = (Permission.MANAGE_PROFILES, Permission.READ_AUDIT)
LONGEST_REASON: Final = 500


@dataclass(frozen=True)
class Root:
    """A trusted root; `anchor` None for the city's own authorities, which come and go with their ceremonies."""

    certificate: x509.Certificate
    kind: Kind
    anchor: TrustAnchor | None

    @property
    def sha256(self) -> str:
        return self.certificate.fingerprint(hashes.SHA256()).hex()


def store(session: Session) -> TrustStore:
    """Return every root that the check trusts, and the authorities that help to reach them."""
    own_roots, own_below = certificates.trust_material(session)
    imported = anchors(session)
    below = [der for one in imported for der in one.below_der]
    return TrustStore((*own_roots, *(one.certificate_der for one in imported)), (*own_below, *below))


def kind_of(session: Session, anchor_der: bytes) -> Kind | None:
    """Return whose root it is, which decides what a signature below it is called; None if it is not trusted."""
    if anchor_der in certificates.trust_material(session)[0]:
        return Kind.OWN
    query = select(TrustAnchor.kind).where(TrustAnchor.certificate_der == anchor_der, TrustAnchor.removed_at.is_(None))
    found = session.scalar(query)
    return Kind(found) if found else None


def kinds(session: Session) -> Mapping[str, Kind]:
    """Return the kind of every trusted root, by the SHA-256 of its certificate in lower-case hex."""
    return {one.sha256: one.kind for one in roots(session)}


def evidence_of_pdf(session: Session, pdf: bytes | Path | IO[bytes], *, now: datetime) -> StatusEvidence:
    """Return what outside authorities say about the certificates in a PDF; nothing where no root or host is listed.

    The file is opened in the limited process; the network is used here. One that cannot be read brings nothing: the
    check itself says what is wrong with it.
    """
    if not anchors(session) or not evidence.hosts(session):
        return StatusEvidence()
    try:
        facts, output = sandbox.run(certificates_job.find, {}, pdf)
    except PdfRefused:
        return StatusEvidence()
    output.close()
    return evidence_for(session, [base64.b64decode(one) for one in facts["certificates"]], now=now)


def anchors(session: Session) -> Sequence[TrustAnchor]:
    """Return the imported roots that are trusted now, the first imported first."""
    query = select(TrustAnchor).where(TrustAnchor.removed_at.is_(None))
    return session.scalars(query.order_by(TrustAnchor.imported_at, TrustAnchor.id)).all()


def removed_anchors(session: Session) -> Sequence[TrustAnchor]:
    """Return the roots that were imported once, the last removed first."""
    query = select(TrustAnchor).where(TrustAnchor.removed_at.is_not(None))
    return session.scalars(query.order_by(TrustAnchor.removed_at.desc())).all()


def roots(session: Session) -> list[Root]:
    """Return every trusted root: the city's own, then the imported ones."""
    own = [Root(x509.load_der_x509_certificate(der), Kind.OWN, None) for der in certificates.trust_material(session)[0]]
    imported = [
        Root(x509.load_der_x509_certificate(one.certificate_der), Kind(one.kind), one) for one in anchors(session)
    ]
    return own + imported


def find_anchor(session: Session, anchor_id: UUID) -> TrustAnchor:
    """Return an imported root, also one that was removed. Raises NotFound."""
    found = session.get(TrustAnchor, anchor_id)
    if found is None:
        raise NotFound(_l("There is no such root."))
    return found


def export(session: Session) -> bytes:
    """Return every trusted root as PEM, each under a line with its name and kind."""
    blocks = []
    for one in roots(session):
        head = f"# {one.certificate.subject.rfc4514_string()} ({one.kind})\n"
        blocks.append(head.encode() + one.certificate.public_bytes(Encoding.PEM))
    return b"\n".join(blocks)


def listed_hosts(session: Session) -> Sequence[TrustHost]:
    """Return the hosts that may be asked now, by name."""
    query = select(TrustHost).where(TrustHost.removed_at.is_(None))
    return session.scalars(query.order_by(TrustHost.host, TrustHost.port)).all()


def find_host(session: Session, host_id: UUID) -> TrustHost:
    """Return a host, also one that was removed. Raises NotFound."""
    found = session.get(TrustHost, host_id)
    if found is None:
        raise NotFound(_l("There is no such host."))
    return found


def remove_host(session: Session, actor: Actor, host_id: UUID, *, reason: str, now: datetime) -> TrustHost:
    """Take a host off the list, at once: to ask less takes one person. Removing again changes nothing.

    Raises NotFound, also without the permission over the whole city; Invalid without a reason.
    """
    if actor.account_id is None or not scope.covers(session, actor, MANAGE, None):
        raise NotFound(_l("There is no such host."))
    host = session.get(TrustHost, host_id, with_for_update=True, populate_existing=True)
    if host is None:
        raise NotFound(_l("There is no such host."))
    if host.removed_at is not None:
        return host
    host.removal_reason = checked_reason(reason)
    host.removed_at, host.removed_by = now, actor.account_id
    session.flush()
    audit.record(
        session,
        actor,
        "trust_host_removed",
        object_kind="trust_host",
        object_id=host.id,
        host=host.host,
        port=host.port,
    )
    return host


def checked_reason(reason: str) -> str:
    """Return the reason as it is kept. Raises Invalid for none, or one that is too long to read."""
    text = " ".join(reason.split())
    if not text:
        raise Invalid(_l("Write the reason: it is kept and shown for as long as the root or the host."))
    if len(text) > LONGEST_REASON:
        raise Invalid(_l("The reason is too long. Use at most %(most)s characters.", most=LONGEST_REASON))
    return text


def check_not_there(session: Session, root_der: bytes) -> None:
    """Raise Conflict for a root that is trusted already."""
    if kind_of(session, root_der) is not None:
        raise Conflict(_l("This root is trusted already. Nothing was changed."))
