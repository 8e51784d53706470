"""Guests of a meeting: added by hand or from a file, and taken off the list."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.core.errors import Conflict, Invalid, NotFound, Sentence
from app.core.permissions import Actor
from app.meetings import passes
from app.meetings import service as meetings
from app.meetings.entered import one_line
from app.meetings.models import Guest, Meeting, MeetingState
from app.notices import service as notices

MAXIMUM_ROWS: Final = 5_000
MAXIMUM_BYTES: Final = 1024 * 1024
COLUMNS: Final = ("name", "email", "organisation", "title", "seat", "needs")
# Heads that people write in their files, folded to ours.
_HEADS: Final = {
    "name": "name", "họ tên": "name", "họ và tên": "name", "tên": "name",
    "email": "email", "e-mail": "email", "thư điện tử": "email",
    "organisation": "organisation", "organization": "organisation", "cơ quan": "organisation", "đơn vị": "organisation",
    "title": "title", "chức danh": "title", "chức vụ": "title",
    "seat": "seat", "chỗ ngồi": "seat",
    "needs": "needs", "cần hỗ trợ": "needs",
}  # fmt: skip
_LONGEST: Final = 120
_LONGEST_DETAIL: Final = {"title": 80, "seat": 40, "needs": 120}
# As our own files name them, in the order of COLUMNS.
_COLUMN_HEADS: Final = ("Họ tên", "E-mail", "Cơ quan", "Chức danh", "Chỗ ngồi", "Cần hỗ trợ")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class NewGuest:
    """A guest as entered: checked, in NFC."""

    name: str
    email: str
    organisation: str
    # As it stands in the letter: post, rank, form of address.
    title: str = ""
    seat: str = ""
    # What helps them come in.
    needs: str = ""


@dataclass(frozen=True)
class Row:
    """One row of a file: the guest, or what is wrong with it."""

    number: int
    text: tuple[str, ...]
    guest: NewGuest | None
    problem: Sentence | None


@dataclass(frozen=True)
class DryRun:
    """What a file would do."""

    rows: Sequence[Row] = field(default_factory=list)

    @property
    def guests(self) -> list[NewGuest]:
        return [row.guest for row in self.rows if row.guest is not None]

    @property
    def problems(self) -> list[Row]:
        return [row for row in self.rows if row.problem is not None]


def read(name: str, email: str, organisation: str, title: str = "", seat: str = "", needs: str = "") -> NewGuest:
    """Return a checked guest. Raises Invalid with a sentence about the first thing wrong."""
    clean_name, clean_organisation = one_line(name), one_line(organisation)
    if not clean_name:
        raise Invalid(_l("The name is missing."))
    if len(clean_name) > _LONGEST or len(clean_organisation) > _LONGEST:
        raise Invalid(_l("The name or organisation is over 120 characters long."))
    details = {"title": one_line(title), "seat": one_line(seat), "needs": one_line(needs)}
    if any(len(text) > _LONGEST_DETAIL[name] for name, text in details.items()):
        raise Invalid(_l("Post, seat or help at the door is too long."))
    try:
        # ASCII only: too few mail servers take other addresses (RFC 6531).
        valid = validate_email(email.strip(), check_deliverability=False, allow_smtputf8=False, test_environment=True)
    except EmailNotValidError as error:
        raise Invalid(_l("The e-mail address is not right.")) from error
    return NewGuest(clean_name, valid.ascii_email or valid.normalized, clean_organisation, **details)


def of_meeting(session: Session, meeting: Meeting) -> Sequence[Guest]:
    """Return the guests on the list, by name."""
    query = select(Guest).where(Guest.meeting_id == meeting.id, Guest.removed_at.is_(None)).order_by(Guest.name)
    return session.scalars(query).unique().all()


def add(session: Session, actor: Actor, meeting_id: UUID, guest: NewGuest) -> Guest:
    """Add one guest. Raises Conflict if the address is on the list already or the meeting was cancelled."""
    meeting = _open_meeting(session, actor, meeting_id)
    if guest.email.lower() in _addresses(session, meeting):
        raise Conflict(_l("This e-mail address is on the list already."))
    added = _insert(session, meeting, guest)
    _record(session, actor, "guest_added", meeting, guest=str(added.id))
    return added


def add_all(session: Session, actor: Actor, meeting_id: UUID, guests: Sequence[NewGuest]) -> int:
    """Add the guests of a file who are not on the list yet and return how many: sending it twice adds them once."""
    meeting = _open_meeting(session, actor, meeting_id)
    known = _addresses(session, meeting)
    fresh = [guest for guest in guests if guest.email.lower() not in known]
    for guest in fresh:
        _insert(session, meeting, guest)
    _record(session, actor, "guests_imported", meeting, guests=len(fresh))
    return len(fresh)


def find(session: Session, actor: Actor, meeting_id: UUID, guest_id: UUID) -> Guest:
    """Return a guest of a meeting of the actor's agencies. Raises NotFound."""
    meeting = meetings.find(session, actor, meeting_id)
    guest = session.get(Guest, guest_id)
    if guest is None or guest.meeting_id != meeting.id:
        raise NotFound(_l("There is no such guest."))
    return guest


