"""Pages on which a route or a template is put together. Every act is a form of its own, so no script is needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.db import transaction
from app.core.errors import AppError, Conflict, Invalid
from app.core.permissions import Permission, current_actor, needs
from app.core.running import storage
from app.marks.layout import is_refused
from app.marks.words import breach
from app.registry.models import Agency, Post
from app.registry.search import pattern
from app.routes import dispatch, drafts, layout, people, rules, timeline, words
from app.routes.drafts import NewStep
from app.routes.forms import POST, AddressForm, AgencyForm, AttachForm, NameForm, NewRouteForm, StepForm, VersionForm
from app.routes.models import Act, Route, RouteState

bp = Blueprint("compose", __name__, url_prefix="/routes")


@bp.route("/new", methods=["GET", "POST"])
@needs(Permission.SIGN_DOCUMENTS)
def new() -> ResponseReturnValue:
    form = NewRouteForm(data={"document": request.args.get("document"), "template": request.args.get("template")})
    with transaction() as session:
        actor = current_actor()
        found = drafts.attachable(session, actor)
        form.document.choices = [(str(one.id), one.title) for one in found]
        form.template.choices = [("", _("None: I add the steps myself"))]
        form.template.choices += [(str(one.id), one.title) for one in drafts.templates(session, actor)]
        if not form.validate_on_submit():
            page_ = render_template("routes/new.html", form=form, documents=found)
            return page_, 422 if form.is_submitted() else 200
    with transaction() as session:
        template_id = UUID(form.template.data) if form.template.data else None
        document_id = UUID(form.document.data)
        route = drafts.create(session, current_actor(), document_id, template_id=template_id, now=datetime.now(UTC))
    return redirect(url_for(".show", route_id=route.id))


@bp.route("/templates", methods=["GET", "POST"])
@needs(Permission.FOLLOW_ROUTES)
def templates() -> ResponseReturnValue:
    form = NameForm()
    if form.validate_on_submit():
        with transaction() as session:
            made = drafts.create_template(session, current_actor(), name=form.name.data, now=datetime.now(UTC))
        return redirect(url_for(".show", route_id=made.id))
    with transaction() as session:
        found = drafts.templates(session, current_actor())
        page_ = render_template("routes/templates.html", templates=found, form=form)
        return page_, 422 if form.is_submitted() else 200


@bp.get("/<uuid:route_id>/compose")
@needs(Permission.FOLLOW_ROUTES)
def show(route_id: UUID) -> ResponseReturnValue:
    return page(route_id)


@bp.post("/<uuid:route_id>/steps")
@needs(Permission.FOLLOW_ROUTES)
def add_step(route_id: UUID) -> ResponseReturnValue:
    form = StepForm()
    form.who.choices = [(form.who.data, "")]
    if not form.validate_on_submit():
        return page(route_id, step=form)
    step = NewStep(
        act=Act(form.act.data),
        post_id=_uuid(form.who.data),
        by_post=form.means.data == POST,
        beside=form.beside.data,
        days=form.days.data,
    )
    return _change(route_id, lambda session: drafts.add_step(session, current_actor(), route_id, step), "steps")


@bp.post("/<uuid:route_id>/steps/<uuid:step_id>/<any(up, down, join, remove):act>")
@needs(Permission.FOLLOW_ROUTES)
def change_step(route_id: UUID, step_id: UUID, act: str) -> ResponseReturnValue:
    def change(session: Session) -> Route:
        actor = current_actor()
        if act == "remove":
            return drafts.remove_step(session, actor, route_id, step_id)
        if act == "join":
            return drafts.join_step(session, actor, route_id, step_id)
        return drafts.move_step(session, actor, route_id, step_id, up=act == "up")

    return _change(route_id, change, "steps")


@bp.post("/<uuid:route_id>/documents")
@needs(Permission.FOLLOW_ROUTES)
def attach(route_id: UUID) -> ResponseReturnValue:
    document_id = _uuid(request.form.get("document", ""))
    return _change(
        route_id, lambda session: drafts.attach(session, current_actor(), route_id, document_id), "documents"
    )


@bp.post("/<uuid:route_id>/documents/<uuid:document_id>/remove")
@needs(Permission.FOLLOW_ROUTES)
def detach(route_id: UUID, document_id: UUID) -> ResponseReturnValue:
    return _change(
        route_id, lambda session: drafts.detach(session, current_actor(), route_id, document_id), "documents"
    )


@bp.post("/<uuid:route_id>/agencies")
@needs(Permission.FOLLOW_ROUTES)
def add_agency(route_id: UUID) -> ResponseReturnValue:
    agency_id = _uuid(request.form.get("agency", ""))

    def change(session: Session) -> Route:
        route = drafts.find(session, current_actor(), route_id)
        dispatch.add_agency(session, route, agency_id)
        return route

    return _change(route_id, change, "recipients")


@bp.post("/<uuid:route_id>/addresses")
@needs(Permission.FOLLOW_ROUTES)
def add_address(route_id: UUID) -> ResponseReturnValue:
    form = AddressForm()
    if not form.validate_on_submit():
        return page(route_id, address=form)

    def change(session: Session) -> Route:
        route = drafts.find(session, current_actor(), route_id)
        dispatch.add_address(session, route, name=form.name.data, email=form.email.data)
        return route

    return _change(route_id, change, "recipients")


@bp.post("/<uuid:route_id>/recipients/<uuid:dispatch_id>/remove")
@needs(Permission.FOLLOW_ROUTES)
def remove_recipient(route_id: UUID, dispatch_id: UUID) -> ResponseReturnValue:
    def change(session: Session) -> Route:
        route = drafts.find(session, current_actor(), route_id)
        dispatch.remove(session, route, dispatch_id)
        return route

    return _change(route_id, change, "recipients")


@bp.post("/<uuid:route_id>/discard")
@needs(Permission.FOLLOW_ROUTES)
def discard(route_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        drafts.discard(session, current_actor(), route_id)
    flash(_("It is deleted. The documents stay where they were."))
    return redirect(url_for("routes.index"))


def page(
    route_id: UUID, *, step: StepForm | None = None, address: AddressForm | None = None, problem: str = ""
) -> ResponseReturnValue:
    """Return the page of a draft or a template; with a problem, or a form that has one, as 422."""
    text, agency_text = request.args.get("q", "")[:100], request.args.get("agency", "")[:100]
    with transaction() as session:
        actor = current_actor()
        route = drafts.find(session, actor, route_id)
        found = people.find(session, text, Permission.FOLLOW_ROUTES)
        step = step or StepForm(formdata=None)
        step.who.choices = [(str(post.id), _described(post)) for post in found]
        agency = AgencyForm(formdata=None)
        agency.agency.choices = [(str(one.id), one.name) for one in _agencies(session, agency_text)]
        attachment = AttachForm(formdata=None)
        attachment.document.choices = [(str(one.id), one.title) for one in drafts.attachable(session, actor)]
        found_in = layout.findings(session, storage(), route)
        shown = render_template(
            "routes/compose.html",
            route=route,
            is_template=route.state == RouteState.TEMPLATE,
            groups=timeline.of(session, route, now=datetime.now(UTC)),
            faults=rules.faults_of(session, route),
            layout=found_in,
            is_blocked=any(is_refused(one) for broken in found_in.values() for one in broken),
            breach=breach,
            is_refused=is_refused,
            step=step,
            text=text,
            agency=agency,
            agency_text=agency_text,
            attachment=attachment,
            address=address or AddressForm(formdata=None),
            recipients=dispatch.of_route(session, route),
            act=VersionForm(formdata=None, data={"version": route.version}),
            problem=problem,
            words=words,
        )
    return shown, 422 if problem or (step and step.errors) or (address and address.errors) else 200


def _change(route_id: UUID, change: Callable[[Session], Route], anchor: str) -> ResponseReturnValue:
    """Do one change of a draft and come back to where it shows; what cannot be done stands above the page."""
    try:
        with transaction() as session:
            change(session)
    except (Invalid, Conflict) as error:
        if isinstance(error, Conflict) and not _is_composed(route_id):
            raise
        return page(route_id, problem=_sentence(error))
    return redirect(url_for("compose.show", route_id=route_id, _anchor=anchor))


def _is_composed(route_id: UUID) -> bool:
    with transaction() as session:
        route = session.get(Route, route_id)
        return route is not None and route.state in (RouteState.DRAFT, RouteState.TEMPLATE)


def _sentence(error: AppError) -> str:
    return f"{error} {error.next_step or ''}".strip()


def _uuid(text: str | None) -> UUID:
    try:
        return UUID(text or "")
    except ValueError as error:
        raise Invalid(_l("Choose one of the list."), _l("Search again if the list is empty.")) from error


def _agencies(session: Session, text: str) -> Sequence[Agency]:
    if not text.strip():
        return []
    query = (
        select(Agency)
        .where(Agency.search_name.like(pattern(text)), Agency.merged_into_id.is_(None))
        .order_by(Agency.search_name)
        .limit(15)
    )
    return session.scalars(query).all()


def _described(post: Post) -> str:
    return f"{post.person.full_name}, {post.title}, {post.agency.name}"
