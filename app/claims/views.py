"""The public page of a document's code, for whoever holds the paper; and what its owner lets it say.

The code opens this page with the claim behind `#`, which browsers never send: the page checks it by itself, without a
network too, and only a press of a button compares it with the register.
"""

from __future__ import annotations

import base64
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import cast
from uuid import UUID

from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    flash,
    jsonify,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.claims import keys, service
from app.claims.forms import ClassForm
from app.claims.service import Comparison
from app.core.assets import LazyAssets
from app.core.db import transaction
from app.core.errors import TooMany
from app.core.i18n import moment
from app.core.permissions import Permission, current_actor, needs, public
from app.core.running import storage
from app.core.security import csrf
from app.core.static_files import send
from app.core.throttle import may_pass
from app.documents import service as documents
from pki.document_claim import DocumentClass

bp = Blueprint("claims", __name__)

_ANYONE = "whoever holds the paper may check its code, without an account"


@bp.get("/D")
@public(_ANYONE)
def start() -> ResponseReturnValue:
    return render_template("claims/start.html")


@bp.get("/d")
@public(_ANYONE)
def start_in_small_letters() -> ResponseReturnValue:
    """Browsers take what stands behind `#` along."""
    return redirect(url_for(".start"))


@bp.get("/D/keys")
@public("the keys of agencies are public")
def key_list() -> ResponseReturnValue:
    with transaction() as session:
        message, key = keys.newest(session, now=datetime.now(UTC))
    return jsonify(list=base64.b64encode(message).decode(), key=base64.b64encode(key).decode())


@bp.get("/D/offline.js")
@public("it lets the page open without a network; it holds nothing")
def offline_script() -> ResponseReturnValue:
    assets = cast(LazyAssets, current_app.extensions["kyvao_assets"])
    chunk = assets.get().chunk("src/entries/document_code_offline.ts")
    response = send(Path(current_app.static_folder or "static"), f"dist/{chunk.file}")
    # Its name never changes, so it must not be kept for a year; its scope is the page above its folder.
    response.headers["Cache-Control"] = "no-cache"
    response.headers["Service-Worker-Allowed"] = "/D"
    return response


@bp.post("/D/compare")
@public(_ANYONE)
def compare() -> ResponseReturnValue:
    """Compare a code with the register; it changes nothing, so it needs no form token. JSON in, JSON out."""
    _throttle("compare", limit=30)
    body = request.get_json(silent=True)
    code = body.get("code") if isinstance(body, dict) else None
    with transaction() as session:
        found = service.compare(session, code if isinstance(code, str) else "")
    return jsonify(_described(found))


@bp.get("/D/files/<file_id>")
@public("the class of the document is public")
def file(file_id: str) -> ResponseReturnValue:
    _throttle("file", limit=20)
    with transaction() as session:
        claim, sha256 = service.public_file(session, file_id)
        name = f"{claim.number.replace('/', '-')}.pdf"
    return send_file(BytesIO(storage().get(sha256)), mimetype="application/pdf", as_attachment=True, download_name=name)


@bp.route("/documents/<uuid:document_id>/code", methods=["GET", "POST"])
@needs(Permission.SIGN_DOCUMENTS, Permission.ISSUE_DOCUMENTS)
def disclosure(document_id: UUID) -> ResponseReturnValue:
    """Choose what the public may learn of a document that is not issued yet; see what its code says once it is."""
    now = datetime.now(UTC)
    with transaction() as session:
        actor = current_actor()
        document = documents.find(session, actor, document_id)
        claim = service.claim_of(session, document.id)
        form = ClassForm(document_class=str(int(service.class_of(session, document.id))))
        if not form.validate_on_submit():
            page = render_template("claims/disclosure.html", form=form, document=document, claim=claim)
            return page, 422 if form.is_submitted() else 200
        chosen = DocumentClass(int(form.document_class.data))
        service.choose_class(session, actor, document, chosen, now=now)
    flash(_("The choice is saved. It counts when the document is issued."))
    return redirect(url_for("documents.show", document_id=document_id))


def _described(found: Comparison) -> dict[str, object]:
    public_facts = found.public
    return {
        "standing": found.standing,
        "number": found.number,
        "issuedOn": _day(found.issued_on) if found.issued_on else None,
        "agency": found.agency,
        "withdrawnAt": moment(found.withdrawn_at) if found.withdrawn_at else None,
        "replacedBy": found.replaced_by,
        "title": public_facts.title if public_facts else None,
        "signer": public_facts.signer if public_facts else None,
        "issuedSha256": public_facts.issued_sha256 if public_facts else None,
        "fileUrl": url_for(".file", file_id=public_facts.file_id) if public_facts else None,
    }


def _day(value: date) -> str:
    return value.strftime("%d/%m/%Y")


def _throttle(what: str, *, limit: int) -> None:
    with transaction() as session:
        passes = may_pass(
            session,
            f"document-code-{what}:{request.remote_addr}",
            limit=limit,
            per=timedelta(minutes=1),
            now=datetime.now(UTC),
        )
    if not passes:
        raise TooMany(_l("There were too many tries from your network."), _l("Wait a minute, then try again."))


@bp.after_request
def _headers(response: Response) -> Response:
    # The address of the page must not be told to whoever a link leads to, and the page is for no search engine.
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def init(app: Flask) -> None:
    app.register_blueprint(bp)
    csrf.exempt(compare)
