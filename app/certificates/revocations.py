"""Ending certificates: suspending, releasing and revoking, each in one transaction with its list entry and its log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.certificates import issuance, register
from app.certificates.models import BlockedKey, Certificate, CertificateState, Revocation
from app.certificates.publishing import publish_soon
from app.core.errors import Conflict, Forbidden, NotFound, Sentence
from app.core.permissions import Actor, Permission
from pki.errors import RevocationRefused
from pki.revocation import RevocationReason, RevokedBy, check_reason


@dataclass(frozen=True)
class Consequence:
    """Something a revocation touches: a sentence, and how many."""

    sentence: Sentence
    count: int


# Upper parts of the house add what they know of (documents signed, passes live); called before anything is changed.
ImpactProvider = Callable[[Session, Certificate], Sequence[Consequence]]
impact_providers: Final[list[ImpactProvider]] = []


def impact(session: Session, certificate: Certificate) -> list[Consequence]:
    """Return what revoking this certificate touches, as far as the house knows."""
    found = [one for provider in impact_providers for one in provider(session, certificate)]
    return [one for one in found if one.count]


def revoke(
    session: Session, actor: Actor, certificate_id: UUID, *, reason: RevocationReason, now: datetime
) -> Certificate:
    """Revoke for good. Repeating it with the same reason changes nothing.

    Raises NotFound outside the scope, Forbidden for a reason that is not an administrator's, Conflict if it is
    revoked for another reason already.
    """
    certificate = register.find_in_scope(session, actor, Permission.REVOKE_CERTIFICATES, certificate_id)
    _check(reason, RevokedBy.ADMINISTRATOR)
    if reason is RevocationReason.CERTIFICATE_HOLD:
        return _hold(session, actor, certificate, now=now)
    return _revoke(session, actor, certificate, reason, now=now)


def suspend_own(session: Session, actor: Actor, certificate_id: UUID, *, now: datetime) -> Certificate:
    """Let the holder put their own certificate on hold at once, without asking anybody."""
    certificate = register.find(session, certificate_id)
    if actor.person_id is None or certificate.person_id != actor.person_id:
        raise NotFound(_l("There is no such certificate."))
    return _hold(session, actor, certificate, now=now)


def release(session: Session, actor: Actor, certificate_id: UUID, *, now: datetime) -> Certificate:
    """Lift a hold. Nobody lifts the hold on their own certificate: whoever stole the phone would."""
    certificate = register.find_in_scope(session, actor, Permission.REVOKE_CERTIFICATES, certificate_id)
    if actor.person_id is not None and certificate.person_id == actor.person_id:
        raise Forbidden(_l("You cannot release your own certificate."), _l("Ask another administrator."))
    changed = _move(session, certificate, CertificateState.HELD, CertificateState.ISSUED)
    if not changed:
        if certificate.state == CertificateState.ISSUED:
            return certificate
        raise Conflict(_l("This certificate is not suspended."))
    session.execute(delete(Revocation).where(Revocation.certificate_id == certificate.id))
    session.expire(certificate, ["revocation"])
    _finish(session, actor, certificate, "certificate_released")
    return certificate


def supersede(session: Session, actor: Actor, certificate_id: UUID, *, now: datetime) -> None:
    """End the certificate that a newer one replaces; one that ended meanwhile stays as it is."""
    certificate = register.find(session, certificate_id)
    if certificate.state in {CertificateState.ISSUED, CertificateState.HELD}:
        _revoke(session, actor, certificate, RevocationReason.SUPERSEDED, now=now)


def _hold(session: Session, actor: Actor, certificate: Certificate, *, now: datetime) -> Certificate:
    if not _move(session, certificate, CertificateState.ISSUED, CertificateState.HELD):
        if certificate.state == CertificateState.HELD:
            return certificate
        raise Conflict(_l("This certificate was revoked. It cannot be suspended."))
    issuance.add_revocation(session, certificate, RevocationReason.CERTIFICATE_HOLD, now=now)
    session.expire(certificate, ["revocation"])
    _finish(session, actor, certificate, "certificate_suspended")
    return certificate


def _revoke(
    session: Session, actor: Actor, certificate: Certificate, reason: RevocationReason, *, now: datetime
) -> Certificate:
    if _move(session, certificate, CertificateState.HELD, CertificateState.REVOKED):
        # The entry of the hold gives way to the final one.
        session.execute(delete(Revocation).where(Revocation.certificate_id == certificate.id))
        session.expire(certificate, ["revocation"])
    elif not _move(session, certificate, CertificateState.ISSUED, CertificateState.REVOKED):
        if certificate.revocation is not None and certificate.revocation.reason == reason:
            return certificate
        raise Conflict(_l("This certificate was revoked already."), _l("Nothing was changed."))
    issuance.add_revocation(session, certificate, reason, now=now)
    session.expire(certificate, ["revocation"])
    if reason is RevocationReason.KEY_COMPROMISE:
        block = insert(BlockedKey).values(spki_sha256=certificate.spki_sha256, blocked_at=now)
        session.execute(block.on_conflict_do_nothing())
    _finish(session, actor, certificate, "certificate_revoked", reason=reason.name.lower())
    return certificate


def _move(session: Session, certificate: Certificate, old: CertificateState, new: CertificateState) -> bool:
    changed = session.execute(
        update(Certificate)
        .where(Certificate.id == certificate.id, Certificate.state == old)
        .values(state=new)
        .returning(Certificate.id)
    ).scalar_one_or_none()
    session.refresh(certificate)
    return changed is not None


def _finish(session: Session, actor: Actor, certificate: Certificate, act: str, **facts: str) -> None:
    audit.record(
        session,
        actor,
        act,
        object_kind="certificate",
        object_id=certificate.id,
        agency_id=certificate.agency_id,
        serial=certificate.serial_hex,
        **facts,
    )
    publish_soon(session, certificate.authority, certificate.shard)


def _check(reason: RevocationReason, by: RevokedBy) -> None:
    try:
        check_reason(reason, by)
    except RevocationRefused as error:
        raise Forbidden(_l("This reason cannot be given here."), _l("Choose another reason.")) from error
