"""Pages of the holder: own certificates, asking for one, suspending one."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, Flask, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy.orm import Session

from app.certificates import (
    admin,
    api,
    authorities_api,
    authority_pages,
    bulk_revocation_api,
    bulk_revocation_pages,
    console_pages,
    holder_pages,
    posts,
    posts_pages,
    profile_pages,
    register,
    register_pages,
    renewals,
    renewals_by_holder,
    requests,
    revocation_pages,
    revocations,
    words,
)
from app.certificates.forms import ActForm
from app.certificates.models import CertificateRequest, RequestState
from app.core.db import transaction
from app.core.errors import Invalid, NotFound
from app.core.i18n import day
from app.core.navigation import Place, Waiting, add_place, add_waiting
from app.core.permissions import Actor, Permission, current_actor, needs
from app.interface import views as interface
from app.registry import service as registry

bp = Blueprint("certificates", __name__, url_prefix="/certificates")


@bp.get("/")
@needs(Permission.HOLD_CERTIFICATE)
def index() -> ResponseReturnValue:
    person_id, now = _own_person(), datetime.now(UTC)
    with transaction() as session:
        found = register.of_person(session, person_id)
        current = register.current_of_person(session, person_id, now=now)
        newest = requests.newest_request(session, person_id)
        ends = renewals.planned_ends(session, [one.id for one in found])
        may_renew = current is not None and renewals_by_holder.is_due(session, current, now=now)
    return render_template(
        "certificates/index.html",
        certificates=found,
        current=current,
        newest=newest,
        ends=ends,
        may_renew=may_renew,
        now=now,
        words=words,
    )


@bp.get("/new")
@needs(Permission.HOLD_CERTIFICATE)
def new() -> ResponseReturnValue:
    person_id, now = _own_person(), datetime.now(UTC)
    with transaction() as session:
        pending = requests.open_request(session, person_id)
        if pending is not None:
            return redirect(url_for(".show_request", request_id=pending.id))
        challenge = requests.new_challenge(session, current_actor(), now=now)
        person = registry.person(session, person_id)
        current = register.current_of_person(session, person_id, now=now)
    return render_template("certificates/new.html", challenge=challenge, person=person, current=current)


@bp.post("/requests")
@needs(Permission.HOLD_CERTIFICATE)
def submit() -> ResponseReturnValue:
    csr_der, challenge = _read_submission(request.get_json(silent=True))
    with transaction() as session:
        made = requests.submit(session, current_actor(), csr_der, challenge, now=datetime.now(UTC))
    return jsonify({"href": url_for(".show_request", request_id=made.id)}), 201


@bp.get("/requests/<uuid:request_id>")
@needs(Permission.HOLD_CERTIFICATE)
def show_request(request_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        found = _own_request(session, request_id)
        issued_id = found.certificate_id if found.state == RequestState.ISSUED else None
        certificate = register.find(session, issued_id) if issued_id else None
    return render_template("certificates/request.html", request_=found, certificate=certificate, words=words)


@bp.get("/requests/<uuid:request_id>/state")
@needs(Permission.HOLD_CERTIFICATE)
def request_state(request_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        found = _own_request(session, request_id)
    return jsonify({"state": found.state})


@bp.route("/<uuid:certificate_id>/suspend", methods=["GET", "POST"])
@needs(Permission.HOLD_CERTIFICATE)
def suspend(certificate_id: UUID) -> ResponseReturnValue:
    form, person_id = ActForm(), _own_person()
    if not form.validate_on_submit():
        with transaction() as session:
            certificate = register.find_own(session, person_id, certificate_id)
        return render_template("certificates/suspend.html", certificate=certificate, form=form)
    with transaction() as session:
        revocations.suspend_own(session, current_actor(), certificate_id, now=datetime.now(UTC))
    flash(_("Your certificate is suspended. Nobody can sign with it until an administrator releases it."))
    return redirect(url_for(".index"))


def waiting(session: Session, actor: Actor) -> Sequence[Waiting]:
    """Return what the home page says about certificates."""
    found = []
    if actor.may(Permission.APPROVE_CERTIFICATES):
        count = len(requests.pending(session, actor))
        sentence = ngettext(
            "%(num)s request for a certificate waits for a decision",
            "%(num)s requests for a certificate wait for a decision",
            count,
        )
        found.append(Waiting(sentence, url_for("certificates_admin.pending"), count))
    if actor.may(Permission.REVOKE_CERTIFICATES):
        proposed = posts.count_pending(session, actor)
        sentence = ngettext(
            "%(num)s certificate belongs to a post that was left: decide on it",
            "%(num)s certificates belong to posts that were left: decide on them",
            proposed,
        )
        found.append(Waiting(sentence, url_for("certificates_posts.proposals"), proposed))
    if actor.may(Permission.HOLD_CERTIFICATE) and actor.person_id is not None:
        found += _waiting_for_holder(session, actor.person_id)
    return found


def init(app: Flask) -> None:
    app.register_blueprint(bp)
    for operations in (api.operations, bulk_revocation_api.operations, authorities_api.operations):
        interface.register(app, operations)
    profile_pages.init(app)
    authority_pages.init(app)
    app.register_blueprint(admin.bp)
    app.register_blueprint(register_pages.bp)
    console_pages.init(app)
    for pages in (revocation_pages, bulk_revocation_pages, posts_pages, holder_pages):
        app.register_blueprint(pages.bp)
    add_place(
        app,
        Place(
            _l("My certificates"),
            "certificates.index",
            Permission.HOLD_CERTIFICATE,
            _l("Ask for a certificate, see how long it is valid, suspend it."),
        ),
    )
    add_place(
        app,
        Place(
            _l("Requests"),
            "certificates_admin.pending",
            Permission.APPROVE_CERTIFICATES,
            _l("Approve or refuse requests for certificates."),
        ),
    )
    add_place(
        app,
        Place(
            _l("Register of certificates"),
            "certificates_register.search",
            Permission.FIND_CERTIFICATES,
            _l("Find a certificate by name, number or agency."),
        ),
    )
    add_place(
        app,
        Place(
            _l("Lists of certificates"),
            "certificates_bulk.index",
            Permission.REVOKE_CERTIFICATES,
            _l("Revoke, suspend or release many at once, together with another administrator."),
            in_header=False,
        ),
    )
    add_place(
        app,
        Place(
            _l("Somebody leaves a post"),
            "certificates_posts.find_posts",
            Permission.REVOKE_CERTIFICATES,
            _l("End a post and decide on the certificates that hang on it."),
            in_header=False,
        ),
    )
    add_waiting(app, waiting)


def _waiting_for_holder(session: Session, person_id: UUID) -> list[Waiting]:
    newest = requests.newest_request(session, person_id)
    if newest is not None and newest.state in {RequestState.REFUSED, RequestState.FAILED}:
        href = url_for("certificates.show_request", request_id=newest.id)
        return [Waiting(_("Your request for a certificate was refused. Read why."), href, 1)]
    now = datetime.now(UTC)
    current = register.current_of_person(session, person_id, now=now)
    if current is not None and renewals_by_holder.is_due(session, current, now=now):
        href = url_for("certificates_holder.renew", certificate_id=current.id)
        return [Waiting(_("Your certificate ends on %(day)s. Renew it now.", day=day(current.not_after)), href, 1)]
    if current is not None or requests.open_request(session, person_id) is not None:
        return []
    return [Waiting(_("You have no certificate yet. Ask for one to sign papers."), url_for("certificates.new"), 1)]


def _own_person() -> UUID:
    person_id = current_actor().person_id
    if person_id is None:
        raise NotFound(_l("Your account is not linked to a person in the registry."))
    return person_id


def _own_request(session: Session, request_id: UUID) -> CertificateRequest:
    found = session.get(CertificateRequest, request_id)
    if found is None or found.person_id != _own_person():
        raise NotFound(_l("There is no such request."))
    return found


def _read_submission(sent: object) -> tuple[bytes, str]:
    """Parse `{"csr": base64, "challenge": text}`. Raises Invalid."""
    try:
        if not isinstance(sent, dict) or not isinstance(sent["csr"], str) or not isinstance(sent["challenge"], str):
            raise TypeError
        return base64.b64decode(sent["csr"], validate=True), sent["challenge"]
    except (TypeError, KeyError, binascii.Error) as error:
        raise Invalid(_l("The request from your browser could not be used. Nothing was changed.")) from error
