"""Many certificates in one act: a list and its dry run, two people, then a job in chunks that may die anywhere."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, tuple_, update
from sqlalchemy.orm import Session

from app.accounts.models import Account, RoleGrant
from app.approvals import service as approvals
from app.approvals.models import Act
from app.audit import service as audit
from app.certificates import revocations, revocations_of_many
from app.certificates.bulk_revocation_list import Line, look_up, read, write
from app.certificates.impact import Chosen, Consequence, impact
from app.certificates.life_models import BulkKind, BulkRevocation, BulkRow, BulkState, Finding
from app.certificates.models import Certificate
from app.certificates.revocations_of_many import Change
from app.certificates.words import BULK_TITLES, REASONS
from app.core.errors import Conflict, Invalid, NotFound, Sentence, TooLarge
from app.core.i18n import moment, number
from app.core.permissions import ROLE_PERMISSIONS, Actor, Permission
from app.core.queue import enqueue
from app.registry import scope
from pki.revocation import RevocationReason, RevokedBy

KIND: Final = "bulk_revocation"
RUN_TASK: Final = "certificates.bulk_revocation"
MOST: Final = 100_000
CHUNK: Final = 2_500
SAMPLE: Final = 10
PAGE: Final = 50


@dataclass(frozen=True)
class Wish:
    """What is to be done with every certificate of the list."""

    kind: BulkKind
    # For a revocation alone.
    reason: RevocationReason | None = None
    invalidity_date: datetime | None = None


@dataclass(frozen=True)
class Sampled:
    """A line of the dry run with the certificate that was found."""

    row: BulkRow
    certificate: Certificate | None


def draft_list(session: Session, actor: Actor, text: str, wish: Wish, *, now: datetime) -> BulkRevocation:
    """Make the dry run of a list of serial numbers, one a line. Raises Invalid for an empty one, TooLarge over MOST."""
    return _draft(session, actor, read(text, most=MOST), wish, "list", now=now)


def draft_chosen(
    session: Session, actor: Actor, chosen: Chosen, wish: Wish, *, source: str, now: datetime
) -> BulkRevocation:
    """Make the dry run of the certificates that a query names: a search of the register, proposals."""
    query = select(Certificate.serial).where(Certificate.id.in_(chosen)).order_by(Certificate.search_name)
    serials = session.scalars(query.limit(MOST + 1)).all()
    return _draft(session, actor, [Line(one.hex(), one) for one in serials], wish, source, now=now)


def draft_undo(session: Session, actor: Actor, bulk_id: UUID, *, now: datetime) -> BulkRevocation:
    """Make the list that releases what a bulk suspension suspended. Raises Conflict for any other bulk."""
    done = find(session, actor, bulk_id)
    if done.kind != BulkKind.SUSPEND or done.state != BulkState.DONE:
        raise Conflict(_l("Only a suspension that is done can be undone."))
    changed: Chosen = select(BulkRow.certificate_id).where(  # type: ignore[assignment]  # what changed has an id
        BulkRow.bulk_id == bulk_id, BulkRow.changed.is_(True)
    )
    return draft_chosen(session, actor, changed, Wish(BulkKind.RELEASE), source="undo", now=now)


def find(session: Session, actor: Actor, bulk_id: UUID) -> BulkRevocation:
    """Return a bulk revocation in the actor's scope. Raises NotFound."""
    found = session.get(BulkRevocation, bulk_id)
    if found is None or not scope.covers(session, actor, Permission.REVOKE_CERTIFICATES, found.agency_id):
        raise NotFound(_l("There is no such list."))
    return found


def newest(session: Session, actor: Actor, *, before: tuple[datetime, UUID] | None = None) -> Sequence[BulkRevocation]:
    """Return a page of the lists in the actor's scope, newest first, from `before` (time and identifier) on."""
    order = tuple_(BulkRevocation.created_at, BulkRevocation.id)
    query = select(BulkRevocation).where(scope.within(actor, Permission.REVOKE_CERTIFICATES, BulkRevocation.agency_id))
    if before is not None:
        query = query.where(order < before)
    return session.scalars(query.order_by(order.desc()).limit(PAGE)).all()


def findings(session: Session, bulk: BulkRevocation) -> dict[Finding, int]:
    """Return how many lines of the list the dry run found how."""
    query = select(BulkRow.finding, func.count()).where(BulkRow.bulk_id == bulk.id).group_by(BulkRow.finding)
    found = {Finding(finding): count for finding, count in session.execute(query).tuples()}
    return {finding: found[finding] for finding in Finding if finding in found}


def sample(session: Session, bulk: BulkRevocation, *, ready: bool) -> Sequence[Sampled]:
    """Return the first lines that will be worked off, or the first that will not."""
    query = (
        select(BulkRow, Certificate)
        .outerjoin(Certificate, Certificate.id == BulkRow.certificate_id)
        .where(
            BulkRow.bulk_id == bulk.id,
            BulkRow.finding == Finding.READY if ready else BulkRow.finding != Finding.READY,
        )
        .order_by(BulkRow.number)
        .limit(SAMPLE)
    )
    return [Sampled(row, certificate) for row, certificate in session.execute(query).unique().tuples()]


