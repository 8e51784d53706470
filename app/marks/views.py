"""Pages of pictures: one's own signature, an agency's seal, and what was found in a picture before it is used."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from flask import Blueprint, Flask, Response, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.core.db import transaction
from app.core.errors import Invalid, TooMany
from app.core.navigation import Place, add_place
from app.core.permissions import Permission, current_actor, needs
from app.core.problems import status_of, wants_json
from app.core.security import takes_upload
from app.core.throttle import may_pass
from app.marks import service
from app.marks.forms import ActForm, PictureForm, SealForm
from app.marks.models import MarkPicture, PictureState
from app.marks.service import Owner
from app.marks.words import STATES
from app.registry.models import Agency
from pki.layout.cleaning import LARGEST_FILE

bp = Blueprint("marks", __name__, url_prefix="/marks")


def init(app: Flask) -> None:
    app.register_blueprint(bp)
    purpose = _l("The picture of your handwritten signature, for documents that need it.")
    add_place(app, Place(_l("My signature"), "marks.signature", Permission.SIGN_DOCUMENTS, purpose, in_header=False))


@bp.route("/signature", methods=["GET", "POST"])
@needs(Permission.SIGN_DOCUMENTS)
@takes_upload
def signature() -> ResponseReturnValue:
    owner = service.own(current_actor())
    return _upload(PictureForm(), owner, None)


@bp.route("/seals/<uuid:agency_id>", methods=["GET", "POST"])
@needs(Permission.MANAGE_SEALS)
@takes_upload
def seal(agency_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        agency = service.agency(session, current_actor(), agency_id)
    return _upload(SealForm(), Owner(agency_id=agency.id), agency)


@bp.get("/<uuid:picture_id>")
@needs(Permission.SIGN_DOCUMENTS, Permission.MANAGE_SEALS)
def show(picture_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        picture = service.find(session, current_actor(), picture_id)
        state = PictureState(picture.state)
        return render_template(
            "marks/show.html", picture=picture, state=state, states=STATES, agency=picture.agency, form=ActForm()
        )


@bp.get("/<uuid:picture_id>/after.png")
@needs(Permission.SIGN_DOCUMENTS, Permission.MANAGE_SEALS)
def after(picture_id: UUID) -> Response:
    with transaction() as session:
        return Response(service.find(session, current_actor(), picture_id).png, content_type="image/png")


@bp.get("/<uuid:picture_id>/before.png")
@needs(Permission.SIGN_DOCUMENTS, Permission.MANAGE_SEALS)
def before(picture_id: UUID) -> Response:
    with transaction() as session:
        return Response(service.find(session, current_actor(), picture_id).before_png, content_type="image/png")


@bp.post("/<uuid:picture_id>/accept")
@needs(Permission.SIGN_DOCUMENTS, Permission.MANAGE_SEALS)
def accept(picture_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        picture = service.find(session, current_actor(), picture_id)
        service.accept(session, current_actor(), picture, now=datetime.now(UTC))
    flash(_("The picture is in use. It appears on the next document."))
    return redirect(_home(picture))


@bp.post("/<uuid:picture_id>/discard")
@needs(Permission.SIGN_DOCUMENTS, Permission.MANAGE_SEALS)
def discard(picture_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        picture = service.find(session, current_actor(), picture_id)
        service.discard(session, current_actor(), picture, now=datetime.now(UTC))
    flash(_("The picture was put away. You can send another one."))
    return redirect(_home(picture))


@bp.post("/<uuid:picture_id>/withdraw")
@needs(Permission.SIGN_DOCUMENTS, Permission.MANAGE_SEALS)
def withdraw(picture_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        picture = service.find(session, current_actor(), picture_id)
        service.withdraw(session, current_actor(), picture, now=datetime.now(UTC))
    flash(_("The picture is withdrawn. From the next document on, text stands in its place."))
    return redirect(_home(picture))


def _upload(form: PictureForm, owner: Owner, agency: Agency | None) -> ResponseReturnValue:
    if not form.validate_on_submit():
        return _page(form, owner, agency), 422 if form.is_submitted() else 200
    diameter = float(form.diameter_mm.data) if isinstance(form, SealForm) else None
    now = datetime.now(UTC)
    with transaction() as session:
        # Committed by itself: each picture takes up to seconds of a core.
        if not may_pass(session, f"picture:{current_actor().account_id}", limit=20, per=timedelta(minutes=1), now=now):
            raise TooMany(_l("There were too many tries."), _l("Wait a minute, then try again."))
    try:
        content = form.file.data.stream.read(LARGEST_FILE + 1)
        with transaction() as session:
            made = service.propose(session, current_actor(), owner, content, diameter_mm=diameter, now=now)
    except Invalid as error:
        if wants_json():
            raise
        # The sentence stands at the field, where the next try begins.
        form.file.errors = [f"{error.sentence} {error.next_step or ''}".strip()]
        return _page(form, owner, agency), status_of(error)
    return redirect(url_for(".show", picture_id=made.id))


def _page(form: PictureForm, owner: Owner, agency: Agency | None) -> str:
    with transaction() as session:
        pictures = service.pictures_of(session, owner)
        in_use = next((one for one in pictures if one.state == PictureState.IN_USE), None)
        shown = [(one, STATES[PictureState(one.state)]) for one in pictures]
        return render_template("marks/upload.html", form=form, agency=agency, in_use=in_use, pictures=shown)


def _home(picture: MarkPicture) -> str:
    if picture.agency_id is None:
        return url_for(".signature")
    return url_for(".seal", agency_id=picture.agency_id)
