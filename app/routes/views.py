"""Pages of routes: the board, one route with its acts, its papers. Composing, deputies and inboxes have their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, Flask, Response, flash, has_app_context, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy.orm import Session

from app.core.db import transaction
from app.core.errors import Invalid, NotFound
from app.core.navigation import Place, Waiting, add_place, add_waiting
from app.core.permissions import Actor, Permission, current_actor, needs
from app.core.running import storage
from app.documents import service as documents
from app.routes import (
    board,
    compose_pages,
    delegation_pages,
    dispatch,
    drafts,
    inbox,
    inbox_pages,
    layout,
    outside_page,
    paper_files,
    replacement,
    service,
    timeline,
    visibility,
    words,
)
from app.routes.board import Filter
from app.routes.forms import NameForm, NoteForm, ReasonForm, VersionForm, WithdrawForm
from app.routes.holding import NO_PAPER, NO_ROUTE, find
from app.routes.models import Route, RouteState

bp = Blueprint("routes", __name__, url_prefix="/routes")


def init(app: Flask) -> None:
    documents.register_visibility(visibility.shows)
    service.register_starter(_refuse_breaches)
    app.register_blueprint(bp)
    for blueprint in (compose_pages.bp, delegation_pages.bp, inbox_pages.bp, outside_page.bp):
        app.register_blueprint(blueprint)
    purpose = _l("Send a document to those who initial, check, sign and issue it.")
    add_place(app, Place(_l("Routes"), "routes.index", Permission.FOLLOW_ROUTES, purpose))
    purpose = _l("What other agencies sent to yours.")
    add_place(app, Place(_l("Incoming"), "inbox.index", Permission.FOLLOW_ROUTES, purpose))
    purpose = _l("Who acts for you while you are away.")
    add_place(app, Place(_l("Deputies"), "deputies.index", None, purpose, in_header=False))
    add_waiting(app, _waiting)


@bp.get("")
@needs(Permission.FOLLOW_ROUTES)
def index() -> ResponseReturnValue:
    wanted, now = _filter(), datetime.now(UTC)
    with transaction() as session:
        actor = current_actor()
        found = board.search(session, actor, wanted, page=request.args.get("page", 1, type=int))
        return render_template(
            "routes/index.html",
            found=found,
            wanted=wanted,
            turns=board.waiting_for(session, actor, now=now),
            back=board.came_back(session, actor),
            whose={route.id: board.whose_turn(session, route) for route in found.routes},
            words=words,
            now=now,
        )


@bp.get("/routes.csv")
@needs(Permission.FOLLOW_ROUTES)
def export() -> Response:
    with transaction() as session:
        content = board.export(session, current_actor(), _filter())
    return Response(
        content,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="luong-trinh-ky.csv"'},
    )


@bp.get("/<uuid:route_id>")
@needs(Permission.FOLLOW_ROUTES)
def show(route_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        route = find(session, current_actor(), route_id)
        if route.state == RouteState.DRAFT:
            return redirect(url_for("compose.show", route_id=route_id))
        return _page(session, route, NoteForm(data={"version": route.version}))


@bp.get("/of/<uuid:document_id>")
@needs(Permission.SIGN_DOCUMENTS)
def of_document(document_id: UUID) -> ResponseReturnValue:
    """Lead from a paper to its route, or to where one begins."""
    with transaction() as session:
        actor = current_actor()
        documents.find(session, actor, document_id)
        route_id = board.route_of(session, actor, document_id)
    if route_id is None:
        return redirect(url_for("compose.new", document=document_id))
    return redirect(url_for(".show", route_id=route_id))


@bp.post("/<uuid:route_id>/start")
@needs(Permission.FOLLOW_ROUTES)
def start(route_id: UUID) -> ResponseReturnValue:
    form = VersionForm()
    try:
        with transaction() as session:
            service.start(session, current_actor(), route_id, route_version=_version(form), now=datetime.now(UTC))
    except Invalid as error:
        return compose_pages.page(route_id, problem=f"{error} {error.next_step or ''}".strip())
    flash(_("The route is on its way. Whose turn it is gets an e-mail now."))
    return redirect(url_for(".show", route_id=route_id))


@bp.post("/<uuid:route_id>/steps/<uuid:step_id>/checked")
@needs(Permission.FOLLOW_ROUTES)
def checked(route_id: UUID, step_id: UUID) -> ResponseReturnValue:
    form = NoteForm()
    if not form.validate_on_submit():
        with transaction() as session:
            return _page(session, find(session, current_actor(), route_id), form), 422
    with transaction() as session:
        service.format_checked(
            session,
            current_actor(),
            route_id,
            step_id,
            note=form.note.data or "",
            route_version=_version(form),
            now=datetime.now(UTC),
        )
    flash(_("The form is checked. The route goes on to the next step."))
    return redirect(url_for(".show", route_id=route_id))


@bp.route("/<uuid:route_id>/decline", methods=["GET", "POST"])
@needs(Permission.FOLLOW_ROUTES)
def decline(route_id: UUID) -> ResponseReturnValue:
    form = ReasonForm()

    def act(session: Session, now: datetime) -> Route:
        return service.decline(
            session, current_actor(), route_id, reason=form.reason.data, route_version=_version(form), now=now
        )

    return _confirm(route_id, form, "routes/decline.html", act, _("The document is back with its drafter."))


@bp.route("/<uuid:route_id>/withdraw", methods=["GET", "POST"])
@needs(Permission.FOLLOW_ROUTES)
def withdraw(route_id: UUID) -> ResponseReturnValue:
    form = WithdrawForm()

    def act(session: Session, now: datetime) -> Route:
        reason = form.reason.data or ""
        return service.withdraw(
            session, current_actor(), route_id, reason=reason, route_version=_version(form), now=now
        )

    return _confirm(route_id, form, "routes/withdraw.html", act, _("The route is withdrawn."))


@bp.post("/<uuid:route_id>/resume")
@needs(Permission.FOLLOW_ROUTES)
def resume(route_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        service.resume(session, current_actor(), route_id, route_version=_version(VersionForm()), now=datetime.now(UTC))
    flash(_("The document goes back to who sent it to you."))
    return redirect(url_for(".show", route_id=route_id))


@bp.route("/<uuid:route_id>/replace", methods=["GET", "POST"])
@needs(Permission.FOLLOW_ROUTES)
def replace(route_id: UUID) -> ResponseReturnValue:
    form, problem = VersionForm(), ""
    if form.validate_on_submit():
        try:
            with transaction() as session:
                new = replacement.replace(
                    session,
                    current_actor(),
                    route_id,
                    _successors(),
                    route_version=_version(form),
                    now=datetime.now(UTC),
                )
            flash(_("The old route says that it is replaced. Look at the steps, then start the new one."))
            return redirect(url_for("compose.show", route_id=new.id))
        except Invalid as error:
            problem = str(error)
    with transaction() as session:
        actor = current_actor()
        route = find(session, actor, route_id)
        if route.drafter_id != actor.person_id:
            raise NotFound(NO_ROUTE)
        fresh = VersionForm(formdata=None, data={"version": route.version})
        page = render_template(
            "routes/replace.html",
            route=route,
            form=fresh,
            documents=drafts.attachable(session, actor),
            problem=problem,
        )
        return page, 422 if form.is_submitted() else 200


@bp.post("/<uuid:route_id>/template")
@needs(Permission.FOLLOW_ROUTES)
def save_template(route_id: UUID) -> ResponseReturnValue:
    form = NameForm()
    if not form.validate_on_submit():
        raise Invalid(_l("Enter a name for the template, up to 200 characters."))
    with transaction() as session:
        actor = current_actor()
        drafts.save_as_template(
            session, actor, find(session, actor, route_id), name=form.name.data, now=datetime.now(UTC)
        )
    flash(_("The template is saved. It can be chosen when a route is begun."))
    return redirect(url_for("compose.templates"))


@bp.post("/<uuid:route_id>/recipients/<uuid:dispatch_id>/<any(renew, revoke):act>")
@needs(Permission.FOLLOW_ROUTES)
def change_link(route_id: UUID, dispatch_id: UUID, act: str) -> ResponseReturnValue:
    change = dispatch.renew_link if act == "renew" else dispatch.revoke_link
    with transaction() as session:
        actor = current_actor()
        change(session, actor, find(session, actor, route_id), dispatch_id, now=datetime.now(UTC))
    flash(_("A new link is on its way; the one before no longer works.") if act == "renew" else _("The link is ended."))
    return redirect(url_for(".show", route_id=route_id, _anchor="recipients"))


@bp.get("/<uuid:route_id>/documents/<uuid:document_id>")
@needs(Permission.FOLLOW_ROUTES)
def download(route_id: UUID, document_id: UUID) -> ResponseReturnValue:
    """Send the newest version of a paper of the envelope as a file to keep."""
    with transaction() as session:
        route = find(session, current_actor(), route_id)
        paper = next((one for one in route.papers if one.document_id == document_id), None)
        if paper is None:
            raise NotFound(NO_PAPER)
        return paper_files.answer(paper.document, paper.document.newest)


def _page(session: Session, route: Route, form: NoteForm) -> str:
    actor, now = current_actor(), datetime.now(UTC)
    mine = service.my_steps(session, route, actor, now=now)
    name = NameForm(formdata=None, data={"name": route.title})
    return render_template(
        "routes/show.html",
        route=route,
        groups=timeline.of(session, route, now=now),
        mine=[step for step in mine if not service.has_acted_everywhere(route, step)],
        is_drafter=route.drafter_id == actor.person_id,
        may_issue=service.may_issue(session, actor, route),
        is_sender=dispatch.is_sender(session, actor, route),
        successor=replacement.successor_of(session, route),
        recipients=dispatch.of_route(session, route),
        whose=board.whose_turn(session, route),
        form=form,
        act=VersionForm(formdata=None, data={"version": route.version}),
        name=name,
        words=words,
        now=now,
    )


def _confirm(
    route_id: UUID,
    form: ReasonForm | WithdrawForm,
    template: str,
    act: Callable[[Session, datetime], Route],
    done: str,
) -> ResponseReturnValue:
    """Show what an act means, and do it when the form comes back filled in."""
    if form.validate_on_submit():
        with transaction() as session:
            act(session, datetime.now(UTC))
        flash(done)
        return redirect(url_for(".show", route_id=route_id))
    with transaction() as session:
        route = find(session, current_actor(), route_id)
        if not form.is_submitted():
            form.version.data = route.version
        page = render_template(template, route=route, form=form, whose=board.whose_turn(session, route))
        return page, 422 if form.is_submitted() else 200


def _version(form: VersionForm) -> int:
    """Return the version of the route that the page showed. Raises Invalid for a form that was tampered with."""
    if form.version.data is None:
        raise Invalid(_l("The page was not complete. Nothing was changed."), _l("Reload the page and try again."))
    return int(form.version.data)


def _successors() -> dict[UUID, UUID]:
    """Read the choices of the page of replacement: for a paper, the one that takes its place."""
    chosen = {}
    for name, value in request.form.items():
        if name.startswith("paper-") and value:
            try:
                chosen[UUID(name.removeprefix("paper-"))] = UUID(value)
            except ValueError as error:
                raise Invalid(_l("Choose the document that takes the place of the old one.")) from error
    return chosen


def _filter() -> Filter:
    state = request.args.get("state", "")
    known = {one.value for one in RouteState}
    return Filter(
        text=request.args.get("q", "")[:200],
        state=RouteState(state) if state in known else None,
        mine=request.args.get("mine") == "1",
    )


def _waiting(session: Session, actor: Actor) -> Sequence[Waiting]:
    if not actor.may(Permission.FOLLOW_ROUTES):
        return []
    turns = len(board.waiting_for(session, actor, now=datetime.now(UTC)))
    back = len(board.came_back(session, actor))
    received = inbox.unread(session, actor)
    return [
        Waiting(
            ngettext("%(num)d document waits for your turn", "%(num)d documents wait for your turn", turns),
            url_for("routes.index"),
            turns,
        ),
        Waiting(
            ngettext("%(num)d route was sent back to you", "%(num)d routes were sent back to you", back),
            url_for("routes.index", state=RouteState.DECLINED, mine=1),
            back,
        ),
        Waiting(
            ngettext("%(num)d incoming document is new", "%(num)d incoming documents are new", received),
            url_for("inbox.index", state="new"),
            received,
        ),
    ]


def _refuse_breaches(session: Session, actor: Actor, route: Route, now: datetime) -> None:
    """A paper that breaks what cannot be put right later does not start. A command has no storage at hand."""
    del actor, now
    if has_app_context():
        layout.refuse_breaches(session, storage(), route)