def consequences(session: Session, bulk: BulkRevocation, *, now: datetime) -> list[Consequence]:
    """Return what the list touches, summed."""
    return impact(session, _ready(bulk), now=now, since=bulk.invalidity_date)


def submit(session: Session, actor: Actor, bulk_id: UUID, *, now: datetime) -> Act:
    """Ask a second person for the act over exactly this list; asking again returns the same act.

    Raises Conflict if the list was submitted by others or holds nothing to do.
    """
    bulk = find(session, actor, bulk_id)
    if bulk.ready == 0:
        raise Conflict(_l("There is nothing to do in this list."))
    act = approvals.request(
        session,
        actor,
        KIND,
        {
            "kind": bulk.kind,
            "reason": bulk.reason,
            "invalidity_date": bulk.invalidity_date.isoformat() if bulk.invalidity_date else None,
            "certificates": bulk.ready,
            "list": bulk.digest,
        },
        agency_id=bulk.agency_id,
        subject_person_ids=_subjects(session, bulk),
        object_kind="bulk_revocation",
        object_id=bulk.id,
        now=now,
    )
    moved = session.execute(
        update(BulkRevocation)
        .where(BulkRevocation.id == bulk.id, BulkRevocation.state == BulkState.DRAFT)
        .values(state=BulkState.SUBMITTED, act_id=act.id)
        .returning(BulkRevocation.id)
    ).scalar_one_or_none()
    session.refresh(bulk)
    if moved is None and bulk.act_id != act.id:
        raise Conflict(_l("This list was submitted already."))
    return act


def work_off(session: Session, actor: Actor, bulk_id: UUID, *, now: datetime) -> bool:
    """Work off the next chunk of an approved list; return whether there is more. Killed before the commit, nothing is
    done; after it, the next chunk goes on behind it."""
    bulk = session.get(BulkRevocation, bulk_id, with_for_update=True, populate_existing=True)
    if bulk is None or bulk.state != BulkState.RUNNING:
        return False
    rows = session.execute(
        select(BulkRow.number, BulkRow.certificate_id)
        .where(BulkRow.bulk_id == bulk.id, BulkRow.number > bulk.cursor, BulkRow.finding == Finding.READY)
        .order_by(BulkRow.number)
        .limit(CHUNK)
    ).all()
    if not rows:
        bulk.state, bulk.finished_at = BulkState.DONE, now
        return False
    ids = [row.certificate_id for row in rows if row.certificate_id]
    changed = revocations_of_many.change(session, actor, ids, _change(bulk), now=now)
    last = rows[-1].number
    session.execute(
        update(BulkRow)
        .where(
            BulkRow.bulk_id == bulk.id,
            BulkRow.number > bulk.cursor,
            BulkRow.number <= last,
            BulkRow.finding == Finding.READY,
        )
        .values(changed=BulkRow.certificate_id.in_(changed))
        .execution_options(synchronize_session=False)
    )
    bulk.cursor = last
    bulk.changed += len(changed)
    bulk.skipped += len(rows) - len(changed)
    return True


def running(session: Session) -> Sequence[UUID]:
    """Return the lists that are being worked off, also those whose job died."""
    return session.scalars(select(BulkRevocation.id).where(BulkRevocation.state == BulkState.RUNNING)).all()


def results(session: Session, bulk: BulkRevocation, *, after: int, many: int) -> Sequence[BulkRow]:
    """Return lines of the list after a number, for the file of results."""
    query = select(BulkRow).where(BulkRow.bulk_id == bulk.id, BulkRow.number > after)
    return session.scalars(query.order_by(BulkRow.number).limit(many)).all()


def _draft(
    session: Session, actor: Actor, lines: Sequence[Line], wish: Wish, source: str, *, now: datetime
) -> BulkRevocation:
    _check(wish, now=now)
    if not lines:
        raise Invalid(_l("The list is empty."), _l("Give one serial number a line."))
    if len(lines) > MOST:
        raise TooLarge(_l("A list holds up to 100,000 certificates."), _l("Divide it."))
    grants = actor.grants_for(Permission.REVOKE_CERTIFICATES)
    # One scope for one list, so that whoever approves it covers all of it.
    grant = next((one for one in grants if one.agency_id is None), grants[0] if grants else None)
    if grant is None:
        raise NotFound(_l("There is no such list."))
    found = look_up(session, replace(actor, grants=(grant,)), lines, wish.kind, now=now)
    ready = [row.certificate_id for row in found if row.finding is Finding.READY and row.certificate_id]
    bulk = BulkRevocation(
        kind=wish.kind,
        reason=_reason(wish),
        invalidity_date=wish.invalidity_date,
        state=BulkState.DRAFT,
        source=source,
        agency_id=grant.agency_id,
        created_by=actor.account_id,
        created_at=now,
        digest=digest_of(wish, ready),
        rows=len(lines),
        ready=len(ready),
        cursor=0,
        changed=0,
        skipped=0,
    )
    session.add(bulk)
    session.flush()
    write(session, bulk.id, found)
    audit.record(
        session,
        actor,
        "bulk_revocation_drafted",
        object_kind="bulk_revocation",
        object_id=bulk.id,
        agency_id=bulk.agency_id,
        kind=bulk.kind,
        certificates=bulk.ready,
        digest=bulk.digest,
    )
    return bulk


