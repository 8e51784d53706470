"""What speaks against rows that are good by themselves: others of the file, the registry, certificates, campaigns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.campaigns.models import Campaign, CampaignState, Invitation, Row, RowState
from app.campaigns.people_rows import ReadRow, Reason
from app.certificates.models import BlockedKey, Certificate, CertificateRequest, CertificateState, RequestState
from app.registry.models import Person
from app.registry.search import fold
from pki.profiles import ProfileName

# From the moment somebody relies on it until it is over.
_OPEN: Final = (CampaignState.SUBMITTED, CampaignState.APPROVED, CampaignState.RUNNING, CampaignState.PAUSED)
_GOOD: Final = (CertificateState.PREPARED, CertificateState.ISSUED, CertificateState.HELD)


def conflicts_of(
    session: Session, campaign_id: UUID, profile: ProfileName, rows: Sequence[ReadRow], *, now: datetime
) -> Iterator[tuple[ReadRow, Reason]]:
    """Yield the rows that cannot be accepted beside what is there, each with its first reason."""
    facts = _Facts(session, campaign_id, profile, rows, now)
    for row in rows:
        reason = facts.judge(row)
        if reason is not None:
            yield row, reason


class _Facts:
    """Everything that the database knows about the people and keys of some rows, in one query each."""

    def __init__(
        self, session: Session, campaign_id: UUID, profile: ProfileName, rows: Sequence[ReadRow], now: datetime
    ) -> None:
        numbers = [row.number_index for row in rows if row.number_index is not None]
        keys = [row.spki_sha256 for row in rows if row.spki_sha256 is not None]
        accepted = (Row.campaign_id == campaign_id, Row.state == RowState.ACCEPTED)
        self._seen = set(session.scalars(select(Row.number_index).where(*accepted, Row.number_index.in_(numbers))))
        self._keys = set(session.scalars(select(Row.spki_sha256).where(*accepted, Row.spki_sha256.in_(keys))))
        people = session.execute(
            select(Person.number_index, Person.id, Person.full_name).where(Person.number_index.in_(numbers))
        )
        self._people = {index: (person_id, name) for index, person_id, name in people}
        people_ids = [person_id for person_id, _ in self._people.values()]
        self._certified = set(
            session.scalars(
                select(Certificate.person_id).where(
                    Certificate.person_id.in_(people_ids),
                    Certificate.profile == profile,
                    Certificate.state.in_(_GOOD),
                    Certificate.not_after > now,
                )
            )
        )
        self._asking = set(
            session.scalars(
                select(CertificateRequest.person_id).where(
                    CertificateRequest.person_id.in_(people_ids),
                    CertificateRequest.state.in_((RequestState.REQUESTED, RequestState.APPROVED)),
                )
            )
        )
        self._invited = invited_elsewhere(session, campaign_id, people_ids, profile, now)
        self._elsewhere = _elsewhere(session, campaign_id, profile, numbers)
        self._used = _used_keys(session, keys)

    def judge(self, row: ReadRow) -> Reason | None:
        if row.number_index in self._seen:
            return Reason.TWICE_IN_FILE
        if row.spki_sha256 is not None and row.spki_sha256 in self._keys:
            return Reason.KEY_TWICE
        reason = self._of_person(row) or self._of_key(row)
        if reason is None:
            self._seen.add(row.number_index)
            if row.spki_sha256 is not None:
                self._keys.add(row.spki_sha256)
        return reason

    def _of_person(self, row: ReadRow) -> Reason | None:
        if row.number_index in self._elsewhere:
            return Reason.IN_OTHER_CAMPAIGN
        person_id, name = self._people.get(row.number_index, (None, ""))
        if person_id is None:
            return None
        if fold(name) != fold(f"{row.surname} {row.given_name}"):
            return Reason.NAME_DIFFERS
        if person_id in self._certified:
            return Reason.HAS_CERTIFICATE
        if person_id in self._asking:
            return Reason.HAS_REQUEST
        return Reason.INVITED_ALREADY if person_id in self._invited else None

    def _of_key(self, row: ReadRow) -> Reason | None:
        return Reason.KEY_USED if row.spki_sha256 in self._used else None


def invited_elsewhere(
    session: Session, campaign_id: UUID, people: Sequence[UUID], profile: str, now: datetime
) -> set[UUID]:
    """Return those of some people who have a link of another campaign for this profile that is still good."""
    query = (
        select(Invitation.person_id)
        .join(Campaign, Campaign.id == Invitation.campaign_id)
        .where(
            Invitation.person_id.in_(people),
            Invitation.campaign_id != campaign_id,
            Invitation.used_at.is_(None),
            Invitation.expires_at > now,
            Campaign.profile == profile,
            Campaign.state != CampaignState.STOPPED,
        )
    )
    return set(session.scalars(query))


def _elsewhere(session: Session, campaign_id: UUID, profile: ProfileName, numbers: Sequence[bytes]) -> set[bytes]:
    others = session.scalars(
        select(Campaign.id).where(Campaign.state.in_(_OPEN), Campaign.profile == profile, Campaign.id != campaign_id)
    ).all()
    query = select(Row.number_index).where(
        Row.campaign_id.in_(others), Row.state == RowState.ACCEPTED, Row.number_index.in_(numbers)
    )
    return {index for index in session.scalars(query) if index is not None}


def _used_keys(session: Session, keys: Sequence[bytes]) -> set[bytes]:
    wanted = [key.hex() for key in keys]
    used = set(session.scalars(select(Certificate.spki_sha256).where(Certificate.spki_sha256.in_(wanted))))
    used |= set(session.scalars(select(BlockedKey.spki_sha256).where(BlockedKey.spki_sha256.in_(wanted))))
    return {bytes.fromhex(key) for key in used}
