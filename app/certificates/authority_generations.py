"""The next generation of an authority, and the end of one: rolling over, taking one in from a ceremony, revoking.

An old generation issues nothing more; its lists and its OCSP answers go on under their own addresses, so that what it
issued verifies as before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.accounts import service as accounts
from app.alarms import service as alarms
from app.audit import service as audit
from app.certificates import authorities, crls
from app.certificates.crl_models import ShardChange
from app.certificates.models import Authority, StatusChange
from app.certificates.publishing import publish_soon
from app.core.errors import Conflict, Forbidden, NotFound
from app.core.permissions import Actor, Permission
from app.core.settings import Settings
from pki.profiles import ProfileName
from pki.revocation import RevocationReason

# A ceremony needs people, dates and a room: a year is told ahead.
_NOTICE: Final = timedelta(days=365)
# Why the certificate of an authority may end (RFC 5280, 5.3.1); a hold would be lifted by whoever has the root's key.
REASONS: Final = (
    RevocationReason.CA_COMPROMISE,
    RevocationReason.KEY_COMPROMISE,
    RevocationReason.SUPERSEDED,
    RevocationReason.CESSATION_OF_OPERATION,
)


@dataclass(frozen=True)
class Approval:
    """Two people or more, by name, who decided on it; none of them alone could."""

    logins: tuple[str, ...]


def approved_by(session: Session, logins: Sequence[str]) -> Approval:
    """Return the approval of two different administrators. Raises Forbidden."""
    names = sorted(set(logins))
    if len(names) != 2:
        raise Forbidden(_l("This needs two different people."), _l("Name both of them."))
    for login in names:
        account = accounts.find_account(session, login)
        grants = accounts.actor_of(account).grants_for(Permission.REVOKE_CERTIFICATES) if account else ()
        if all(grant.agency_id is not None for grant in grants):
            raise Forbidden(_l("One of the two people is not an administrator of the whole city."))
    return Approval(tuple(names))


def next_number(session: Session, profile: ProfileName) -> int:
    """Return the generation that comes next."""
    newest = session.scalar(select(func.max(Authority.generation)).where(Authority.profile == profile))
    return (newest or 0) + 1


def roll_over(
    session: Session,
    settings: Settings,
    profile: ProfileName,
    generation: int,
    *,
    actor: Actor,
    approval: Approval,
    now: datetime,
) -> Authority:
    """Make that generation on this machine, with its responder and first lists, and retire the one before.

    Repeating it returns what was made. Raises Conflict if another generation is next, or without the root's key (then
    a ceremony makes it and `take_in` follows); NotFound.
    """
    old, root = _newest_and_root(session, profile)
    if old.generation == generation:
        return old
    if old.generation + 1 != generation:
        raise Conflict(_l("This is not the next generation of the authority."), _l("Nothing was changed."))
    if root.key_reference is None:
        raise Conflict(_l("The root's key is not on this machine."), _l("Make the certificate in a ceremony."))
    new = authorities.create_below(session, settings, root, profile, generation=generation, now=now)
    return _put_in_service(session, settings, old, new, actor=actor, approval=approval, now=now)


def take_in(
    session: Session,
    settings: Settings,
    profile: ProfileName,
    certificate_der: bytes,
    key_reference: str,
    *,
    actor: Actor,
    approval: Approval,
    now: datetime,
) -> Authority:
    """Put the next generation into service whose key and certificate come from a ceremony.

    Raises Invalid if the certificate is not the root's, not of the profile, or not of that key.
    """
    old, root = _newest_and_root(session, profile)
    authorities.check_made(settings, profile, certificate_der, key_reference, root_der=root.certificate_der)
    new = Authority(
        name=authorities.slug(profile, old.generation + 1),
        profile=profile,
        generation=old.generation + 1,
        certificate_der=certificate_der,
        key_reference=key_reference,
        shards=settings.shards.get(profile, authorities.SHARDS[profile]),
        issuer_id=root.id,
    )
    session.add(new)
    session.flush()
    return _put_in_service(session, settings, old, new, actor=actor, approval=approval, now=now)


def revoke(
    session: Session, name: str, *, reason: RevocationReason, actor: Actor, approval: Approval, now: datetime
) -> Authority:
    """Put an authority's own certificate on the root's list; it issues nothing more. Repeating it changes nothing.

    The certificates below stay on their own lists: no path through this authority is valid any more.
    Raises NotFound, Conflict for the root (nobody lists it) or another reason than before, Forbidden for a reason that
    is none for authorities.
    """
    authority = session.scalar(select(Authority).where(Authority.name == name).with_for_update())
    if authority is None:
        raise NotFound(_l("There is no such authority."))
    if authority.issuer_id is None:
        raise Conflict(_l("The root cannot be revoked."), _l("Take it out of the trust lists instead."))
    if reason not in REASONS:
        raise Forbidden(_l("This reason cannot be given here."), _l("Choose another reason."))
    if authority.revoked_at is not None:
        if authority.revocation_reason == reason:
            return authority
        raise Conflict(_l("This authority was revoked already."), _l("Nothing was changed."))
    at = now.replace(microsecond=0)
    authority.revoked_at, authority.revocation_reason = at, int(reason)
    authority.retired_at = authority.retired_at or at
    crls.make_due(session, authority, now=now)
    _tell(session, authority, authority.issuer_id)
    _record(session, actor, "authority_revoked", authority, approval, reason=reason.name.lower())
    publish_soon(session)
    session.flush()
    return authority


def warn_of_ends(session: Session, *, now: datetime) -> None:
    """Raise an alarm for each authority that stops issuing within a year."""
    issuing = select(Authority).where(Authority.retired_at.is_(None), Authority.issuer_id.is_not(None))
    for authority in session.scalars(issuing.order_by(Authority.name)):
        until = authorities.issues_until(authority)
        if now > until - _NOTICE:
            alarms.raise_alarm(
                session, "authority_ending", object_kind="authority", object_id=authority.name, until=until.isoformat()
            )


def _newest_and_root(session: Session, profile: ProfileName) -> tuple[Authority, Authority]:
    """Return the newest generation, retired or not, and its root; nobody else rolls over meanwhile."""
    newest = select(Authority).where(Authority.profile == profile, Authority.issuer_id.is_not(None))
    old = session.scalar(newest.order_by(Authority.generation.desc()).limit(1).with_for_update())
    if old is None:
        raise NotFound(_l("There is no such authority."))
    return old, session.get_one(Authority, old.issuer_id)


def _put_in_service(
    session: Session,
    settings: Settings,
    old: Authority,
    new: Authority,
    *,
    actor: Actor,
    approval: Approval,
    now: datetime,
) -> Authority:
    authorities.certify_responder(session, settings, new, now=now)
    crls.publish_first(session, settings, [new], now=now)
    retire = update(Authority).where(Authority.profile == old.profile, Authority.id != new.id)
    session.execute(retire.where(Authority.retired_at.is_(None)).values(retired_at=now))
    # `status` reads the authorities again: it answers for the new one from now on.
    session.execute(select(func.pg_notify("kyvao_crl", "")))
    session.refresh(old)
    _record(session, actor, "authority_rolled_over", new, approval, previous=old.name)
    return new


def _tell(session: Session, authority: Authority, root_id: object) -> None:
    """Mark the root's list as behind and tell `status` at commit, as a trigger does for the revocations of others."""
    number = x509.load_der_x509_certificate(authority.certificate_der).serial_number
    serial = number.to_bytes((number.bit_length() + 7) // 8, "big")
    session.add_all([ShardChange(authority_id=root_id, shard=0), StatusChange(authority_id=root_id, serial=serial)])
    session.execute(select(func.pg_notify("kyvao_status", f"{root_id}:{serial.hex()}")))


def _record(session: Session, actor: Actor, act: str, authority: Authority, approval: Approval, **facts: str) -> None:
    audit.record(
        session,
        actor,
        act,
        object_kind="authority",
        object_id=authority.id,
        agency_id=None,
        authority=authority.name,
        approved_by=" ".join(approval.logins),
        **facts,
    )
