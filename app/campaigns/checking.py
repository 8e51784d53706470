"""The dry run: a file read in pieces, each row accepted or rejected with its reason.

Nothing changes but the rows and waves of this campaign. A piece is one transaction that moves the campaign's count from
where it stood; a check that is killed goes on after the last whole piece.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.accounts import service as accounts
from app.accounts.models import Account
from app.audit import service as audit
from app.campaigns.conflicts import conflicts_of
from app.campaigns.models import Campaign, CampaignState, Mode, Row, RowState, Wave
from app.campaigns.people_rows import ReadRow, Reason, read_row
from app.campaigns.reading import Record
from app.certificates import authorities, issuance, profile_settings
from app.certificates.models import Authority
from app.certificates.profile_choice import issuer_of
from app.core.copying import copy_rows
from app.core.permissions import Actor, Permission, house
from app.core.settings import Settings
from app.registry import scope
from app.registry.models import Agency
from pki.bulk import BulkPreparer
from pki.errors import LintFailure, ProfileViolation
from pki.names import PersonName, new_opaque_identifier
from pki.profiles import ProfileName

PIECE: Final = 5_000
HOUSE: Final = house("campaigns.check")


@dataclass
class Check:
    """What a check knows beside the rows: agencies, the scope of who uploaded, a preparer that signs nothing."""

    settings: Settings
    campaign_id: UUID
    mode: Mode
    profile: ProfileName
    agencies: Mapping[str, Agency]
    within: frozenset[UUID]
    authority: Authority
    preparer: BulkPreparer
    # In invite mode there is no key yet: one that nobody keeps stands in its place.
    stand_in_spki: bytes = field(repr=False)


def begin(session: Session, settings: Settings, campaign_id: UUID, *, now: datetime) -> Check | None:
    """Return what the check needs; None if the campaign waits for no check. Rows of an earlier file are taken away."""
    campaign = session.get(Campaign, campaign_id, with_for_update=True)
    if campaign is None or campaign.state != CampaignState.CHECKING:
        return None
    if campaign.rows_checked == 0:
        session.execute(delete(Row).where(Row.campaign_id == campaign_id))
        session.execute(delete(Wave).where(Wave.campaign_id == campaign_id))
        campaign.rows_accepted = campaign.rows_rejected = campaign.check_permille = 0
    if campaign.check_started_at is None:
        campaign.check_started_at = now
    profile = ProfileName(campaign.profile)
    authority = authorities.find(session, issuer_of(profile))
    agencies = session.scalars(select(Agency)).all()
    return Check(
        settings,
        campaign_id,
        Mode(campaign.mode),
        profile,
        {agency.code.casefold(): agency for agency in agencies},
        _scope(session, campaign),
        authority,
        BulkPreparer(
            profile_settings.in_force(session, profile),
            issuer_certificate_der=authority.certificate_der,
            issuer_profile=ProfileName(authority.profile),
            now=now,
            urls_of_shard=lambda shard: issuance.urls_of(settings, authority.name, shard),
        ),
        ec.generate_private_key(ec.SECP256R1())
        .public_key()
        .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    )


def check_piece(
    session: Session, check: Check, records: Sequence[Record], *, before: int, permille: int, now: datetime
) -> bool:
    """Judge a piece of the file and add its rows; False if another process has done so already.

    `before` is how many records came before it.
    """
    moved = session.execute(
        update(Campaign)
        .where(
            Campaign.id == check.campaign_id,
            Campaign.state == CampaignState.CHECKING,
            Campaign.rows_checked == before,
        )
        .values(rows_checked=before + len(records), check_permille=permille)
        .returning(Campaign.id)
    ).scalar_one_or_none()
    if moved is None:
        return False
    rows = [read_row(record, check.mode, check.profile, check.settings) for record in records]
    _judge_places(check, rows)
    for row, reason in conflicts_of(session, check.campaign_id, check.profile, _good(rows), now=now):
        row.reason = reason
    _lint(check, _good(rows))
    waves = _waves(session, check, rows)
    _add(session, check, rows, waves)
    _count(session, check, rows, waves)
    return True


def finish(session: Session, campaign_id: UUID, *, checked: int, now: datetime) -> bool:
    """End the check when every record has been judged: waves in the order of their codes, the count in the log."""
    campaign = session.get(Campaign, campaign_id, with_for_update=True)
    if campaign is None or campaign.state != CampaignState.CHECKING or campaign.rows_checked != checked:
        return False
    waves = session.execute(
        select(Wave, Agency.code).join(Agency, Agency.id == Wave.agency_id).where(Wave.campaign_id == campaign_id)
    ).all()
    place(session, [wave for wave, _ in sorted(waves, key=lambda one: one[1])])
    campaign.state, campaign.checked_at, campaign.check_permille = CampaignState.CHECKED, now, 1000
    _record(session, campaign, "campaign_checked", accepted=campaign.rows_accepted, rejected=campaign.rows_rejected)
    return True


def fail(session: Session, campaign_id: UUID, code: str, *, now: datetime) -> None:
    """End the check of a file that cannot be read; nothing of it is kept."""
    campaign = session.get(Campaign, campaign_id, with_for_update=True)
    if campaign is None or campaign.state != CampaignState.CHECKING:
        return
    session.execute(delete(Row).where(Row.campaign_id == campaign_id))
    session.execute(delete(Wave).where(Wave.campaign_id == campaign_id))
    campaign.rows_accepted = campaign.rows_rejected = 0
    campaign.state, campaign.failure, campaign.checked_at = CampaignState.FAILED, code, now
    _record(session, campaign, "campaign_file_refused", why=code.partition(":")[0])


def place(session: Session, waves: Sequence[Wave]) -> None:
    """Give the waves their positions in this order, by way of numbers that none has: positions are unique."""
    for number, wave in enumerate(waves):
        wave.position = -1 - number
    session.flush()
    for number, wave in enumerate(waves):
        wave.position = number + 1
    session.flush()


def _good(rows: Sequence[ReadRow]) -> list[ReadRow]:
    return [row for row in rows if row.reason is None]


def _judge_places(check: Check, rows: Sequence[ReadRow]) -> None:
    for row in _good(rows):
        agency = check.agencies.get((row.agency_code or "").casefold())
        if agency is None:
            row.reason = Reason.UNKNOWN_AGENCY
        elif agency.id not in check.within:
            row.reason = Reason.OUTSIDE_SCOPE


def _lint(check: Check, rows: Sequence[ReadRow]) -> None:
    """Prepare every certificate as it will be, over a key of the row or a stand-in, and throw it away."""
    for row in rows:
        try:
            check.preparer.prepare(
                _subject(check, row),
                check.stand_in_spki if row.spki_sha256 is None else _spki(row),
                serial_number=int.from_bytes(b"\x01" + secrets.token_bytes(17), "big"),
                shard=0,
            )
        except (ProfileViolation, LintFailure):
            row.reason = Reason.NOT_CERTIFIABLE


def _spki(row: ReadRow) -> bytes:
    return row.spki_of_csr if row.spki_of_csr is not None else row.spki_der or b""


def _subject(check: Check, row: ReadRow) -> PersonName:
    names = (f"{row.surname} {row.given_name}", row.surname or "", row.given_name or "", new_opaque_identifier())
    if row.title is None:
        return PersonName(*names)
    agency = _agency(check, row)
    return PersonName(
        *names,
        organization=agency.name[:64].strip(),
        organization_identifier=f"XX:VN-{agency.code}",
        title=row.title,
    )


def _agency(check: Check, row: ReadRow) -> Agency:
    return check.agencies[(row.agency_code or "").casefold()]


def _waves(session: Session, check: Check, rows: Sequence[ReadRow]) -> Mapping[UUID, Wave]:
    """Return the waves of the piece by agency; those that are new come last."""
    query = select(Wave).where(Wave.campaign_id == check.campaign_id)
    waves = {wave.agency_id: wave for wave in session.scalars(query)}
    last = max((wave.position for wave in waves.values()), default=0)
    for row in _good(rows):
        agency_id = _agency(check, row).id
        if agency_id not in waves:
            last += 1
            waves[agency_id] = Wave(campaign_id=check.campaign_id, position=last, agency_id=agency_id, rows_accepted=0)
            session.add(waves[agency_id])
    session.flush()
    return waves


def _add(session: Session, check: Check, rows: Sequence[ReadRow], waves: Mapping[UUID, Wave]) -> None:
    def line(row: ReadRow) -> tuple[object, ...]:
        agency = check.agencies.get((row.agency_code or "").casefold())
        good = row.reason is None
        return (
            check.campaign_id,
            row.number,
            waves[agency.id].id if good and agency else None,
            agency.id if agency else None,
            (RowState.ACCEPTED if good else RowState.REJECTED).value,
            row.reason.value if row.reason else None,
            row.number_index,
            row.tail_index,
            row.surname,
            row.given_name,
            row.email,
            row.title,
            row.csr_der if good else None,
            row.spki_der if good else None,
            row.spki_sha256 if good else None,
        )

    copy_rows(
        session,
        "campaign_row (campaign_id, number, wave_id, agency_id, state, reason, number_index, tail_index, surname,"
        " given_name, email, title, csr_der, spki_der, spki_sha256)",
        "uuid int4 uuid uuid text text bytea bytea text text text text bytea bytea bytea",
        map(line, rows),
    )


def _count(session: Session, check: Check, rows: Sequence[ReadRow], waves: Mapping[UUID, Wave]) -> None:
    good = _good(rows)
    for row in good:
        waves[_agency(check, row).id].rows_accepted += 1
    session.execute(
        update(Campaign)
        .where(Campaign.id == check.campaign_id)
        .values(
            rows_accepted=Campaign.rows_accepted + len(good),
            rows_rejected=Campaign.rows_rejected + len(rows) - len(good),
        )
    )
    session.flush()


def _scope(session: Session, campaign: Campaign) -> frozenset[UUID]:
    """Return the agencies for which whoever made the campaign may run one, within that of the campaign."""
    account = session.get(Account, campaign.created_by) if campaign.created_by else None
    actor: Actor = accounts.actor_of(account) if account else HOUSE
    query = select(Agency.id).where(scope.within(actor, Permission.RUN_CAMPAIGNS, Agency.id))
    if campaign.agency_id is not None:
        top = session.get_one(Agency, campaign.agency_id)
        query = query.where(func.starts_with(Agency.path, top.path))
    return frozenset(session.scalars(query))


def _record(session: Session, campaign: Campaign, act: str, **facts: str | int) -> None:
    audit.record(
        session, HOUSE, act, object_kind="campaign", object_id=campaign.id, agency_id=campaign.agency_id,
        version=campaign.file_version, **facts,
    )  # fmt: skip
