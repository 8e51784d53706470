"""Pages of those who call meetings: the list, one meeting with its guests, sending and cancelling."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app.core.db import transaction
from app.core.errors import AppError, Conflict, Invalid
from app.core.i18n import local
from app.core.navigation import Place, add_place
from app.core.permissions import Permission, current_actor, needs
from app.meetings import (
    agenda,
    agenda_pages,
    answers,
    companion_pages,
    companions,
    guest_files,
    guest_page,
    guests,
    impact,
    papers,
    passes,
    service,
)
from app.meetings.forms import ActForm, GuestForm, MeetingForm
from app.meetings.guests import NewGuest
from app.meetings.models import Meeting, Reentry, Remind
from app.meetings.service import Entry, Plan
from app.notices import service as notices
from app.notices.models import NoticeState
from pki.passes.lease import Policy

bp = Blueprint("meetings", __name__, url_prefix="/meetings")


def init(app: Flask) -> None:
    impact.register()
    app.register_blueprint(bp)
    app.register_blueprint(guest_files.bp)
    app.register_blueprint(companion_pages.bp)
    app.register_blueprint(agenda_pages.bp)
    app.register_blueprint(guest_page.bp)
    add_place(
        app,
        Place(_l("Meetings"), "meetings.index", Permission.MANAGE_MEETINGS, _l("Call a meeting and invite guests.")),
    )


@bp.get("/")
@needs(Permission.MANAGE_MEETINGS)
def index() -> ResponseReturnValue:
    text, past, now = request.args.get("q", ""), request.args.get("when") == "past", datetime.now(UTC)
    with transaction() as session:
        found = service.listed(session, current_actor(), text=text, past=past, now=now)
    return render_template("meetings/index.html", meetings=found, text=text, past=past)


@bp.route("/new", methods=["GET", "POST"])
@needs(Permission.MANAGE_MEETINGS)
def create() -> ResponseReturnValue:
    form = _form()
    if not form.validate_on_submit():
        return render_template("meetings/edit.html", form=form, meeting=None), 422 if form.is_submitted() else 200
    try:
        with transaction() as session:
            meeting = service.create(
                session, current_actor(), UUID(form.agency.data), _plan(form), now=datetime.now(UTC)
            )
    except (Invalid, Conflict) as error:
        return _with_problem("meetings/edit.html", form, error, meeting=None)
    return redirect(url_for(".show", meeting_id=meeting.id))


@bp.get("/<uuid:meeting_id>")
@needs(Permission.MANAGE_MEETINGS)
def show(meeting_id: UUID) -> ResponseReturnValue:
    return _page(meeting_id, GuestForm())


@bp.route("/<uuid:meeting_id>/edit", methods=["GET", "POST"])
@needs(Permission.MANAGE_MEETINGS)
def edit(meeting_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        meeting = service.find(session, current_actor(), meeting_id)
    form = _form(meeting)
    if not form.validate_on_submit():
        return render_template("meetings/edit.html", form=form, meeting=meeting), 422 if form.is_submitted() else 200
    try:
        with transaction() as session:
            service.change(session, current_actor(), meeting_id, _plan(form), now=datetime.now(UTC))
    except (Invalid, Conflict) as error:
        return _with_problem("meetings/edit.html", form, error, meeting=meeting)
    flash(_("The meeting is changed. Guests who were invited get a new invitation if time, place or code changed."))
    return redirect(url_for(".show", meeting_id=meeting_id))


@bp.post("/<uuid:meeting_id>/guests")
@needs(Permission.MANAGE_MEETINGS)
def add_guest(meeting_id: UUID) -> ResponseReturnValue:
    form = GuestForm()
    if not form.validate_on_submit():
        return _page(meeting_id, form, status=422)
    try:
        with transaction() as session:
            guest = _guest(form)
            guests.add(session, current_actor(), meeting_id, guest)
    except (Invalid, Conflict) as error:
        form.email.errors = [str(error)]
        return _page(meeting_id, form, status=422)
    return redirect(url_for(".show", meeting_id=meeting_id, _anchor="guests"))


@bp.route("/<uuid:meeting_id>/guests/<uuid:guest_id>/edit", methods=["GET", "POST"])
@needs(Permission.MANAGE_MEETINGS)
def edit_guest(meeting_id: UUID, guest_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        guest = guests.find(session, current_actor(), meeting_id, guest_id)
    form = GuestForm(obj=guest)
    if not form.validate_on_submit():
        page = render_template("meetings/guest_edit.html", form=form, guest=guest)
        return page, 422 if form.is_submitted() else 200
    try:
        with transaction() as session:
            guests.change(session, current_actor(), meeting_id, guest_id, _guest(form))
    except (Invalid, Conflict) as error:
        form.email.errors = [f"{error} {error.next_step or ''}".strip()]
        return render_template("meetings/guest_edit.html", form=form, guest=guest), 422
    return redirect(url_for(".show", meeting_id=meeting_id, _anchor="guests"))


@bp.route("/<uuid:meeting_id>/guests/<uuid:guest_id>/remove", methods=["GET", "POST"])
@needs(Permission.MANAGE_MEETINGS)
def remove_guest(meeting_id: UUID, guest_id: UUID) -> ResponseReturnValue:
    form = ActForm()
    if not form.validate_on_submit():
        with transaction() as session:
            guest = guests.find(session, current_actor(), meeting_id, guest_id)
        return render_template("meetings/guest_remove.html", guest=guest, form=form)
    with transaction() as session:
        guest = guests.remove(session, current_actor(), meeting_id, guest_id, now=datetime.now(UTC))
    flash(_("%(name)s is off the list. An invitation that was sent no longer works.", name=guest.name))
    return redirect(url_for(".show", meeting_id=meeting_id, _anchor="guests"))


@bp.post("/<uuid:meeting_id>/send")
@needs(Permission.MANAGE_MEETINGS)
def send(meeting_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        queued = service.send(session, current_actor(), meeting_id, now=datetime.now(UTC))
    flash(
        ngettext(
            "%(num)s invitation is on its way. It arrives within a minute.",
            "%(num)s invitations are on their way. They arrive within a minute.",
            queued,
        )
        if queued
        else _("Everyone has an invitation already.")
    )
    return redirect(url_for(".show", meeting_id=meeting_id))


@bp.route("/<uuid:meeting_id>/cancel", methods=["GET", "POST"])
@needs(Permission.MANAGE_MEETINGS)
def cancel(meeting_id: UUID) -> ResponseReturnValue:
    form = ActForm()
    if not form.validate_on_submit():
        with transaction() as session:
            meeting = service.find(session, current_actor(), meeting_id)
            count = passes.holders(session, meeting)
        return render_template("meetings/cancel.html", meeting=meeting, form=form, count=count)
    with transaction() as session:
        told = service.cancel(session, current_actor(), meeting_id)
    flash(
        ngettext(
            "The meeting is cancelled. %(num)s guest is told by e-mail.",
            "The meeting is cancelled. %(num)s guests are told by e-mail.",
            told,
        )
    )
    return redirect(url_for(".show", meeting_id=meeting_id))


@bp.get("/<uuid:meeting_id>/progress")
@needs(Permission.MANAGE_MEETINGS)
def show_progress(meeting_id: UUID) -> ResponseReturnValue:
    """Give the part of the page that says how far the invitations are."""
    with transaction() as session:
        progress = passes.progress(session, service.find(session, current_actor(), meeting_id))
    return render_template("meetings/progress.html", progress=progress)


def _page(meeting_id: UUID, form: GuestForm, *, status: int = 200) -> ResponseReturnValue:
    with transaction() as session:
        meeting = service.find(session, current_actor(), meeting_id)
        invited = guests.of_meeting(session, meeting)
        letters = notices.about(session, [guest.id for guest in invited])
        progress = passes.progress(session, meeting)
        replies = answers.counts(session, meeting)
        items, lying = agenda.items_of(session, meeting.id), papers.of_meeting(session, meeting.id)
    wanted = request.args.get("answer", "")
    page = render_template(
        "meetings/show.html",
        meeting=meeting,
        guests=invited,
        letters=letters,
        progress=progress,
        returned=sum(1 for letter in letters.values() if letter.state == NoticeState.BOUNCED),
        form=form,
        act=ActForm(),
        companion_words=companions.WORDS,
        answers=replies,
        items=items,
        papers=lying,
        paper_address=lambda paper: url_for(
            "documents.download", document_id=paper.version.document_id, version=paper.version.number
        ),
        answer_words=answers.WORDS,
        wanted=wanted,
    )
    return page, status


def _form(meeting: Meeting | None = None) -> MeetingForm:
    form = MeetingForm(data=_values(meeting) if meeting else None)
    with transaction() as session:
        places = service.rooms(session)
        agencies = service.agencies_of(session, current_actor())
    form.room.choices = [(str(room.id), f"{room.building.name} – {room.name}") for room in places]
    form.agency.choices = [(str(agency.id), agency.name) for agency in agencies]
    if meeting is not None:
        form.agency.choices = [(str(meeting.agency_id), meeting.agency.name)]
    return form


def _values(meeting: Meeting) -> dict[str, object]:
    starts, ends = local(meeting.starts_at), local(meeting.ends_at)
    return {
        "title": meeting.title,
        "agency": str(meeting.agency_id),
        "room": str(meeting.room_id),
        "day": starts.date(),
        "starts": starts.time(),
        "ends": ends.time(),
        "host": meeting.host,
        "policy": meeting.policy,
        "rotating": meeting.rotating,
        "reentry": meeting.reentry,
        "reminders": meeting.reminders,
    }


def _plan(form: MeetingForm) -> Plan:
    return Plan(
        title=form.title.data.strip(),
        room_id=UUID(form.room.data),
        starts_at=form.starts_at().astimezone(UTC),
        ends_at=form.ends_at().astimezone(UTC),
        host=form.host.data.strip(),
        entry=Entry(Policy(form.policy.data), form.rotating.data, Reentry(form.reentry.data)),
        reminders=Remind(form.reminders.data),
    )


def _guest(form: GuestForm) -> NewGuest:
    fields = (form.name, form.email, form.organisation, form.title, form.seat, form.needs)
    return guests.read(*(one.data or "" for one in fields))


def _with_problem(template: str, form: MeetingForm, error: AppError, *, meeting: Meeting | None) -> ResponseReturnValue:
    form.room.errors = [f"{error} {error.next_step or ''}".strip()]
    return render_template(template, form=form, meeting=meeting), 422
