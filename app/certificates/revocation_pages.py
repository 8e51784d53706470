"""Pages that end one certificate: what it touches is counted first, the name is typed, then it is done."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.certificates import impact, register, revocations, revocations_release, words
from app.certificates.forms import ActForm, RevocationForm
from app.core.db import transaction
from app.core.errors import Invalid
from app.core.failpoints import reach
from app.core.permissions import Permission, current_actor, needs
from pki.revocation import RevocationReason

bp = Blueprint("certificates_ending", __name__, url_prefix="/certificates/register")


@bp.get("/<uuid:certificate_id>/revoke")
@needs(Permission.REVOKE_CERTIFICATES)
def revoke(certificate_id: UUID) -> ResponseReturnValue:
    return _revocation_page(certificate_id, None)


@bp.post("/<uuid:certificate_id>/revoke")
@needs(Permission.REVOKE_CERTIFICATES)
def revoke_now(certificate_id: UUID) -> ResponseReturnValue:
    actor, now = current_actor(), datetime.now(UTC)
    with transaction() as session:
        certificate = register.find_in_scope(session, actor, Permission.REVOKE_CERTIFICATES, certificate_id)
    form = RevocationForm(certificate)
    if not _is_valid(form, certificate.not_before, now) or "look" in request.form:
        return _revocation_page(certificate_id, form)
    with transaction() as session:
        reason = RevocationReason(form.reason.data)
        revocations.revoke(session, actor, certificate_id, reason=reason, now=now, invalidity_date=form.since)
    reach("revoke.committed_before_publish")
    flash(_("The certificate is revoked. The status service says so now, the published list within seconds."))
    return redirect(url_for("certificates_register.show", certificate_id=certificate_id))


@bp.get("/<uuid:certificate_id>/suspend")
@needs(Permission.REVOKE_CERTIFICATES)
def suspend(certificate_id: UUID) -> ResponseReturnValue:
    now = datetime.now(UTC)
    with transaction() as session:
        certificate = register.find_in_scope(session, current_actor(), Permission.REVOKE_CERTIFICATES, certificate_id)
        touched = impact.impact(session, impact.one(certificate), now=now)
    return render_template(
        "certificates/hold.html", certificate=certificate, touched=touched, form=ActForm(), words=words, now=now
    )


@bp.post("/<uuid:certificate_id>/suspend")
@needs(Permission.REVOKE_CERTIFICATES)
def suspend_now(certificate_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        hold = RevocationReason.CERTIFICATE_HOLD
        revocations.revoke(session, current_actor(), certificate_id, reason=hold, now=datetime.now(UTC))
    reach("revoke.committed_before_publish")
    flash(_("The certificate is suspended. Two people together can release it again."))
    return redirect(url_for("certificates_register.show", certificate_id=certificate_id))


@bp.get("/<uuid:certificate_id>/release")
@needs(Permission.REVOKE_CERTIFICATES)
def release(certificate_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        certificate = register.find_in_scope(session, current_actor(), Permission.REVOKE_CERTIFICATES, certificate_id)
        cause, who = revocations_release.why_held(session, certificate)
        act = revocations_release.open_request(session, certificate.id)
    return render_template(
        "certificates/release.html", certificate=certificate, cause=cause, who=who, act=act, form=ActForm()
    )


@bp.post("/<uuid:certificate_id>/release")
@needs(Permission.REVOKE_CERTIFICATES)
def ask_release(certificate_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        revocations_release.request(session, current_actor(), certificate_id, now=datetime.now(UTC))
    flash(_("The release is asked for. Another administrator finds it among the approvals."))
    return redirect(url_for("certificates_register.show", certificate_id=certificate_id))


def _is_valid(form: RevocationForm, not_before: datetime, now: datetime) -> bool:
    valid = bool(form.validate_on_submit())
    try:
        revocations.check_invalidity_date(form.since, not_before, now=now)
    except Invalid as error:
        form.invalidity_date.errors = [f"{error.sentence} {error.next_step}"]
        return False
    return valid


def _revocation_page(certificate_id: UUID, form: RevocationForm | None) -> ResponseReturnValue:
    """Return the page with the impact, counted again with the date that was typed."""
    with transaction() as session:
        certificate = register.find_in_scope(session, current_actor(), Permission.REVOKE_CERTIFICATES, certificate_id)
        since = form.since if form else None
        touched = impact.impact(session, impact.one(certificate), now=datetime.now(UTC), since=since)
    looking = "look" in request.form
    shown = form or RevocationForm(certificate)
    if looking:
        # Only asked what it touches: nothing was left out yet.
        shown.reason.errors, shown.confirmation.errors = (), ()
    page = render_template("certificates/revoke.html", certificate=certificate, touched=touched, form=shown)
    return page, 422 if form is not None and not looking else 200
