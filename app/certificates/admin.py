"""Pages of registration officers (decisions on requests) and administrators (the register, revocation)."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.certificates import register, register_history, requests, words
from app.certificates.forms import ActForm, RefusalForm
from app.core.db import transaction
from app.core.permissions import Permission, current_actor, needs
from app.core.running import settings
from app.registry import service as registry

bp = Blueprint("certificates_admin", __name__, url_prefix="/certificates")
register_bp = Blueprint("certificates_register", __name__, url_prefix="/certificates/register")


@bp.get("/requests")
@needs(Permission.APPROVE_CERTIFICATES)
def pending() -> ResponseReturnValue:
    with transaction() as session:
        found = requests.pending(session, current_actor())
    return render_template("certificates/pending.html", found=found, words=words)


@bp.get("/requests/<uuid:request_id>/decision")
@needs(Permission.APPROVE_CERTIFICATES)
def decide(request_id: UUID) -> ResponseReturnValue:
    return _decision_page(request_id, RefusalForm()), 200


@bp.post("/requests/<uuid:request_id>/approve")
@needs(Permission.APPROVE_CERTIFICATES)
def approve(request_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        requests.approve(session, current_actor(), request_id, now=datetime.now(UTC))
    flash(_("The request is approved. The certificate will be ready in a minute."))
    return redirect(url_for(".pending"))


@bp.post("/requests/<uuid:request_id>/refuse")
@needs(Permission.APPROVE_CERTIFICATES)
def refuse(request_id: UUID) -> ResponseReturnValue:
    form = RefusalForm()
    if not form.validate_on_submit():
        return _decision_page(request_id, form), 422
    with transaction() as session:
        requests.refuse(session, current_actor(), request_id, note=form.note.data or "", now=datetime.now(UTC))
    flash(_("The request is refused. The person reads your reason."))
    return redirect(url_for(".pending"))


@register_bp.get("/<uuid:certificate_id>")
@needs(Permission.FIND_CERTIFICATES)
def show(certificate_id: UUID) -> ResponseReturnValue:
    actor = current_actor()
    with transaction() as session:
        certificate = register.find_in_scope(session, actor, Permission.FIND_CERTIFICATES, certificate_id)
        agency = registry.agency(session, certificate.agency_id) if certificate.agency_id else None
        behind = register_history.background(session, settings(), certificate)
    return render_template(
        "certificates/certificate.html",
        behind=behind,
        certificate=certificate,
        agency=agency,
        may_revoke=actor.may(Permission.REVOKE_CERTIFICATES),
        form=ActForm(),
        now=datetime.now(UTC),
        words=words,
    )


@register_bp.get("/<uuid:certificate_id>.<any(cer, pem, chain):form>")
@needs(Permission.FIND_CERTIFICATES)
def download(certificate_id: UUID, form: str) -> Response:
    """Give the certificate in DER or PEM, or with everything above it (`chain`) in PEM."""
    with transaction() as session:
        found = register.find_in_scope(session, current_actor(), Permission.FIND_CERTIFICATES, certificate_id)
        if form == "chain":
            body, name = register_history.chain_pem(session, found), f"{found.serial_hex}-chain.pem"
        elif form == "pem":
            body, name = register_history.pem(found.der or b""), f"{found.serial_hex}.pem"
        else:
            body, name = found.der or b"", f"{found.serial_hex}.cer"
    kind = "application/pkix-cert" if form == "cer" else "application/x-pem-file"
    return Response(body, mimetype=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _decision_page(request_id: UUID, form: RefusalForm) -> str:
    with transaction() as session:
        found, person = requests.find_for_decision(session, current_actor(), request_id)
        replaces = register.find(session, found.supersedes_id) if found.supersedes_id else None
    return render_template(
        "certificates/decide.html", request_=found, person=person, replaces=replaces, form=form, words=words
    )
