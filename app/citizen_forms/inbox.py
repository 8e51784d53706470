"""The inbox of an agency: what citizens sent, found, counted and exported."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, ColumnExpressionArgument, func, or_, select
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.citizen_forms.models import CitizenForm, Submission, SubmissionState
from app.citizen_forms.published import questions
from app.citizen_forms.service import received
from app.core.errors import TooMany
from app.core.i18n import moment
from app.core.permissions import Actor
from app.core.throttle import may_pass
from app.registry.models import Person
from app.registry.search import pattern

PAGE: Final = 25
LONGEST_EXPORT: Final = 20_000
_WAITING: Final = (SubmissionState.RECEIVED, SubmissionState.IN_WORK)
# A cell that begins like this would be run as a formula by the spreadsheet of whoever opens the file.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True)
class Search:
    """What the inbox shows: part of a name, title or reference, and a state or None for what waits."""

    text: str = ""
    state: SubmissionState | None = None


@dataclass(frozen=True)
class Found:
    submissions: Sequence[Submission]
    count: int
    number: int
    pages: int


def search(session: Session, actor: Actor, wanted: Search, *, page: int) -> Found:
    """Return a page (from 1) of what was sent to the actor's agencies, the oldest that waits first."""
    conditions = _conditions(actor, wanted)
    count = session.scalar(select(func.count()).select_from(Submission).where(*conditions)) or 0
    pages = max(1, -(-count // PAGE))
    number = min(max(1, page), pages)
    query = select(Submission).where(*conditions).order_by(*_order(wanted))
    rows = session.scalars(query.limit(PAGE).offset((number - 1) * PAGE)).unique().all()
    return Found(rows, count, number, pages)


def waiting(session: Session, actor: Actor) -> int:
    """Return how many forms nobody has taken into work yet."""
    conditions = (received(actor), Submission.state == SubmissionState.RECEIVED)
    return session.scalar(select(func.count()).select_from(Submission).where(*conditions)) or 0


def export(session: Session, actor: Actor, wanted: Search, state_words: dict[str, str], *, now: datetime) -> bytes:
    """Return what `search` finds as CSV (UTF-8 with its mark, as spreadsheets want it), and record who exported it."""
    if not may_pass(session, f"forms export {actor.account_id}", limit=6, per=timedelta(hours=1), now=now):
        raise TooMany(_l("You have made six exports within an hour."), _l("Wait ten minutes, then try again."))
    rows = session.scalars(
        select(Submission).where(*_conditions(actor, wanted)).order_by(*_order(wanted)).limit(LONGEST_EXPORT)
    ).unique()
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(
        [_("Reference of the form"), _("Form"), _("Sender"), _("Sent at"), _("State"), _("Check"), _("Answers")]
    )
    count = 0
    for one in rows:
        answers = "; ".join(f"{asked.label}: {one.answers.get(asked.name, '')}" for asked in questions(one.form))
        sent = moment(one.sent_at) if one.sent_at else ""
        cells = [one.reference, one.form.title, one.person.full_name, sent, state_words[one.state], one.verdict or ""]
        writer.writerow([_plain(cell) for cell in (*cells, answers)])
        count += 1
    audit.record(session, actor, "forms_exported", object_kind="form_inbox", object_id=actor.account_id, rows=count)
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _conditions(actor: Actor, wanted: Search) -> list[ColumnElement[bool]]:
    states = _WAITING if wanted.state is None else (wanted.state,)
    conditions = [received(actor), Submission.state.in_(states)]
    if wanted.text.strip():
        part = pattern(wanted.text)
        conditions.append(
            or_(
                Submission.reference.icontains(wanted.text.strip(), autoescape=True),
                Submission.person_id.in_(select(Person.id).where(Person.search_name.like(part))),
                Submission.form_id.in_(select(CitizenForm.id).where(CitizenForm.search_title.like(part))),
            )
        )
    return conditions


def _order(wanted: Search) -> tuple[ColumnExpressionArgument[Any], ...]:
    return (Submission.sent_at if wanted.state is None else Submission.changed_at.desc(), Submission.id)


def _plain(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
