"""Pages of the roots that the check trusts, and of the hosts that may be asked about certificates below them."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from cryptography import x509
from flask import Blueprint, Flask, Response, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from app.accounts import service as accounts
from app.approvals.models import Act
from app.core.db import transaction
from app.core.errors import Invalid, TooLarge
from app.core.navigation import Place, add_place
from app.core.permissions import Permission, current_actor, needs
from app.registry import scope
from app.trust import acts, evidence, service, words
from app.trust.forms import HostForm, ImportForm, RemovalForm
from app.trust.models import Kind
from pki.trust_list import LARGEST_FILE

bp = Blueprint("trust", __name__, url_prefix="/trust")

_SHOWN_ANSWERS = 20


def init(app: Flask) -> None:
    app.register_blueprint(bp)
    purpose = _l("Whose signatures a check accepts beside the city's own, and whom it may ask about them.")
    add_place(app, Place(_l("Trusted roots"), "trust.index", Permission.READ_AUDIT, purpose, in_header=False))


@bp.get("")
@needs(*service.READERS)
def index() -> ResponseReturnValue:
    with transaction() as session:
        waiting = acts.waiting(session)
        return render_template(
            "trust/index.html",
            roots=service.roots(session),
            removed=service.removed_anchors(session),
            hosts=service.listed_hosts(session),
            answers=evidence.newest(session, most=_SHOWN_ANSWERS),
            waiting=[(act, acts.title(session, act)) for act in waiting],
            labels=accounts.labels(session, [act.requested_by for act in waiting]),
            host_of=evidence.host_of,
            may_manage=_may_manage(session),
            now=datetime.now(UTC),
            words=words,
        )


@bp.get("/roots.pem")
@needs(*service.READERS)
def export() -> Response:
    with transaction() as session:
        content = service.export(session)
    headers = {"Content-Disposition": 'attachment; filename="chung-thu-goc.pem"'}
    return Response(content, content_type="application/x-pem-file", headers=headers)


@bp.route("/roots/new", methods=["GET", "POST"])
@needs(service.MANAGE)
def new_root() -> ResponseReturnValue:
    form = ImportForm()
    if form.validate_on_submit():
        content = form.file.data.stream.read(LARGEST_FILE + 1)
        try:
            with transaction() as session:
                act = acts.ask_to_import(
                    session,
                    current_actor(),
                    content,
                    kind=Kind(form.kind.data),
                    reason=form.reason.data or "",
                    now=datetime.now(UTC),
                )
            return _asked(act)
        except (Invalid, TooLarge) as error:
            form.file.errors = [f"{error.sentence} {error.next_step or ''}".strip()]
    return render_template("trust/new_root.html", form=form), 422 if form.is_submitted() else 200


@bp.get("/roots/<uuid:anchor_id>")
@needs(*service.READERS)
def show_root(anchor_id: UUID) -> ResponseReturnValue:
    return _root_page(anchor_id, RemovalForm(formdata=None)), 200


@bp.post("/roots/<uuid:anchor_id>/remove")
@needs(service.MANAGE)
def remove_root(anchor_id: UUID) -> ResponseReturnValue:
    form = RemovalForm()
    if not form.validate_on_submit():
        return _root_page(anchor_id, form), 422
    with transaction() as session:
        act = acts.ask_to_remove(
            session, current_actor(), anchor_id, reason=form.reason.data or "", now=datetime.now(UTC)
        )
    return _asked(act)


@bp.route("/hosts/new", methods=["GET", "POST"])
@needs(service.MANAGE)
def new_host() -> ResponseReturnValue:
    form = HostForm()
    if form.validate_on_submit():
        try:
            with transaction() as session:
                act = acts.ask_for_host(
                    session,
                    current_actor(),
                    form.host.data or "",
                    port=form.port.data,
                    may_be_private=bool(form.may_be_private.data),
                    reason=form.reason.data or "",
                    now=datetime.now(UTC),
                )
            return _asked(act)
        except Invalid as error:
            form.host.errors = [str(error)]
    return render_template("trust/new_host.html", form=form), 422 if form.is_submitted() else 200


@bp.get("/hosts/<uuid:host_id>")
@needs(*service.READERS)
def show_host(host_id: UUID) -> ResponseReturnValue:
    return _host_page(host_id, RemovalForm(formdata=None)), 200


@bp.post("/hosts/<uuid:host_id>/remove")
@needs(service.MANAGE)
def remove_host(host_id: UUID) -> ResponseReturnValue:
    form = RemovalForm()
    if not form.validate_on_submit():
        return _host_page(host_id, form), 422
    with transaction() as session:
        service.remove_host(session, current_actor(), host_id, reason=form.reason.data or "", now=datetime.now(UTC))
    flash(_("The host is off the list. From now on nothing is asked there."))
    return redirect(url_for(".index"))


def _asked(act: Act) -> ResponseReturnValue:
    flash(_("Another administrator must approve. Until then nothing changes."))
    return redirect(url_for("approvals.show", act_id=act.id))


def _may_manage(session: Session) -> bool:
    return scope.covers(session, current_actor(), service.MANAGE, None)


def _root_page(anchor_id: UUID, form: RemovalForm) -> str:
    with transaction() as session:
        anchor = service.find_anchor(session, anchor_id)
        below = [x509.load_der_x509_certificate(one) for one in anchor.below_der]
        return render_template(
            "trust/root.html",
            anchor=anchor,
            kind=Kind(anchor.kind),
            certificate=x509.load_der_x509_certificate(anchor.certificate_der),
            below=below,
            imported=acts.people(session, anchor.act_id),
            removed=acts.people(session, anchor.removal_act_id) if anchor.removal_act_id else None,
            impact=acts.removal_impact(session, anchor),
            asked=acts.waiting_for(session, anchor.id),
            may_manage=_may_manage(session),
            form=form,
            now=datetime.now(UTC),
            words=words,
        )


def _host_page(host_id: UUID, form: RemovalForm) -> str:
    with transaction() as session:
        host = service.find_host(session, host_id)
        return render_template(
            "trust/host.html",
            host=host,
            added=acts.people(session, host.act_id),
            removed_by=accounts.labels(session, [host.removed_by]).get(host.removed_by) if host.removed_by else None,
            may_manage=_may_manage(session),
            form=form,
            words=words,
        )
