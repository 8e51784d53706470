"""Pictures of signatures and seals: taken in, looked at, accepted, replaced, withdrawn. None is ever required.

Of a signature its owner decides alone; of a seal, whoever manages seals of that agency.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, bindparam, false, or_, select, update
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.core.errors import Conflict, Forbidden, Invalid, NotFound
from app.core.permissions import Actor, Permission
from app.documents import sandbox
from app.marks import cleaning_job
from app.marks.models import MarkPicture, PictureState
from app.marks.words import FAULTS
from app.registry import scope
from app.registry.models import Agency, Person
from pki.errors import PdfRefused
from pki.layout.cleaning import PictureFault, PictureKind

_SIGNATURE_PICTURE: Final = select(MarkPicture.png).where(
    MarkPicture.person_id == bindparam("person_id"), MarkPicture.state == PictureState.IN_USE
)


@dataclass(frozen=True)
class Owner:
    """Whose picture: of a person's signature or of an agency's seal; exactly one is set."""

    person_id: UUID | None = None
    agency_id: UUID | None = None

    @property
    def kind(self) -> PictureKind:
        return PictureKind.SIGNATURE if self.agency_id is None else PictureKind.SEAL

    @property
    def pictures(self) -> ColumnElement[bool]:
        """The condition for this owner's rows."""
        if self.agency_id is None:
            return MarkPicture.person_id == self.person_id
        return MarkPicture.agency_id == self.agency_id


@dataclass(frozen=True)
class SealPicture:
    png: bytes
    diameter_mm: float


def signature_picture(session: Session, person_id: UUID) -> bytes | None:
    """Return the person's accepted signature as a transparent PNG, None without one."""
    return session.scalar(_SIGNATURE_PICTURE, {"person_id": person_id})


def seal_picture(session: Session, agency_id: UUID) -> SealPicture | None:
    """Return the agency's accepted seal and its true diameter, None without one."""
    query = select(MarkPicture.png, MarkPicture.diameter_mm).where(
        MarkPicture.agency_id == agency_id, MarkPicture.state == PictureState.IN_USE
    )
    found = session.execute(query).one_or_none()
    return SealPicture(found.png, found.diameter_mm) if found and found.diameter_mm else None


def seal_diameter(session: Session, agency_id: UUID) -> float | None:
    """Return the diameter in millimetres of the agency's accepted seal, None without one."""
    return session.scalar(
        select(MarkPicture.diameter_mm).where(
            MarkPicture.agency_id == agency_id, MarkPicture.state == PictureState.IN_USE
        )
    )


def own(actor: Actor) -> Owner:
    """Return the actor as owner of a signature. Raises Forbidden for an account of nobody."""
    if actor.person_id is None or not actor.may(Permission.SIGN_DOCUMENTS):
        raise Forbidden(_l("Only a person who signs documents has a signature here."))
    return Owner(person_id=actor.person_id)


def agency(session: Session, actor: Actor, agency_id: UUID) -> Agency:
    """Return an agency whose seal the actor manages. Raises NotFound otherwise."""
    query = select(Agency).where(Agency.id == agency_id, scope.within(actor, Permission.MANAGE_SEALS, Agency.id))
    found = session.scalar(query)
    if found is None:
        raise NotFound(_l("There is no such agency, or it is not yours to see."))
    return found


def propose(
    session: Session, actor: Actor, owner: Owner, content: bytes, *, diameter_mm: float | None = None, now: datetime
) -> MarkPicture:
    """Clean a picture and keep it for its owner to look at; an earlier one that nobody accepted is discarded.

    `diameter_mm` is the seal's as registered. Raises Invalid with the rule that the picture breaks.
    """
    if actor.account_id is None:
        raise Forbidden(_l("Only a person who signs documents has a signature here."))
    facts, png, before = _cleaned(content, owner.kind, diameter_mm)
    _lock(session, owner)
    _end(session, owner, PictureState.PROPOSED, PictureState.DISCARDED, now=now)
    made = MarkPicture(
        person_id=owner.person_id,
        agency_id=owner.agency_id,
        state=PictureState.PROPOSED,
        png=png,
        before_png=before,
        width_mm=facts["width_mm"],
        height_mm=facts["height_mm"],
        diameter_mm=diameter_mm if owner.kind is PictureKind.SEAL else None,
        dpi=facts["dpi"],
        coloured=facts["coloured"],
        paper_removed=facts["paper_removed"],
        uploaded_by=actor.account_id,
        uploaded_at=now,
    )
    session.add(made)
    session.flush()
    _record(session, actor, "picture_uploaded", made)
    return made