def change(session: Session, actor: Actor, meeting_id: UUID, guest_id: UUID, new: NewGuest) -> Guest:
    """Correct a guest who was not invited yet, or whose letter came back: that one is invited anew.

    Raises Conflict for everybody else: the letter is out of our hands.
    """
    meeting = _open_meeting(session, actor, meeting_id)
    guest = find(session, actor, meeting_id, guest_id)
    came_back = guest.invited_at is not None and notices.came_back(session, guest.id)
    if guest.removed_at is not None or (guest.invited_at is not None and not came_back):
        raise Conflict(
            _l("This guest was invited already. Nothing was changed."),
            _l("Withdraw the invitation, then add them again."),
        )
    if new.email.lower() != guest.email.lower() and new.email.lower() in _addresses(session, meeting):
        raise Conflict(_l("This e-mail address is on the list already."))
    guest.name, guest.email, guest.organisation = new.name, new.email, new.organisation
    guest.title, guest.seat, guest.needs = new.title, new.seat, new.needs
    if came_back:
        passes.replace(session, guest)
    _record(session, actor, "guest_changed", meeting, guest=str(guest.id))
    return guest


def remove(session: Session, actor: Actor, meeting_id: UUID, guest_id: UUID, *, now: datetime) -> Guest:
    """Take a guest and who comes with them off the list, and withdraw what was sent. Again, it changes nothing."""
    guest = find(session, actor, meeting_id, guest_id)
    # A pass that is being signed right now is waited for, and then ended like any other.
    session.refresh(guest, with_for_update={"of": Guest})
    if guest.removed_at is None:
        for one in (guest, *_companions(session, guest)):
            passes.withdraw(session, one)
            one.removed_at = now
        _record(session, actor, "guest_removed", guest.meeting, guest=str(guest.id))
    return guest


def dry_run(session: Session, actor: Actor, meeting_id: UUID, content: bytes) -> DryRun:
    """Read a file of guests and say, row by row, what would be added and what is wrong; changes nothing.

    CSV in UTF-8 with commas or semicolons, a head row, at most 5,000 rows. Raises Invalid if it is no such file.
    """
    meeting = _open_meeting(session, actor, meeting_id)
    known = set(_addresses(session, meeting))
    rows: list[Row] = []
    for number, record in _records(content):
        text = tuple(record.get(column, "") for column in COLUMNS)
        try:
            guest = read(*text)
            if guest.email.lower() in known:
                raise Invalid(_l("This e-mail address is on the list already, or twice in the file."))
        except Invalid as error:
            rows.append(Row(number, text, None, error.sentence))
            continue
        known.add(guest.email.lower())
        rows.append(Row(number, text, guest, None))
    return DryRun(rows)


def template() -> bytes:
    """Return an empty file to fill in, as spreadsheet programs in Vietnam open it."""
    heads, example = ",".join(_COLUMN_HEADS), "Nguyễn Văn A,a@example.vn,Công ty A,Giám đốc,A12,"
    return f"\ufeff{heads}\r\n{example}\r\n".encode()


def export(guests: Sequence[Guest]) -> bytes:
    """Return the list as CSV; a cell that a spreadsheet would run as a formula is quoted."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(_COLUMN_HEADS)
    for guest in guests:
        writer.writerow([_harmless(getattr(guest, column)) for column in COLUMNS])
    return f"\ufeff{buffer.getvalue()}".encode()


def _records(content: bytes) -> list[tuple[int, dict[str, str]]]:
    if len(content) > MAXIMUM_BYTES:
        raise Invalid(_l("The file is over 1 MB."), _l("Split it into smaller files."))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(
            _l("The file is not a CSV file in UTF-8."), _l("In the spreadsheet choose “CSV UTF-8” when saving.")
        ) from error
    if "\x00" in text:
        raise Invalid(_l("The file is not a CSV file in UTF-8."))
    lines = text.splitlines()
    delimiter = ";" if lines and lines[0].count(";") > lines[0].count(",") else ","
    try:
        table = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise Invalid(_l("The file could not be read as a table."), _l("Save it as CSV again.")) from error
    heads = [_HEADS.get(one_line(head).lower()) for head in table[0]] if table else []
    if "name" not in heads or "email" not in heads:
        raise Invalid(
            _l("The first row must name the columns “Họ tên” and “E-mail”."), _l("Use the template of this page.")
        )
    body = [(number, row) for number, row in enumerate(table[1:], start=2) if any(cell.strip() for cell in row)]
    if len(body) > MAXIMUM_ROWS:
        raise Invalid(_l("The file has over 5,000 rows."), _l("Split it into smaller files."))
    return [
        (number, {head: cell for head, cell in zip(heads, row, strict=False) if head is not None})
        for number, row in body
    ]


def _open_meeting(session: Session, actor: Actor, meeting_id: UUID) -> Meeting:
    meeting = meetings.claim(session, actor, meeting_id)
    if meeting.state == MeetingState.CANCELLED:
        raise Conflict(_l("This meeting was cancelled. It cannot be changed."))
    return meeting


def _addresses(session: Session, meeting: Meeting) -> set[str]:
    query = select(func.lower(Guest.email)).where(Guest.meeting_id == meeting.id, Guest.removed_at.is_(None))
    return set(session.scalars(query))


def _companions(session: Session, guest: Guest) -> Sequence[Guest]:
    """Return who comes with a guest, each held until the transaction ends."""
    query = select(Guest).where(Guest.of_guest_id == guest.id, Guest.removed_at.is_(None))
    return session.scalars(query.with_for_update(of=Guest)).unique().all()


def _insert(session: Session, meeting: Meeting, guest: NewGuest) -> Guest:
    added = Guest(meeting_id=meeting.id, **asdict(guest))
    session.add(added)
    session.flush()
    return added


def _record(session: Session, actor: Actor, act: str, meeting: Meeting, **facts: str | int) -> None:
    audit.record(session, actor, act, object_kind="meeting", object_id=meeting.id, agency_id=meeting.agency_id, **facts)


def _harmless(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
