"""Ending certificates: suspending, releasing and revoking, each in one transaction with its list entry and its log.

Revoked is for good: a trigger refuses what these functions do not do. Only the reason may rise to keyCompromise.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.certificates import issuance, register
from app.certificates.crl_models import HoldRelease
from app.certificates.models import BlockedKey, Certificate, CertificateState, Revocation
from app.certificates.publishing import publish_soon
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.failpoints import reach
from app.core.permissions import Actor, Permission
from pki.errors import RevocationRefused
from pki.revocation import RevocationReason, RevokedBy, RevokedEntry, check_reason, encode_entry

_TWO_PEOPLE: Final = _l("Releasing needs two people: one asks, another one approves.")


def revoke(
    session: Session,
    actor: Actor,
    certificate_id: UUID,
    *,
    reason: RevocationReason,
    now: datetime,
    invalidity_date: datetime | None = None,
) -> Certificate:
    """Revoke for good, or suspend for `certificateHold`. Repeating it with the same reason changes nothing.

    `invalidity_date` is since when the key is thought to be lost. Of a certificate that is revoked already only the
    reason may change, to keyCompromise, at the time of revocation that is there (RFC 5280, 5.3.1).
    Raises NotFound outside the scope, Forbidden for a reason that is not an administrator's, Invalid for a date
    outside the certificate's life, Conflict if it is revoked for another reason already.
    """
    certificate = register.find_in_scope(session, actor, Permission.REVOKE_CERTIFICATES, certificate_id)
    check(reason, RevokedBy.ADMINISTRATOR)
    if reason is RevocationReason.CERTIFICATE_HOLD:
        return _hold(session, actor, certificate, now=now, cause="administrator")
    check_invalidity_date(invalidity_date, certificate.not_before, now=now)
    return _revoke(session, actor, certificate, reason, now=now, invalidity_date=invalidity_date)


def suspend_own(session: Session, actor: Actor, certificate_id: UUID, *, now: datetime) -> Certificate:
    """Let the holder put their own certificate on hold at once, without asking anybody."""
    certificate = register.find(session, certificate_id)
    if actor.person_id is None or certificate.person_id != actor.person_id:
        raise NotFound(_l("There is no such certificate."))
    return _hold(session, actor, certificate, now=now, cause="holder")


def release(session: Session, actor: Actor, certificate_id: UUID, *, now: datetime) -> Certificate:
    """Lift a hold: what the house does when two people have asked for it (`revocations_release`).

    Raises Forbidden for a single person, Conflict if the certificate is not suspended.
    """
    if actor.account_id is not None:
        raise Forbidden(_TWO_PEOPLE)
    certificate = register.find(session, certificate_id)
    changed = _move(session, certificate, CertificateState.HELD, CertificateState.ISSUED)
    if not changed:
        if certificate.state == CertificateState.ISSUED:
            return certificate
        raise Conflict(_l("This certificate is not suspended."))
    session.execute(delete(Revocation).where(Revocation.certificate_id == certificate.id))
    session.expire(certificate, ["revocation"])
    # Why an entry of the last list is missing from the next, and what a delta takes off.
    session.add(
        HoldRelease(
            certificate_id=certificate.id,
            authority_id=certificate.authority_id,
            shard=certificate.shard,
            serial=certificate.serial,
            released_at=now,
        )
    )
    _finish(session, actor, certificate, "certificate_released")
    return certificate


def supersede(session: Session, actor: Actor, certificate_id: UUID, *, now: datetime) -> None:
    """End the certificate that a newer one replaces; one that ended meanwhile stays as it is."""
    certificate = register.find(session, certificate_id)
    if certificate.state in {CertificateState.ISSUED, CertificateState.HELD}:
        _revoke(session, actor, certificate, RevocationReason.SUPERSEDED, now=now)


def check(reason: RevocationReason, by: RevokedBy) -> None:
    """Return if `by` may give `reason`. Raises Forbidden."""
    try:
        check_reason(reason, by)
    except RevocationRefused as error:
        raise Forbidden(_l("This reason cannot be given here."), _l("Choose another reason.")) from error


def check_invalidity_date(invalidity_date: datetime | None, not_before: datetime, *, now: datetime) -> None:
    """Return if the key can have been lost then. Raises Invalid."""
    if invalidity_date is None:
        return
    if invalidity_date > now:
        raise Invalid(_l("The key cannot have been lost in the future."), _l("Give a day and time that has passed."))
    if invalidity_date < not_before:
        raise Invalid(
            _l("The certificate did not exist at that time."), _l("Give a time after it was issued, or none.")
        )


def _hold(session: Session, actor: Actor, certificate: Certificate, *, now: datetime, cause: str) -> Certificate:
    if not _move(session, certificate, CertificateState.ISSUED, CertificateState.HELD):
        if certificate.state == CertificateState.HELD:
            return certificate
        raise Conflict(_l("This certificate was revoked. It cannot be suspended."))
    issuance.add_revocation(session, certificate, RevocationReason.CERTIFICATE_HOLD, now=now)
    session.expire(certificate, ["revocation"])
    _finish(session, actor, certificate, "certificate_suspended", cause=cause)
    return certificate


def _revoke(
    session: Session,
    actor: Actor,
    certificate: Certificate,
    reason: RevocationReason,
    *,
    now: datetime,
    invalidity_date: datetime | None = None,
) -> Certificate:
    if _move(session, certificate, CertificateState.HELD, CertificateState.REVOKED):
        # The entry of the hold gives way to the final one.
        session.execute(delete(Revocation).where(Revocation.certificate_id == certificate.id))
        session.expire(certificate, ["revocation"])
    elif not _move(session, certificate, CertificateState.ISSUED, CertificateState.REVOKED):
        return _again(session, actor, certificate, reason, now=now, invalidity_date=invalidity_date)
    issuance.add_revocation(session, certificate, reason, now=now, invalidity_date=invalidity_date)
    session.expire(certificate, ["revocation"])
    if reason is RevocationReason.KEY_COMPROMISE:
        _block(session, certificate, now=now)
    _finish(session, actor, certificate, "certificate_revoked", reason=reason.name.lower(), **_since(invalidity_date))
    return certificate


def _again(
    session: Session,
    actor: Actor,
    certificate: Certificate,
    reason: RevocationReason,
    *,
    now: datetime,
    invalidity_date: datetime | None,
) -> Certificate:
    """Answer for a certificate that is revoked: the same reason changes nothing, keyCompromise takes its place."""
    known = certificate.revocation
    if known is not None and known.reason == reason:
        return certificate
    if known is None or reason is not RevocationReason.KEY_COMPROMISE:
        raise Conflict(_l("This certificate was revoked already."), _l("Nothing was changed."))
    entry = RevokedEntry(certificate.serial_number, known.revoked_at, reason, invalidity_date)
    session.execute(
        update(Revocation)
        .where(Revocation.certificate_id == certificate.id)
        .values(reason=reason, invalidity_date=invalidity_date, entry_der=encode_entry(entry))
    )
    session.expire(certificate, ["revocation"])
    _block(session, certificate, now=now)
    _finish(session, actor, certificate, "certificate_revocation_reason_raised", **_since(invalidity_date))
    return certificate


def _block(session: Session, certificate: Certificate, *, now: datetime) -> None:
    block = insert(BlockedKey).values(spki_sha256=certificate.spki_sha256, blocked_at=now)
    session.execute(block.on_conflict_do_nothing())


def _since(invalidity_date: datetime | None) -> dict[str, str]:
    return {"invalidity_date": invalidity_date.isoformat(timespec="seconds")} if invalidity_date else {}


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
    publish_soon(session)
    reach("revoke.before_commit")
