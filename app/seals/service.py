"""Agencies' seals: which one an agency has, making one, what each was used for. `worker` alone loads their keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import Session

from app.accounts.step_up_models import StepUp
from app.audit import service as audit
from app.certificates import authorities, register
from app.certificates.models import Certificate, CertificateState
from app.core.errors import Conflict, NotFound
from app.core.i18n import local
from app.core.permissions import Actor, Permission
from app.core.settings import Settings
from app.documents.models import Document, DocumentVersion
from app.registry import scope
from app.registry.models import Agency, Person
from app.registry.search import pattern
from app.routes.board import table
from app.seals.models import SealUse
from pki.profiles import ProfileName

PAGE: Final = 25
# Who looks at a seal: its clerks, and those who watch over keys or read the log.
READERS: Final = (Permission.ISSUE_DOCUMENTS, Permission.MANAGE_PROFILES, Permission.READ_AUDIT)
_MOST_EXPORTED: Final = 100_000


@dataclass(frozen=True)
class Found:
    uses: Sequence[SealUse]
    count: int
    number: int
    pages: int


@dataclass(frozen=True)
class Standing:
    """An agency and the seal that it may use now, if any; the newest one otherwise."""

    agency: Agency
    seal: Certificate | None
    usable: bool
    uses: int


def seal_of(session: Session, agency_id: UUID, *, now: datetime) -> Certificate:
    """Return the seal that the agency may use now. Raises Conflict without one."""
    found = register.seal_of(session, agency_id, now=now)
    if found is None or found.der is None or found.key_reference is None:
        raise Conflict(
            _l("The agency has no valid seal. Nothing was sealed."), _l("Ask the city's administrator for one.")
        )
    return found


def make(session: Session, settings: Settings, agency: Agency, *, actor: Actor, now: datetime) -> Certificate | None:
    """Give the agency a seal unless it has a usable one; None then. In `worker` or a command: it needs issuing keys."""
    session.execute(select(Agency.id).where(Agency.id == agency.id).with_for_update(of=Agency))
    if register.seal_of(session, agency.id, now=now) is not None or agency.merged_into_id is not None:
        return None
    return authorities.certify_seal(session, settings, agency, actor=actor, now=now)


def without_seal(session: Session, *, now: datetime) -> Sequence[UUID]:
    """Return the agencies that have no usable seal, by code; those merged into others need none."""
    has_one = exists().where(
        Certificate.agency_id == Agency.id,
        Certificate.profile == ProfileName.AGENCY_SEAL,
        Certificate.state == CertificateState.ISSUED,
        Certificate.not_before <= now,
        Certificate.not_after >= now,
    )
    return session.scalars(
        select(Agency.id).where(~has_one, Agency.merged_into_id.is_(None)).order_by(Agency.code)
    ).all()


def record_use(
    session: Session,
    actor: Actor,
    seal: Certificate,
    version: DocumentVersion,
    step_up: StepUp,
    *,
    number: str,
    document_digest: bytes,
    now: datetime,
) -> SealUse:
    """Write down that the seal made `version`, in the transaction that adds it."""
    if actor.person_id is None or seal.agency_id is None:
        raise Conflict(_l("A seal is used by a person, for an agency."))
    use = SealUse(
        agency_id=seal.agency_id,
        certificate_id=seal.id,
        document_id=version.document_id,
        version_id=version.id,
        number=number,
        document_digest=document_digest,
        person_id=actor.person_id,
        step_up_id=step_up.id,
        used_at=now,
    )
    session.add(use)
    audit.record(
        session,
        actor,
        "seal_used",
        object_kind="certificate",
        object_id=seal.id,
        agency_id=seal.agency_id,
        document_id=str(version.document_id),
        sha256=version.sha256,
        step_up_id=str(step_up.id),
    )
    session.flush()
    return use


def readable(actor: Actor, agency_id: ColumnElement[UUID]) -> ColumnElement[bool]:
    """Return the condition that the actor may look at the seal of that agency."""
    return or_(*(scope.within(actor, one, agency_id) for one in READERS))


def agency_of(session: Session, actor: Actor, agency_id: UUID) -> Agency:
    """Return an agency whose seal the actor may look at. Raises NotFound otherwise."""
    query = select(Agency).where(Agency.id == agency_id, readable(actor, Agency.id.expression))
    found = session.scalar(query)
    if found is None:
        raise NotFound(_l("There is no such agency, or it is not yours to see."))
    return found


def standings(session: Session, actor: Actor, text: str, *, page: int, now: datetime) -> tuple[list[Standing], Found]:
    """Return a page of the agencies whose seals the actor may look at, by name."""
    conditions = [readable(actor, Agency.id.expression), Agency.merged_into_id.is_(None)]
    if text.strip():
        conditions.append(or_(Agency.search_name.like(pattern(text)), Agency.code.ilike(pattern(text))))
    count = session.scalar(select(func.count()).select_from(Agency).where(*conditions)) or 0
    found = _page([], count, page)
    query = select(Agency).where(*conditions).order_by(Agency.path).limit(PAGE).offset((found.number - 1) * PAGE)
    return [standing(session, agency, now=now) for agency in session.scalars(query)], found


def standing(session: Session, agency: Agency, *, now: datetime) -> Standing:
    """Return what seal the agency has now and how often its seals were used."""
    usable = register.seal_of(session, agency.id, now=now)
    seals = seals_of(session, agency.id)
    uses = session.scalar(select(func.count()).select_from(SealUse).where(SealUse.agency_id == agency.id)) or 0
    return Standing(agency, usable or (seals[0] if seals else None), usable is not None, uses)


def seals_of(session: Session, agency_id: UUID) -> Sequence[Certificate]:
    """Return every seal that the agency ever had, newest first."""
    query = (
        select(Certificate)
        .where(
            Certificate.profile == ProfileName.AGENCY_SEAL,
            Certificate.agency_id == agency_id,
            Certificate.der.is_not(None),
        )
        .order_by(Certificate.created_at.desc())
    )
    return session.scalars(query).unique().all()


def uses(session: Session, agency: Agency, text: str, *, page: int) -> Found:
    """Return a page of what the agency's seals were used for, newest first; `text` is in number, title or clerk."""
    conditions = _matching(agency, text)
    joined = select(SealUse).join(SealUse.document).join(SealUse.person)
    count = session.scalar(select(func.count()).select_from(joined.where(*conditions).subquery())) or 0
    found = _page([], count, page)
    query = joined.where(*conditions).order_by(SealUse.used_at.desc(), SealUse.id)
    rows = session.scalars(query.limit(PAGE).offset((found.number - 1) * PAGE)).unique().all()
    return Found(rows, count, found.number, found.pages)