def digest_of(wish: Wish, certificate_ids: Sequence[UUID]) -> str:
    """Return SHA-256 in lower-case hex over what is done and the exact set of certificates, whatever their order."""
    date = wish.invalidity_date.isoformat() if wish.invalidity_date else "-"
    lines = [wish.kind, str(_reason(wish)), date, *sorted(str(one) for one in certificate_ids)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _check(wish: Wish, *, now: datetime) -> None:
    if wish.kind is not BulkKind.REVOKE:
        return
    if wish.reason is None or wish.reason is RevocationReason.CERTIFICATE_HOLD:
        raise Invalid(_l("Choose a reason."))
    revocations.check(wish.reason, RevokedBy.ADMINISTRATOR)
    if wish.invalidity_date is not None:
        revocations.check_invalidity_date(wish.invalidity_date, wish.invalidity_date, now=now)


def _reason(wish: Wish) -> RevocationReason | None:
    reasons = {BulkKind.REVOKE: wish.reason, BulkKind.SUSPEND: RevocationReason.CERTIFICATE_HOLD}
    return reasons.get(wish.kind)


def _ready(bulk: BulkRevocation) -> Chosen:
    return select(BulkRow.certificate_id).where(  # type: ignore[return-value]  # those found have an id
        BulkRow.bulk_id == bulk.id, BulkRow.finding == Finding.READY
    )


def _change(bulk: BulkRevocation) -> Change:
    reason = RevocationReason(bulk.reason) if bulk.reason is not None else None
    return Change(BulkKind(bulk.kind), reason, bulk.invalidity_date, {"cause": "bulk", "bulk": str(bulk.id)})


def _subjects(session: Session, bulk: BulkRevocation) -> Sequence[UUID]:
    """Return the holders on the list who might decide on it themselves: those with a role that may revoke."""
    roles = [role for role, permissions in ROLE_PERMISSIONS.items() if Permission.REVOKE_CERTIFICATES in permissions]
    query = (
        select(Account.person_id)
        .join(RoleGrant, RoleGrant.account_id == Account.id)
        .join(Certificate, Certificate.person_id == Account.person_id)
        .where(RoleGrant.role.in_(roles), Certificate.id.in_(_ready(bulk)))
        .distinct()
    )
    return [one for one in session.scalars(query) if one is not None]


def _describe(session: Session, act: Act) -> approvals.Description:
    bulk = session.get_one(BulkRevocation, UUID(act.object_id))
    rows: list[tuple[Sentence, Sentence]] = [(_l("Certificates"), number(bulk.ready))]
    if bulk.kind == BulkKind.REVOKE and bulk.reason is not None:
        rows.append((_l("Reason"), REASONS[bulk.reason]))
    if bulk.invalidity_date is not None:
        rows.append((_l("Key lost since"), moment(bulk.invalidity_date)))
    rows.append((_l("Fingerprint of the list"), bulk.digest))
    examples = [one.certificate.label for one in sample(session, bulk, ready=True) if one.certificate]
    rows.append((_l("The first of them"), ", ".join(examples)))
    touched = consequences(session, bulk, now=act.requested_at)
    return approvals.Description(
        BULK_TITLES[bulk.kind],
        rows=rows,
        impact=[f"{one.sentence}: {number(one.count)}" for one in touched],
        confirmation=str(bulk.ready) if bulk.kind == BulkKind.REVOKE else None,
    )


def _execute(session: Session, house: Actor, act: Act, now: datetime) -> None:
    bulk = session.get_one(BulkRevocation, UUID(act.object_id), with_for_update=True, populate_existing=True)
    wish = Wish(
        BulkKind(bulk.kind),
        RevocationReason(bulk.reason) if bulk.reason is not None else None,
        bulk.invalidity_date,
    )
    ids = [one for one in session.scalars(_ready(bulk)) if one is not None]
    if bulk.state != BulkState.SUBMITTED or digest_of(wish, ids) != _approved(act.payload):
        raise Conflict(_l("The list is not the one that was asked for. Nothing was done."))
    bulk.state, bulk.started_at = BulkState.RUNNING, now
    enqueue(session, RUN_TASK, {"bulk_id": str(bulk.id)})
    audit.record(
        session,
        house,
        "bulk_revocation_started",
        object_kind="bulk_revocation",
        object_id=bulk.id,
        agency_id=bulk.agency_id,
        certificates=bulk.ready,
    )


def _approved(payload: Mapping[str, object]) -> object:
    return payload.get("list")


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
