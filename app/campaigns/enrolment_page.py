"""The page behind an invitation's link: who invites, who you are, the key, and then the certificate and its state.

The address holds the token, in the path, because the page must open from a QR code on an old phone. So it is never
cached, names itself to no other site, is kept from search engines, and the request log writes the rule of the route.
Whoever answered with the four digits carries that in the signed cookie of the form for an hour.
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime, timedelta
from typing import Final

from flask import Blueprint, flash, jsonify, make_response, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from app.campaigns import enrolment
from app.campaigns.enrolment import Enrolment, Stage
from app.campaigns.forms import ActForm, DigitsForm
from app.certificates import words as certificate_words
from app.core.db import transaction
from app.core.errors import Forbidden, Invalid, TooMany
from app.core.permissions import public
from app.core.running import settings
from app.core.throttle import may_pass

bp = Blueprint("enrolment", __name__, url_prefix="/enrol")
_PROVEN: Final = "enrolment"
_PROOF_LIFE: Final = timedelta(hours=1)
_WHY: Final = "the token of the address is the key to this one page"


@bp.get("/<token>")
@public(_WHY)
def show(token: str) -> ResponseReturnValue:
    return _page(token, DigitsForm(formdata=None), step=request.args.get("step", ""))


@bp.post("/<token>")
@public(_WHY)
def answer(token: str) -> ResponseReturnValue:
    form, now = DigitsForm(), datetime.now(UTC)
    if not form.validate_on_submit():
        return _page(token, form, step="who", status=422)
    with transaction() as session:
        # Links cannot be guessed; this keeps a mistake or a scanner from filling the log.
        if not may_pass(session, f"enrol:{request.remote_addr}", limit=60, per=timedelta(minutes=1), now=now):
            raise TooMany(_l("There were too many tries."), _l("Wait a minute, then try again."))
        found = enrolment.find(session, token, now=now)
        right = enrolment.answer(session, settings(), found, (form.digits.data or "").strip(), now=now)
        left = enrolment.TRIES - found.invitation.wrong_answers
    if not right:
        form.digits.errors = [_("These are not the last four digits. You have %(left)s tries left.", left=left)]
        return _page(token, form, step="who", status=422)
    cookie[_PROVEN] = [str(found.invitation.id), found.invitation.token_sha256.hex()[:16], now.timestamp()]
    return redirect(url_for(".show", token=token))


@bp.post("/<token>/requests")
@public(_WHY)
def submit(token: str) -> ResponseReturnValue:
    csr_der, challenge = _read(request.get_json(silent=True))
    now = datetime.now(UTC)
    with transaction() as session:
        found = enrolment.find(session, token, now=now)
        _check_proven(found, now)
        enrolment.submit(session, found, csr_der, challenge, now=now)
    return jsonify({"href": url_for(".show", token=token)}), 201


@bp.get("/<token>/state")
@public(_WHY)
def state(token: str) -> ResponseReturnValue:
    now = datetime.now(UTC)
    with transaction() as session:
        found = enrolment.find(session, token, now=now)
    return jsonify({"state": found.stage})


@bp.route("/<token>/suspend", methods=["GET", "POST"])
@public(_WHY)
def suspend(token: str) -> ResponseReturnValue:
    now, form = datetime.now(UTC), ActForm()
    with transaction() as session:
        found = enrolment.find(session, token, now=now)
        _check_proven(found, now)
        if form.validate_on_submit():
            enrolment.suspend(session, found, now=now)
    if not form.is_submitted():
        return render_template("campaigns/enrol_suspend.html", found=found, form=form, token=token)
    flash(_("Your certificate is suspended. Nobody can sign with it until an administrator releases it."))
    return redirect(url_for(".show", token=token))


@bp.post("/<token>/again")
@public(_WHY)
def again(token: str) -> ResponseReturnValue:
    now = datetime.now(UTC)
    with transaction() as session:
        found = enrolment.find(session, token, now=now)
        _check_proven(found, now)
        enrolment.ask_again(session, found, now=now)
    flash(_("Your office knows. It sends you a new link by the same way as this one."))
    return redirect(url_for(".show", token=token))


def _page(token: str, form: DigitsForm, *, step: str, status: int = 200) -> ResponseReturnValue:
    now, challenge = datetime.now(UTC), ""
    with transaction() as session:
        found = enrolment.find(session, token, now=now)
        proven = _is_proven(found, now)
        if proven and found.stage in (Stage.OPEN, Stage.FAILED):
            challenge = enrolment.new_challenge(session, found)
    page = render_template(
        "campaigns/enrol.html",
        found=found,
        proven=proven,
        challenge=challenge,
        step=step,
        form=form,
        act=ActForm(formdata=None),
        token=token,
        now=now,
        words=certificate_words,
        support_days=enrolment.TRIES,
    )
    response = make_response(page, status)
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Cache-Control"] = "no-store"
    return response


def _is_proven(found: Enrolment, now: datetime) -> bool:
    shown = cookie.get(_PROVEN)
    if not isinstance(shown, list) or len(shown) != 3:
        return False
    fits = shown[:2] == [str(found.invitation.id), found.invitation.token_sha256.hex()[:16]]
    return fits and isinstance(shown[2], float) and now.timestamp() - shown[2] < _PROOF_LIFE.total_seconds()


def _check_proven(found: Enrolment, now: datetime) -> None:
    if not _is_proven(found, now):
        raise Forbidden(_l("Please show first who you are. Nothing was changed."), _l("Open your link again."))


def _read(sent: object) -> tuple[bytes, str]:
    """Parse `{"csr": base64, "challenge": text}`. Raises Invalid."""
    try:
        if not isinstance(sent, dict) or not isinstance(sent["csr"], str) or not isinstance(sent["challenge"], str):
            raise TypeError
        return base64.b64decode(sent["csr"], validate=True), sent["challenge"]
    except (TypeError, KeyError, binascii.Error) as error:
        raise Invalid(_l("The request from your browser could not be used. Nothing was changed.")) from error
