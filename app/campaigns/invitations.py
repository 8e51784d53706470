"""Invite mode: rows become invitations, a batch in one transaction; and what officers do with an invitation later.

No key of an authority is used here, so a batch needs no journal: it is there as a whole or not at all, and the unique
row of an invitation says that nobody is invited twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID

from flask_babel import lazy_gettext as _l
from psycopg.types.json import Jsonb
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.campaigns import batches, mails, service, tokens
from app.campaigns.conflicts import invited_elsewhere
from app.campaigns.models import Batch, BatchState, Campaign, Invitation, Outcome, Result, Row
from app.campaigns.people_rows import Reason
from app.certificates.models import Certificate, CertificateState
from app.core.copying import copy_rows
from app.core.db import transaction
from app.core.errors import Conflict, NotFound
from app.core.failpoints import reach
from app.core.permissions import Actor, house
from app.core.settings import Settings
from app.notices import service as notices
from app.notices.models import Notice
from app.registry import service as registry
from app.registry.entering import Entered, Entry, appoint_people, enter_people
from app.registry.models import Person
from pki.profiles import ProfileName

HOUSE: Final = house("campaigns.invite")
SIZE: Final = 200
_MINUTE: Final = timedelta(minutes=1)
_GOOD: Final = (CertificateState.PREPARED, CertificateState.ISSUED, CertificateState.HELD)

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Invitee:
    """An accepted row: the check saw to it that what is needed is there."""

    number: int
    agency_id: UUID
    number_index: bytes
    surname: str
    given_name: str
    email: str | None
    title: str


def work_off(settings: Settings, campaign_id: UUID, clock: Clock, *, size: int = SIZE) -> None:
    """Invite until nothing is left, the campaign does not run, or the mail of this minute is spent."""
    while True:
        with transaction() as session:
            allowed = _allowance(session, settings, campaign_id, clock(), size)
            if allowed < 1:
                return
            if not _invite_batch(session, settings, campaign_id, allowed, clock()):
                batches.end_waves(session, campaign_id, now=clock())
                return
            reach("campaign.before_invitations")
        reach("campaign.invited")


def of_row(session: Session, campaign_id: UUID, number: int) -> Invitation:
    """Return the invitation of a row. Raises NotFound."""
    query = select(Invitation).where(Invitation.campaign_id == campaign_id, Invitation.row_number == number)
    found = session.scalar(query)
    if found is None:
        raise NotFound(_l("There is no such invitation."))
    return found


def renew(
    session: Session, settings: Settings, actor: Actor, campaign_id: UUID, number: int, *, now: datetime
) -> Invitation:
    """Give a person a new link; the old one ends. Whoever used theirs replaces their certificate with the next one."""
    campaign = service.find_own(session, actor, campaign_id)
    found = _locked(session, campaign_id, number)
    token = tokens.new_token()
    found.token_sha256, found.token_sealed = tokens.digest_of(token), tokens.seal(settings, found.id, token)
    found.expires_at = now + timedelta(days=campaign.invitation_days)
    found.wrong_answers, found.challenge_sha256, found.asked_again_at = 0, None, None
    found.request_id = found.used_at = found.opened_at = found.printed_at = None
    session.flush()
    _record(session, actor, "invitation_renewed", campaign, found)
    if not found.by_letter:
        _queue_mail(session, settings, campaign, found, token, now)
    return found


def switch_to_letter(session: Session, actor: Actor, campaign_id: UUID, number: int) -> Invitation:
    """Let an invitation go out on paper, because mail did not arrive. Doing it again changes nothing."""
    campaign = service.find_own(session, actor, campaign_id)
    found = _locked(session, campaign_id, number)
    if found.used_at is not None:
        raise Conflict(_l("This person has used their link already."))
    if not found.by_letter:
        found.by_letter = True
        session.flush()
        _record(session, actor, "invitation_by_letter", campaign, found)
    return found


def _locked(session: Session, campaign_id: UUID, number: int) -> Invitation:
    found = of_row(session, campaign_id, number)
    session.refresh(found, with_for_update=True)
    return found


def _allowance(session: Session, settings: Settings, campaign_id: UUID, now: datetime, size: int) -> int:
    """Return how many may be invited now: mail servers are given a rate, letters are not."""
    campaign = session.get(Campaign, campaign_id)
    if campaign is None or campaign.letters_only:
        return size
    recent = select(func.count()).where(Notice.created_at > now - _MINUTE, Notice.kind == mails.KIND)
    return min(size, settings.mail_rate - session.execute(recent).scalar_one())


def _invite_batch(session: Session, settings: Settings, campaign_id: UUID, size: int, now: datetime) -> bool:
    batch_id = uuid.uuid4()
    if not batches.plan(session, campaign_id, batch_id, size=size, now=now):
        return False
    session.flush()
    batch = session.get_one(Batch, batch_id)
    campaign = session.get_one(Campaign, campaign_id)
    rows = _invitees(session, campaign_id, batch.numbers)
    people = _people(session, campaign, rows)
    ids = sorted(one.id for one in people.values())
    # Two campaigns with the same people wait for each other here, and the second one sees what the first has done.
    session.execute(select(Person.id).where(Person.id.in_(ids)).order_by(Person.id).with_for_update())
    certified = _certified(session, ids, campaign.profile, now)
    elsewhere = invited_elsewhere(session, campaign_id, ids, campaign.profile, now)
    invited = []
    for row in rows:
        person = people[row.number_index]
        if person.id in certified:
            _add_outcome(session, campaign_id, row.number, Result.SKIPPED, person.id, now, Reason.HAS_CERTIFICATE)
        elif person.id in elsewhere:
            _add_outcome(session, campaign_id, row.number, Result.SKIPPED, person.id, now, Reason.INVITED_ALREADY)
        else:
            invited.append((row, _invite(session, settings, campaign, row, person, now)))
            _add_outcome(session, campaign_id, row.number, Result.INVITED, person.id, now, None)
    _log_invitations(session, campaign, invited)
    batch.state, batch.done_at = BatchState.DONE, now
    session.flush()
    batches.count(session, batch, done=len(invited), failed=len(rows) - len(invited))
    return True


def _invitees(session: Session, campaign_id: UUID, numbers: Sequence[int]) -> list[Invitee]:
    query = (
        select(Row.number, Row.agency_id, Row.number_index, Row.surname, Row.given_name, Row.email, Row.title)
        .where(Row.campaign_id == campaign_id, Row.number.in_(numbers))
        .order_by(Row.number)
    )
    return [Invitee(*facts) for facts in cast("Iterable[tuple[Any, ...]]", session.execute(query))]


def _people(session: Session, campaign: Campaign, rows: Sequence[Invitee]) -> Mapping[bytes, Entered]:
    people = enter_people(session, [Entry(row.number_index, row.surname, row.given_name, row.email) for row in rows])
    if campaign.profile == ProfileName.OFFICIAL_SIGNING:
        appoint_people(session, [(people[row.number_index].id, row.agency_id, row.title) for row in rows])
    return people


def _certified(session: Session, people: Sequence[UUID], profile: str, now: datetime) -> set[UUID]:
    query = select(Certificate.person_id).where(
        Certificate.person_id.in_(people),
        Certificate.profile == profile,
        Certificate.state.in_(_GOOD),
        Certificate.not_after > now,
    )
    return {person_id for person_id in session.scalars(query) if person_id is not None}


def _invite(
    session: Session, settings: Settings, campaign: Campaign, row: Invitee, person: Entered, now: datetime
) -> Invitation:
    token, invitation_id = tokens.new_token(), uuid.uuid4()
    invitation = Invitation(
        id=invitation_id,
        campaign_id=campaign.id,
        row_number=row.number,
        person_id=person.id,
        token_sha256=tokens.digest_of(token),
        token_sealed=tokens.seal(settings, invitation_id, token),
        expires_at=now + timedelta(days=campaign.invitation_days),
        by_letter=campaign.letters_only or row.email is None,
    )
    session.add(invitation)
    if row.email is not None and not invitation.by_letter:
        addressee = mails.Addressee(person.full_name, row.email, row.agency_id)
        message = mails.invitation(
            settings, addressee, registry.agency(session, row.agency_id).name, token, invitation.expires_at, now=now
        )
        _queue(session, invitation, row.agency_id, message)
    return invitation


def _queue_mail(
    session: Session, settings: Settings, campaign: Campaign, invitation: Invitation, token: str, now: datetime
) -> None:
    row = session.get_one(Row, (campaign.id, invitation.row_number))
    if row.email is None or row.agency_id is None:
        return
    addressee = mails.Addressee(f"{row.surname} {row.given_name}", row.email, row.agency_id)
    agency = registry.agency(session, row.agency_id).name
    message = mails.invitation(settings, addressee, agency, token, invitation.expires_at, now=now)
    _queue(session, invitation, row.agency_id, message)


def _queue(session: Session, invitation: Invitation, agency_id: UUID, message: mails.EmailMessage) -> None:
    notices.queue_notice(
        session,
        message,
        kind=mails.KIND,
        subject_kind="enrolment_invitation",
        subject_id=invitation.id,
        agency_id=agency_id,
    )


def _add_outcome(
    session: Session, campaign_id: UUID, number: int, result: Result, person: UUID, now: datetime, reason: str | None
) -> None:
    session.add(
        Outcome(campaign_id=campaign_id, number=number, result=result, reason=reason, person_id=person, done_at=now)
    )


def _log_invitations(session: Session, campaign: Campaign, invited: Sequence[tuple[Invitee, Invitation]]) -> None:
    copy_rows(
        session,
        "audit_entry (actor_label, act, object_kind, object_id, agency_id, facts)",
        "text text text text uuid jsonb",
        (
            (
                HOUSE.label,
                "person_invited",
                "enrolment_invitation",
                str(invitation.id),
                row.agency_id,
                Jsonb({"campaign": str(campaign.id), "row": row.number}),
            )
            for row, invitation in invited
        ),
    )


def _record(session: Session, actor: Actor, act: str, campaign: Campaign, invitation: Invitation) -> None:
    audit.record(
        session,
        actor,
        act,
        object_kind="enrolment_invitation",
        object_id=invitation.id,
        agency_id=campaign.agency_id,
        campaign=str(campaign.id),
        row=invitation.row_number,
    )


def mark_used(session: Session, invitation: Invitation, request_id: UUID, *, now: datetime) -> None:
    """Bind the request to the invitation where none is bound."""
    changed = session.execute(
        update(Invitation)
        .where(Invitation.id == invitation.id, Invitation.request_id.is_(None))
        .values(request_id=request_id, used_at=now, challenge_sha256=None)
        .returning(Invitation.id)
    ).scalar_one_or_none()
    if changed is None:
        raise Conflict(_l("This link was used already."), _l("Open it again to see your certificate."))