def export(session: Session, agency: Agency, text: str) -> bytes:
    """Return what the agency's seals were used for as CSV, newest first."""
    query = (
        select(SealUse)
        .join(SealUse.document)
        .join(SealUse.person)
        .where(*_matching(agency, text))
        .order_by(SealUse.used_at.desc())
        .limit(_MOST_EXPORTED)
    )
    heads = [_("Used at"), _("Number and symbol"), _("Document"), _("Clerk"), _("Seal"), "SHA-256"]
    return table(heads, (_line(one) for one in session.scalars(query).unique()))


def _line(one: SealUse) -> Sequence[str]:
    moment = local(one.used_at).strftime("%d/%m/%Y %H:%M:%S")
    return (
        moment,
        one.number,
        one.document.title,
        one.person.full_name,
        one.certificate.serial_hex,
        one.version.sha256,
    )


def _matching(agency: Agency, text: str) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [SealUse.agency_id == agency.id]
    if text.strip():
        wanted = pattern(text)
        conditions.append(
            or_(
                func.lower(SealUse.number).like(f"%{text.strip().lower()}%"),
                Document.search_title.like(wanted),
                Person.search_name.like(wanted),
            )
        )
    return conditions


def _page(rows: Sequence[SealUse], count: int, page: int) -> Found:
    pages = max(1, -(-count // PAGE))
    return Found(rows, count, min(max(1, page), pages), pages)
