"""The page on which a person signs, and the two requests behind it."""

from __future__ import annotations

import base64
import binascii
import math
import re
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import IO, Final, cast
from uuid import UUID

from flask import Blueprint, Flask, jsonify, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.certificates.models import Certificate
from app.core.db import transaction
from app.core.errors import Invalid, TooMany
from app.core.failpoints import reach
from app.core.i18n import moment
from app.core.permissions import Actor, Permission, current_actor, needs
from app.core.running import settings, storage
from app.core.throttle import may_pass
from app.core.timestamping import timestamper
from app.documents import service as documents
from app.marks.words import measured
from app.registry import service as registry
from app.routes import service as routes
from app.signing import fields, impact, proposal, queue_pages, service
from app.signing.preparation import MARK_HEIGHT_MM, MARK_WIDTH_MM, Place
from app.signing.service import Wish
from pki.layout.rules import Measure
from pki.pades.placement import Corner

bp = Blueprint("signing", __name__)

_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_LONGEST_REASON: Final = 200
# A0 and then some; what does not fit the page is refused when it is placed.
_FARTHEST_MM: Final = 5000.0
_UNREADABLE: Final = _l("The request from your browser could not be used. Nothing was signed.")
_AGAIN: Final = _l("Reload the page and try again.")


@bp.get("/documents/<uuid:document_id>/sign")
@needs(Permission.SIGN_DOCUMENTS)
def sign(document_id: UUID) -> ResponseReturnValue:
    now = datetime.now(UTC)
    with transaction() as session:
        actor = current_actor()
        document = documents.find(session, actor, document_id)
        certificates = service.usable_certificates(session, actor, now=now)
        lines = []
        if actor.person_id is not None:
            lines = list(service.mark_of(registry.person(session, actor.person_id), now=now).lines)
        return render_template(
            "signing/sign.html",
            document=document,
            has_certificate=bool(certificates),
            page_data={
                "documentUrl": url_for("documents.content", document_id=document.id, version=document.newest.number),
                "prepareUrl": url_for(".prepare", document_id=document.id),
                "baseNumber": document.newest.number,
                "pages": document.newest.pages,
                "isFixed": service.has_own_place(session, actor, document, now=now),
                "placeUrl": url_for(".propose", document_id=document.id),
                "queue": queue_pages.place_in(request.args.get("queue", ""), document.id),
                "mark": {"widthMm": MARK_WIDTH_MM, "heightMm": MARK_HEIGHT_MM, "lines": lines},
                "certificates": [_described(one) for one in certificates],
            },
        )


@bp.get("/documents/<uuid:document_id>/mark-place")
@needs(Permission.SIGN_DOCUMENTS)
def propose(document_id: UUID) -> ResponseReturnValue:
    """Say where the reader's mark would stand between post and name; nothing is kept of it."""
    actor, now = current_actor(), datetime.now(UTC)
    with transaction() as session:
        if not may_pass(session, f"propose:{actor.account_id}", limit=60, per=timedelta(minutes=1), now=now):
            raise TooMany(_l("There were too many tries."), _l("Wait a minute, then try again."))
    with transaction() as session:
        newest = documents.find(session, actor, document_id).newest
        signer = registry.person(session, actor.person_id).full_name if actor.person_id is not None else ""
    place = proposal.propose(storage().path_of(newest.sha256), signer=signer)
    return jsonify({"place": _placed(place) if place is not None else None})


@bp.post("/documents/<uuid:document_id>/signatures")
@needs(Permission.SIGN_DOCUMENTS, Permission.SIGN_FORMS)
def prepare(document_id: UUID) -> ResponseReturnValue:
    """Prepare the shown version for the key in the browser; JSON in, JSON out."""
    now = datetime.now(UTC)
    wish = _read_wish(request.get_json(silent=True))
    actor = current_actor()
    with transaction() as session:
        # Committed by itself: each preparation stores a file and takes up to a second of a core.
        if not may_pass(session, f"prepare:{actor.account_id}", limit=20, per=timedelta(minutes=1), now=now):
            raise TooMany(_l("There were too many tries."), _l("Wait a minute, then try again."))
    with transaction() as session:
        prepared = service.prepare(session, storage(), actor, document_id, wish, now=now)
    signature = prepared.signature
    return jsonify(
        {
            "preparedUrl": url_for(".prepared", session_id=prepared.session_id),
            "completeUrl": url_for(".complete", session_id=prepared.session_id),
            "page": prepared.page,
            "byteRange": list(signature.byte_range),
            "documentDigest": signature.document_digest.hex(),
            "signedAttributes": base64.b64encode(signature.signed_attributes_der).decode(),
            "expiresAt": prepared.expires_at.isoformat(),
            "ruler": [_measured(one) for one in prepared.ruler],
        }
    ), 201


