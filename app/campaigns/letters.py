"""Printed invitations: one A4 page a person for a window envelope, with the link as a QR code, up to 500 in a file.

A run of printing is remembered by its moment, so that a file that was lost or jammed can be printed again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.campaigns import letter_pages, service, tokens
from app.campaigns.letter_pages import Letter
from app.campaigns.models import Campaign, Invitation, Row, Wave
from app.core.errors import NotFound
from app.core.i18n import day
from app.core.permissions import Actor
from app.core.settings import Settings
from app.registry import service as registry
from app.registry.models import Agency

LARGEST: Final = 500


@dataclass(frozen=True)
class PrintFile:
    """The letters of a wave: how many wait for the printer, and the runs that were printed."""

    wave_id: UUID
    agency: Agency
    waiting: int
    runs: Sequence[tuple[datetime, int]]


def print_files(session: Session, campaign_id: UUID) -> Sequence[PrintFile]:
    """Return the waves that have letters, in their order."""
    counted = session.execute(
        select(Row.wave_id, Invitation.printed_at, func.count())
        .join(Row, (Row.campaign_id == Invitation.campaign_id) & (Row.number == Invitation.row_number))
        .where(Invitation.campaign_id == campaign_id, Invitation.by_letter)
        .group_by(Row.wave_id, Invitation.printed_at)
        .order_by(Invitation.printed_at)
    ).all()
    files = []
    for wave, agency in service.waves_of(session, campaign_id):
        mine = [(printed_at, count) for wave_id, printed_at, count in counted if wave_id == wave.id]
        if mine:
            waiting = sum(count for printed_at, count in mine if printed_at is None)
            runs = [(printed_at, count) for printed_at, count in mine if printed_at is not None]
            files.append(PrintFile(wave.id, agency, waiting, runs))
    return files


def print_run(
    session: Session,
    settings: Settings,
    actor: Actor,
    campaign_id: UUID,
    wave_id: UUID,
    run: datetime | None,
    *,
    now: datetime,
) -> bytes:
    """Return the next letters of a wave (at most 500) and mark them printed, or those of an earlier run once more."""
    campaign = service.find_own(session, actor, campaign_id)
    wave = session.get(Wave, wave_id)
    if wave is None or wave.campaign_id != campaign_id:
        raise NotFound(_l("There is no such wave."))
    found = session.execute(
        select(Invitation, Row)
        .join(Row, (Row.campaign_id == Invitation.campaign_id) & (Row.number == Invitation.row_number))
        .where(
            Invitation.campaign_id == campaign_id,
            Invitation.by_letter,
            Row.wave_id == wave_id,
            Invitation.printed_at.is_(None) if run is None else Invitation.printed_at == run,
        )
        .order_by(Invitation.row_number)
        .limit(LARGEST)
        .with_for_update(of=Invitation)
    ).all()
    if not found:
        raise NotFound(_l("There are no letters to print."))
    agency = registry.agency(session, wave.agency_id)
    each = [_letter(settings, agency, invitation, row) for invitation, row in found]
    pdf = letter_pages.render(each, city=settings.city, phone=settings.support_phone, printed_on=day(now))
    for invitation, _row in found:
        invitation.printed_at = run or now
    session.flush()
    _record(session, actor, campaign, wave_id, len(each), again=run is not None)
    return pdf


def _letter(settings: Settings, agency: Agency, invitation: Invitation, row: Row) -> Letter:
    token = tokens.open_sealed(settings, invitation.id, invitation.token_sealed)
    return Letter(
        name=f"{row.surname} {row.given_name}",
        agency=agency.name,
        link=tokens.address(settings, token),
        last_day=day(invitation.expires_at),
        mark=f"{agency.code} · {row.number}",
    )


def _record(session: Session, actor: Actor, campaign: Campaign, wave_id: UUID, count: int, *, again: bool) -> None:
    audit.record(
        session,
        actor,
        "letters_printed",
        object_kind="campaign",
        object_id=campaign.id,
        agency_id=campaign.agency_id,
        wave=str(wave_id),
        letters=count,
        again=again,
    )
