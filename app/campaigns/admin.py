"""Acts on a running campaign, its results as files, and its invitations."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from app.campaigns import exports, invitations, letters, progress, service, words
from app.campaigns.forms import ActForm, StopForm
from app.core.db import transaction
from app.core.errors import Conflict
from app.core.permissions import Permission, current_actor, needs
from app.core.running import settings
from app.notices import service as notices

bp = Blueprint("campaigns_admin", __name__, url_prefix="/campaigns/<uuid:campaign_id>")


@bp.post("/reopen")
@needs(Permission.RUN_CAMPAIGNS)
def reopen(campaign_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        service.reopen(session, current_actor(), campaign_id, now=datetime.now(UTC))
    flash(_("The campaign is yours again. Nothing was started."))
    return _back(campaign_id)


@bp.post("/start")
@needs(Permission.RUN_CAMPAIGNS)
def start(campaign_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        service.start(session, current_actor(), campaign_id, now=datetime.now(UTC))
    flash(_("The campaign is started. This page shows how far it is; you can leave it and come back."))
    return _back(campaign_id)


@bp.post("/pause")
@needs(Permission.RUN_CAMPAIGNS)
def pause(campaign_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        service.pause(session, current_actor(), campaign_id)
    flash(_("The campaign is paused. What was under way is finished within seconds."))
    return _back(campaign_id)


@bp.post("/resume")
@needs(Permission.RUN_CAMPAIGNS)
def resume(campaign_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        service.resume(session, current_actor(), campaign_id)
    flash(_("The campaign goes on."))
    return _back(campaign_id)


@bp.route("/stop", methods=["GET", "POST"])
@needs(Permission.RUN_CAMPAIGNS)
def stop(campaign_id: UUID) -> ResponseReturnValue:
    actor = current_actor()
    with transaction() as session:
        campaign = service.find_own(session, actor, campaign_id)
    form = StopForm(campaign)
    if not form.validate_on_submit():
        page = render_template("campaigns/stop.html", campaign=campaign, form=form)
        return page, 422 if form.is_submitted() else 200
    with transaction() as session:
        service.stop(session, actor, campaign_id, now=datetime.now(UTC))
    flash(_("The campaign is stopped. What was issued stays."))
    return _back(campaign_id)


@bp.post("/waves/<uuid:wave_id>/pause")
@needs(Permission.RUN_CAMPAIGNS)
def pause_wave(campaign_id: UUID, wave_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        service.pause_wave(session, current_actor(), campaign_id, wave_id)
    return _back(campaign_id)


@bp.post("/waves/<uuid:wave_id>/resume")
@needs(Permission.RUN_CAMPAIGNS)
def resume_wave(campaign_id: UUID, wave_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        service.resume_wave(session, current_actor(), campaign_id, wave_id)
    return _back(campaign_id)


@bp.get("/rows.<any(csv, xlsx):kind>")
@needs(Permission.READ_CAMPAIGNS)
def rows(campaign_id: UUID, kind: str) -> Response:
    with transaction() as session:
        campaign = service.find(session, current_actor(), campaign_id)
        head = exports.head()
    name = f"ket-qua-{campaign.created_at:%Y%m%d}-{str(campaign.id)[:8]}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    if kind == "xlsx":
        if campaign.rows_checked > exports.MOST_XLSX:
            raise Conflict(_l("This list is too long for a workbook."), _l("Take the CSV file."))
        return Response(exports.xlsx(campaign_id, head), content_type=exports.XLSX, headers=headers)
    body = stream_with_context(exports.csv_lines(campaign_id, head))
    return Response(body, content_type="text/csv; charset=utf-8", headers=headers)


@bp.get("/invitations")
@needs(Permission.READ_CAMPAIGNS)
def show_invitations(campaign_id: UUID) -> ResponseReturnValue:
    actor, text = current_actor(), request.args.get("q", "").strip()[:100]
    with transaction() as session:
        campaign = service.find(session, actor, campaign_id)
        found = progress.search(session, campaign_id, text) if text else []
        undelivered = progress.undelivered(session, campaign_id)
        again = progress.asked_again(session, campaign_id)
        numbers = [one.row_number for one, _notice in undelivered] + [one.row_number for one in (*again, *found)]
        return render_template(
            "campaigns/invitations.html",
            campaign=campaign,
            counts=progress.of_invitations(session, campaign),
            text=text,
            found=found,
            now=datetime.now(UTC),
            undelivered=undelivered,
            again=again,
            names=progress.names_of(session, campaign_id, numbers),
            print_files=letters.print_files(session, campaign_id),
            may_run=actor.may(Permission.RUN_CAMPAIGNS),
            form=ActForm(formdata=None),
            words=words,
        )


@bp.post("/invitations/resend")
@needs(Permission.RUN_CAMPAIGNS)
def resend(campaign_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        service.find_own(session, current_actor(), campaign_id)
        failed = [one.id for one, _notice in progress.undelivered(session, campaign_id)]
        count = notices.send_failed_again(session, failed)
    flash(ngettext("%(num)s letter is sent again.", "%(num)s letters are sent again.", count))
    return redirect(url_for(".show_invitations", campaign_id=campaign_id))


@bp.post("/invitations/<int:number>/letter")
@needs(Permission.RUN_CAMPAIGNS)
def to_letter(campaign_id: UUID, number: int) -> ResponseReturnValue:
    with transaction() as session:
        invitations.switch_to_letter(session, current_actor(), campaign_id, number)
    flash(_("This person gets a printed letter."))
    return redirect(url_for(".show_invitations", campaign_id=campaign_id))


@bp.post("/invitations/<int:number>/renew")
@needs(Permission.RUN_CAMPAIGNS)
def renew(campaign_id: UUID, number: int) -> ResponseReturnValue:
    with transaction() as session:
        invitations.renew(session, settings(), current_actor(), campaign_id, number, now=datetime.now(UTC))
    flash(_("The person has a new link; the old one no longer works."))
    return redirect(url_for(".show_invitations", campaign_id=campaign_id))


@bp.post("/waves/<uuid:wave_id>/letters.pdf")
@needs(Permission.RUN_CAMPAIGNS)
def print_letters(campaign_id: UUID, wave_id: UUID) -> Response:
    run = request.form.get("run", type=datetime.fromisoformat)
    with transaction() as session:
        pdf = letters.print_run(session, settings(), current_actor(), campaign_id, wave_id, run, now=datetime.now(UTC))
    headers = {"Content-Disposition": f'attachment; filename="thu-moi-{str(wave_id)[:8]}.pdf"'}
    return Response(pdf, content_type="application/pdf", headers=headers)


def _back(campaign_id: UUID) -> ResponseReturnValue:
    return redirect(url_for("campaigns.show", campaign_id=campaign_id))