@bp.get("/signing-sessions/<uuid:session_id>/prepared")
@needs(Permission.SIGN_DOCUMENTS, Permission.SIGN_FORMS)
def prepared(session_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        pdf = service.prepared_file(session, storage(), current_actor(), session_id, now=datetime.now(UTC))
    return send_file(cast(IO[bytes], pdf), mimetype="application/pdf", as_attachment=True, download_name="prepared.pdf")


@bp.post("/signing-sessions/<uuid:session_id>/complete")
@needs(Permission.SIGN_DOCUMENTS, Permission.SIGN_FORMS)
def complete(session_id: UUID) -> ResponseReturnValue:
    """Take the answer of the key; the signed file is the next version."""
    signature_value = _read_signature(request.get_json(silent=True))
    actor: Actor = current_actor()
    with transaction() as session:
        made = service.complete(
            session,
            storage(),
            actor,
            session_id,
            signature_value=signature_value,
            timestamp=timestamper(settings()),
            now=datetime.now(UTC),
        )
    reach("sign.committed_before_reply")
    return jsonify(
        {
            "number": made.number,
            "signedAt": moment(made.made_at),
            "sha256": made.sha256,
            "timestampPending": made.timestamp_pending,
            "downloadUrl": url_for("documents.download", document_id=made.document_id, version=made.number),
            "documentUrl": url_for("documents.show", document_id=made.document_id),
        }
    )


def _placed(place: Place) -> dict[str, object]:
    return {"page": place.page, "corner": place.corner, "xMm": place.x_mm, "yMm": place.y_mm}


def _measured(one: Measure) -> dict[str, object]:
    """Return a line of the ruler: its ends in millimetres from the lower left, and its length in words."""
    return {"begins": list(one.begins), "ends": list(one.ends), "sentence": measured(one)}


def _described(certificate: Certificate) -> dict[str, str]:
    return {
        "sha256": certificate.sha256 or "",
        "der": base64.b64encode(certificate.der or b"").decode(),
        "validUntil": _("valid until %(moment)s", moment=moment(certificate.not_after)),
    }


def _read_wish(body: object) -> Wish:
    """Parse what the browser sent. Raises Invalid."""
    if not isinstance(body, dict):
        raise Invalid(_UNREADABLE, _AGAIN)
    sha256, corner, reason = body.get("certificateSha256"), body.get("corner"), body.get("reason")
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256) or corner not in set(Corner):
        raise Invalid(_UNREADABLE, _AGAIN)
    if reason is not None and not isinstance(reason, str):
        raise Invalid(_UNREADABLE, _AGAIN)
    place = Place(
        _count(body.get("page")), Corner(corner), _millimetres(body.get("xMm")), _millimetres(body.get("yMm"))
    )
    return Wish(sha256, _count(body.get("baseNumber")), place, _clean_reason(reason))


def _clean_reason(reason: str | None) -> str | None:
    text = unicodedata.normalize("NFC", reason or "").strip()
    if len(text) > _LONGEST_REASON or any(unicodedata.category(letter).startswith("C") for letter in text):
        raise Invalid(_l("A reason has at most 200 characters, on one line."))
    return text or None


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 100_000:
        raise Invalid(_UNREADABLE, _AGAIN)
    return value


def _millimetres(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Invalid(_UNREADABLE, _AGAIN)
    if not 0 <= value <= _FARTHEST_MM:
        raise Invalid(_l("The mark does not fit on the page there."), _l("Choose another place for it."))
    return float(value)


def _read_signature(body: object) -> bytes:
    text = body.get("signature") if isinstance(body, dict) else None
    if isinstance(text, str) and len(text) == 88:
        try:
            value = base64.b64decode(text, validate=True)
        except binascii.Error:
            value = b""
        # r and s of P-256, 32 bytes each.
        if len(value) == 64:
            return value
    raise Invalid(_UNREADABLE, _AGAIN)


def init(app: Flask) -> None:
    impact.register()
    routes.register_starter(fields.make_fields)
    app.register_blueprint(bp)
    queue_pages.init(app)
