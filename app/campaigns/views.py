"""Pages of campaigns: the board, a new one, its check, its waves and its progress."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from flask import Blueprint, Flask, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from app.approvals.models import Act
from app.campaigns import admin, api, columns, enrolment_page, exports, pace, progress, service, waves_api, words
from app.campaigns.forms import CampaignForm, CorrectedFileForm, QuotaForm
from app.campaigns.models import Campaign, CampaignState, Mode, WaveState
from app.campaigns.reading import LARGEST_FILE
from app.campaigns.service import Plan, UploadedFile
from app.core.db import transaction
from app.core.errors import AppError
from app.core.navigation import Place, Waiting, add_place, add_waiting
from app.core.permissions import Actor, Permission, current_actor, needs, signed_in
from app.core.running import storage
from app.core.security import takes_list, takes_upload
from app.interface import views as interface
from app.registry import scope
from app.registry.models import Agency
from pki.profiles import ProfileName

bp = Blueprint("campaigns", __name__, url_prefix="/campaigns")
_MOST_WAVES: Final = 40
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@bp.get("/")
@needs(Permission.READ_CAMPAIGNS)
def board() -> ResponseReturnValue:
    actor, state = current_actor(), request.args.get("state", "")
    before = request.args.get("before", type=datetime.fromisoformat)
    with transaction() as session:
        found = service.board(session, actor, state=state if state in words.STATES else "", before=before)
    return render_template(
        "campaigns/board.html",
        campaigns=found,
        state=state,
        words=words,
        may_run=actor.may(Permission.RUN_CAMPAIGNS),
        older=found[-1].created_at.isoformat() if len(found) == service.PAGE else None,
    )


@bp.get("/template-<any(invite, issue):mode>.<any(csv, xlsx):kind>")
@signed_in("an empty form tells nothing")
def template(mode: str, kind: str) -> Response:
    content, media = (
        (columns.csv_template(Mode(mode)), "text/csv; charset=utf-8")
        if kind == "csv"
        else (columns.xlsx_template(Mode(mode)), _XLSX)
    )
    headers = {"Content-Disposition": f'attachment; filename="mau-chien-dich-{mode}.{kind}"'}
    return Response(content, content_type=media, headers=headers)


@bp.route("/new", methods=["GET", "POST"])
@needs(Permission.RUN_CAMPAIGNS)
@takes_list
def new() -> ResponseReturnValue:
    form, actor = CampaignForm(), current_actor()
    with transaction() as session:
        form.agency.choices = _places(session, actor)
    if not form.validate_on_submit():
        return render_template("campaigns/new.html", form=form), 422 if form.is_submitted() else 200
    plan = Plan(
        form.title.data or "",
        Mode(form.mode.data),
        ProfileName(form.profile.data),
        UUID(form.agency.data) if form.agency.data != "city" else None,
        form.invitation_days.data or 30,
        letters_only=bool(form.letters_only.data),
    )
    try:
        file = _store(form.file.data)
        with transaction() as session:
            made = service.create(session, actor, plan, file, now=datetime.now(UTC))
    except AppError as error:
        form.file.errors = [f"{error} {error.next_step or ''}".strip()]
        return render_template("campaigns/new.html", form=form), 422
    return redirect(url_for(".show", campaign_id=made.id))


@bp.get("/<uuid:campaign_id>")
@needs(Permission.READ_CAMPAIGNS)
def show(campaign_id: UUID) -> ResponseReturnValue:
    return _page(campaign_id)


@bp.get("/<uuid:campaign_id>/progress")
@needs(Permission.READ_CAMPAIGNS)
def show_progress(campaign_id: UUID) -> ResponseReturnValue:
    """The part of the page that is fetched every two seconds: nothing is counted for it."""
    actor, now = current_actor(), datetime.now(UTC)
    with transaction() as session:
        campaign = service.find(session, actor, campaign_id)
        return render_template("campaigns/progress.html", **_moving(session, actor, campaign, now))


@bp.post("/<uuid:campaign_id>/file")
@needs(Permission.RUN_CAMPAIGNS)
@takes_list
def replace_file(campaign_id: UUID) -> ResponseReturnValue:
    form = CorrectedFileForm()
    if not form.validate_on_submit():
        return _page(campaign_id, form=form, status=422)
    # Looked up before half a minute of uploading is kept.
    with transaction() as session:
        service.find_own(session, current_actor(), campaign_id)
    file = _store(form.file.data)
    with transaction() as session:
        service.replace_file(session, current_actor(), campaign_id, file)
    return redirect(url_for(".show", campaign_id=campaign_id))


@bp.route("/<uuid:campaign_id>/waves", methods=["GET", "POST"])
@needs(Permission.RUN_CAMPAIGNS)
@takes_upload
def arrange(campaign_id: UUID) -> ResponseReturnValue:
    actor, form = current_actor(), QuotaForm()
    with transaction() as session:
        campaign = service.find_own(session, actor, campaign_id)
        waves = service.waves_of(session, campaign_id)
    if not form.is_submitted():
        form.quota_per_day.data = campaign.quota_per_day
    if not form.validate_on_submit():
        page = render_template("campaigns/waves.html", campaign=campaign, waves=waves, form=form)
        return page, 422 if form.is_submitted() else 200
    ids = [wave.id for wave, _agency in waves]
    with transaction() as session:
        service.arrange(
            session,
            actor,
            campaign_id,
            {wave_id: request.form.get(f"position-{wave_id}", 0, type=int) for wave_id in ids},
            {wave_id: request.form.get(f"quota-{wave_id}", type=int) for wave_id in ids},
            quota_per_day=form.quota_per_day.data,
        )
    flash(_("The waves are arranged."))
    return redirect(url_for(".show", campaign_id=campaign_id))


@bp.post("/<uuid:campaign_id>/submit")
@needs(Permission.RUN_CAMPAIGNS)
def submit(campaign_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        act = service.submit(session, current_actor(), campaign_id, now=datetime.now(UTC))
    if act is None:
        flash(_("The campaign may be started."))
    else:
        flash(_("A second officer was asked. When they approve, you can start the campaign."))
    return redirect(url_for(".show", campaign_id=campaign_id))


def _page(campaign_id: UUID, *, form: CorrectedFileForm | None = None, status: int = 200) -> ResponseReturnValue:
    actor, now = current_actor(), datetime.now(UTC)
    with transaction() as session:
        campaign = service.find(session, actor, campaign_id)
        act = session.get(Act, campaign.act_id) if campaign.act_id else None
        page = render_template(
            "campaigns/show.html",
            rejected=progress.rejected(session, campaign_id) if campaign.rows_rejected else [],
            failures=progress.failures(session, campaign_id) if campaign.rows_failed else [],
            invitations=progress.of_invitations(session, campaign),
            act=act,
            act_state=act.state_at(now) if act else None,
            failure=words.failure_words(campaign.failure),
            pace=pace.pace_of(session, campaign_id) if campaign.started_at else None,
            alone=service.ALONE,
            most_xlsx=exports.MOST_XLSX,
            form=form or CorrectedFileForm(formdata=None),
            **_moving(session, actor, campaign, now),
        )
    return page, status


def _moving(session: Session, actor: Actor, campaign: Campaign, now: datetime) -> dict[str, object]:
    """Return what the part of the page needs that changes by itself."""
    checking = campaign.state == CampaignState.CHECKING
    waves = service.waves_of(session, campaign.id)
    shown = waves
    if len(waves) > _MOST_WAVES and request.args.get("waves") != "all":
        # A city has two thousand: those that are still to do come first.
        shown = sorted(waves, key=lambda one: (one[0].state == WaveState.DONE, one[0].position))[:_MOST_WAVES]
    return {
        "campaign": campaign,
        "waves": shown,
        "more_waves": len(waves) - len(shown),
        "progress": progress.of_check(campaign, now=now) if checking else progress.of_run(session, campaign, now=now),
        "may_run": scope.covers(session, actor, Permission.RUN_CAMPAIGNS, campaign.agency_id),
        "words": words,
    }


def _places(session: Session, actor: Actor) -> list[tuple[str, str]]:
    query = select(Agency).where(scope.within(actor, Permission.RUN_CAMPAIGNS, Agency.id)).order_by(Agency.path)
    choices = [(str(agency.id), f"{agency.code} {agency.name}") for agency in session.scalars(query)]
    if scope.covers(session, actor, Permission.RUN_CAMPAIGNS, None):
        choices.insert(0, ("city", str(_("The whole city"))))
    return choices


def _store(upload: FileStorage) -> UploadedFile:
    return UploadedFile(upload.filename or "", storage().put_stream(upload.stream, largest=LARGEST_FILE))


def waiting(session: Session, actor: Actor) -> Sequence[Waiting]:
    """Return what the home page says about campaigns that wait for their officer."""
    if not actor.may(Permission.RUN_CAMPAIGNS):
        return []
    ready = (CampaignState.CHECKED, CampaignState.APPROVED)
    found = service.board(session, actor)
    mine = sum(one.created_by == actor.account_id and one.state in ready for one in found)
    if mine == 0:
        return []
    sentence = ngettext(
        "%(num)s campaign of yours waits for its next step",
        "%(num)s campaigns of yours wait for their next step",
        mine,
    )
    return [Waiting(sentence, url_for("campaigns.board"), mine)]


def init(app: Flask) -> None:
    app.register_blueprint(bp)
    interface.register(app, api.operations)
    interface.register(app, waves_api.operations)
    app.register_blueprint(admin.bp)
    app.register_blueprint(enrolment_page.bp)
    add_place(
        app,
        Place(
            _l("Campaigns"),
            "campaigns.board",
            Permission.READ_CAMPAIGNS,
            _l("Certificates for a ward, an agency or the whole city from one list."),
        ),
    )
    add_waiting(app, waiting)
