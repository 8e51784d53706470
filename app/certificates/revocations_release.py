"""Releasing a suspended certificate: one person asks, another one approves, and never the holder."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts import service as accounts
from app.approvals import service as approvals
from app.approvals.models import Act, ActState
from app.audit.models import AuditEntry
from app.certificates import register, revocations
from app.certificates.models import Certificate, CertificateState
from app.certificates.words import CAUSES, PROFILES
from app.core.errors import Conflict, Forbidden, Sentence
from app.core.i18n import moment
from app.core.permissions import Actor, Permission

KIND: Final = "release"
_CHANGED: Final = _l("The certificate was changed since this was asked. Nothing was released.")


def request(session: Session, actor: Actor, certificate_id: UUID, *, now: datetime) -> Act:
    """Ask to lift a hold; asking again returns the same act.

    Raises NotFound outside the scope, Forbidden for one's own certificate, Conflict if it is not suspended.
    """
    certificate = register.find_in_scope(session, actor, Permission.REVOKE_CERTIFICATES, certificate_id)
    if actor.person_id is not None and certificate.person_id == actor.person_id:
        raise Forbidden(_l("You cannot release your own certificate."), _l("Ask another administrator."))
    if certificate.state != CertificateState.HELD or certificate.revocation is None:
        raise Conflict(_l("This certificate is not suspended."))
    return approvals.request(
        session,
        actor,
        KIND,
        {"serial": certificate.serial_hex, "held_since": certificate.revocation.revoked_at.isoformat()},
        agency_id=certificate.agency_id,
        subject_person_ids=[certificate.person_id] if certificate.person_id else [],
        object_kind="certificate",
        object_id=certificate.id,
        now=now,
    )


def open_request(session: Session, certificate_id: UUID) -> Act | None:
    """Return the act that asks for the release of a certificate, if one is pending."""
    query = select(Act).where(
        Act.object_kind == "certificate",
        Act.object_id == str(certificate_id),
        Act.kind == KIND,
        Act.state == ActState.PENDING,
    )
    return session.scalar(query.order_by(Act.requested_at.desc()).limit(1))


def why_held(session: Session, certificate: Certificate) -> tuple[Sentence, Sentence]:
    """Return in words why the certificate was suspended and by whom, as the log of acts says."""
    query = select(AuditEntry).where(
        AuditEntry.object_kind == "certificate",
        AuditEntry.object_id == str(certificate.id),
        AuditEntry.act == "certificate_suspended",
    )
    entry = session.scalar(query.order_by(AuditEntry.id.desc()).limit(1))
    if entry is None:
        return _l("The log does not say"), "–"
    labels = accounts.labels(session, [entry.actor_account_id])
    who = labels[entry.actor_account_id] if entry.actor_account_id in labels else _l("The house itself")
    return CAUSES.get(str(entry.facts.get("cause")), _l("The log does not say")), who


def _describe(session: Session, act: Act) -> approvals.Description:
    certificate = register.find(session, UUID(act.object_id))
    cause, who = why_held(session, certificate)
    since = certificate.revocation.revoked_at if certificate.revocation else None
    return approvals.Description(
        _l("Release the suspended certificate of %(name)s", name=certificate.label),
        rows=(
            (_l("Name"), certificate.label),
            (_l("Use"), PROFILES.get(certificate.profile, certificate.profile)),
            (_l("Number"), certificate.serial_hex),
            (_l("Suspended since"), moment(since) if since else "–"),
            (_l("Why it was suspended"), cause),
            (_l("Suspended by"), who),
        ),
        impact=(_l("It can be used for signing again, from the moment of the last approval."),),
    )


def _execute(session: Session, house: Actor, act: Act, now: datetime) -> None:
    certificate = register.find(session, UUID(act.object_id))
    known = certificate.revocation
    if (
        certificate.state != CertificateState.HELD
        or known is None
        or known.revoked_at.isoformat() != act.payload["held_since"]
    ):
        raise Conflict(_CHANGED)
    revocations.release(session, house, certificate.id, now=now)


approvals.register(
    approvals.ActKind(
        name=KIND,
        permission=Permission.REVOKE_CERTIFICATES,
        approvals=1,
        lifetime=approvals.LIFETIME,
        execute=_execute,
        describe=_describe,
    )
)