def accept(session: Session, actor: Actor, picture: MarkPicture, *, now: datetime) -> None:
    """Put a proposed picture into use; the one before is replaced. Accepting twice is one act. Raises Conflict."""
    owner = owner_of(picture)
    _lock(session, owner)
    session.refresh(picture)
    if picture.state == PictureState.IN_USE:
        return
    if picture.state != PictureState.PROPOSED:
        raise _moved_on()
    _end(session, owner, PictureState.IN_USE, PictureState.REPLACED, now=now)
    _change(session, picture, PictureState.PROPOSED, state=PictureState.IN_USE, accepted_at=now)
    _record(session, actor, "picture_accepted", picture)


def discard(session: Session, actor: Actor, picture: MarkPicture, *, now: datetime) -> None:
    """Put a proposed picture away unused. Discarding twice is one act. Raises Conflict."""
    _finish(session, actor, picture, PictureState.PROPOSED, PictureState.DISCARDED, "picture_discarded", now=now)


def withdraw(session: Session, actor: Actor, picture: MarkPicture, *, now: datetime) -> None:
    """Take the picture out of use: from now on text stands in its place. Twice is one act. Raises Conflict."""
    _finish(session, actor, picture, PictureState.IN_USE, PictureState.WITHDRAWN, "picture_withdrawn", now=now)


def find(session: Session, actor: Actor, picture_id: UUID) -> MarkPicture:
    """Return one's own signature, or a seal that one manages. Raises NotFound for anything else."""
    mine = MarkPicture.person_id == actor.person_id if actor.may(Permission.SIGN_DOCUMENTS) else false()
    managed = scope.within(actor, Permission.MANAGE_SEALS, MarkPicture.agency_id)
    query = select(MarkPicture).where(
        MarkPicture.id == picture_id, or_(mine, MarkPicture.agency_id.is_not(None) & managed)
    )
    found = session.scalar(query)
    if found is None:
        raise NotFound(_l("There is no such picture, or it is not yours to see."))
    return found


def pictures_of(session: Session, owner: Owner) -> Sequence[MarkPicture]:
    """Return every picture that the owner had, the newest first."""
    return session.scalars(
        select(MarkPicture).where(owner.pictures).order_by(MarkPicture.uploaded_at.desc(), MarkPicture.id).limit(50)
    ).all()


def owner_of(picture: MarkPicture) -> Owner:
    return Owner(person_id=picture.person_id, agency_id=picture.agency_id)


def _cleaned(
    content: bytes, kind: PictureKind, diameter_mm: float | None
) -> tuple[dict[str, float | int | bool], bytes, bytes]:
    try:
        facts, output = sandbox.run(
            cleaning_job.clean_picture, {"kind": kind, "diameter_mm": diameter_mm}, content or b"\0"
        )
    except PdfRefused as error:
        # Over a limit of the process, or it died: it was no picture that a person takes.
        raise Invalid(*FAULTS[PictureFault.NOT_A_PICTURE]) from error
    with output:
        if facts["fault"] is not None:
            raise Invalid(*FAULTS[PictureFault(facts["fault"])])
        return facts, output.read(facts["octets"]), output.read()


def _lock(session: Session, owner: Owner) -> None:
    """Hold the owner until we commit: of two acts on the same pictures one comes wholly after the other."""
    if owner.agency_id is None:
        session.execute(select(Person.id).where(Person.id == owner.person_id).with_for_update(of=Person))
    else:
        session.execute(select(Agency.id).where(Agency.id == owner.agency_id).with_for_update(of=Agency))


def _end(session: Session, owner: Owner, before: PictureState, after: PictureState, *, now: datetime) -> None:
    session.execute(
        update(MarkPicture).where(owner.pictures, MarkPicture.state == before).values(state=after, ended_at=now)
    )


def _finish(
    session: Session,
    actor: Actor,
    picture: MarkPicture,
    before: PictureState,
    after: PictureState,
    act: str,
    *,
    now: datetime,
) -> None:
    _lock(session, owner_of(picture))
    session.refresh(picture)
    if picture.state == after:
        return
    if picture.state != before:
        raise _moved_on()
    _change(session, picture, before, state=after, ended_at=now)
    _record(session, actor, act, picture)


def _change(session: Session, picture: MarkPicture, before: PictureState, **values: object) -> None:
    changed = session.execute(
        update(MarkPicture)
        .where(MarkPicture.id == picture.id, MarkPicture.state == before)
        .values(**values)
        .returning(MarkPicture.id)
    )
    if changed.scalar_one_or_none() is None:
        raise _moved_on()
    session.refresh(picture)


def _moved_on() -> Conflict:
    return Conflict(
        _l("This picture was changed meanwhile. Nothing was done."), _l("Reload the page to see how it stands now.")
    )


def _record(session: Session, actor: Actor, act: str, picture: MarkPicture) -> None:
    audit.record(
        session,
        actor,
        act,
        object_kind="mark_picture",
        object_id=picture.id,
        agency_id=picture.agency_id,
        kind=owner_of(picture).kind,
    )
