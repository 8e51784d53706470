"""Pages of the holder beyond asking: renewing with the key that is there, and all that was done in their name."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l

from app.accounts import service as accounts
from app.audit import service as audit
from app.audit.words import ACTS
from app.certificates import register, renewals, renewals_by_holder, requests, words
from app.core.db import transaction
from app.core.errors import Invalid
from app.core.permissions import Permission, current_actor, needs
from app.registry import service as registry
from pki.profiles import ProfileName

bp = Blueprint("certificates_holder", __name__, url_prefix="/certificates")


@bp.get("/<uuid:certificate_id>/renew")
@needs(Permission.HOLD_CERTIFICATE)
def renew(certificate_id: UUID) -> ResponseReturnValue:
    actor, now = current_actor(), datetime.now(UTC)
    with transaction() as session:
        person = registry.person(session, requests.person_of(actor))
        certificate = register.find_own(session, person.id, certificate_id)
        standing = renewals_by_holder.standing(session, certificate, now=now)
        opens_at = renewals.opens_at(session, ProfileName(certificate.profile), certificate.not_after)
        challenge = requests.new_challenge(session, actor, now=now)
    return render_template(
        "certificates/renew.html",
        certificate=certificate,
        person=person,
        standing=standing,
        opens_at=opens_at,
        challenge=challenge,
    )


@bp.post("/<uuid:certificate_id>/renew")
@needs(Permission.HOLD_CERTIFICATE)
def renew_now(certificate_id: UUID) -> ResponseReturnValue:
    csr_der, challenge, proof = _read_renewal(request.get_json(silent=True))
    with transaction() as session:
        made = renewals_by_holder.renew(
            session,
            current_actor(),
            certificate_id,
            csr_der,
            challenge=challenge,
            proof=proof,
            now=datetime.now(UTC),
        )
    return jsonify({"href": url_for("certificates.show_request", request_id=made.id)}), 201


@bp.get("/history")
@needs(Permission.HOLD_CERTIFICATE)
def history() -> ResponseReturnValue:
    with transaction() as session:
        person_id = requests.person_of(current_actor())
        certificates = register.of_person(session, person_id)
        asked = requests.of_person(session, person_id)
        entries = audit.about(
            session,
            {"certificate": [one.id for one in certificates], "certificate_request": [one.id for one in asked]},
        )
        labels = accounts.labels(session, {entry.actor_account_id for entry in entries})
    numbers = {str(one.id): one.serial_hex[-8:] for one in certificates}
    return render_template(
        "certificates/history.html",
        certificates=certificates,
        entries=entries,
        labels=labels,
        numbers=numbers,
        own_account=current_actor().account_id,
        acts=ACTS,
        words=words,
        now=datetime.now(UTC),
    )


def _read_renewal(sent: object) -> tuple[bytes, str, bytes]:
    """Parse `{"csr": base64, "challenge": text, "proof": base64}`. Raises Invalid."""
    try:
        if not isinstance(sent, dict) or not all(isinstance(sent[one], str) for one in ("csr", "challenge", "proof")):
            raise TypeError
        csr_der, proof = (base64.b64decode(sent[one], validate=True) for one in ("csr", "proof"))
    except (TypeError, KeyError, binascii.Error) as error:
        raise Invalid(_l("The request from your browser could not be used. Nothing was changed.")) from error
    return csr_der, str(sent["challenge"]), proof
