"""A guest's own page: the code, the facts of the meeting, their answer, and their portrait.

The address holds a token of 192 random bits that names this page and nothing else; the pass's secret is not in it. It
stands in the path, because the page must work without script on an old phone, where a fragment would be lost. So the
page is kept by nobody but the guest's own phone, for where no network is; it names itself to no other site
(Referrer-Policy same-origin), is kept from search engines, and the request log writes the rule of the route and not the
path. Whoever gets the letter forwarded can open the page: the
guard's look at the portrait is what binds the pass to a face.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast
from uuid import UUID

from flask import Blueprint, Response, current_app, flash, make_response, redirect, render_template, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from app.core.assets import LazyAssets
from app.core.db import transaction
from app.core.errors import AppError, Conflict, NotFound, TooMany
from app.core.permissions import public
from app.core.running import settings, storage
from app.core.security import takes_upload
from app.core.static_files import send
from app.core.throttle import may_pass
from app.meetings import agenda, answers, day_keys, letters, papers, passes, portraits, sealing
from app.meetings.forms import ActForm, AnswerForm, PortraitForm
from app.meetings.models import Guest, MeetingState, Pass, PassState, Reply
from pki.passes import claims as pass_claims
from pki.passes import cose, digits, qr, rotating
from pki.passes.claims import PassFlags

bp = Blueprint("guest_page", __name__, url_prefix="/p")


@bp.get("/<page_token>")
@public("the token of the address is the key to this one page")
def show(page_token: str) -> ResponseReturnValue:
    return _page(page_token, PortraitForm())


@bp.get("/<page_token>/letter")
@public("the token of the address is the key to this one page")
def letter(page_token: str) -> Response:
    """Give the sealed letter of the invitation that counts now."""
    with transaction() as session:
        guest = passes.by_page_token(session, page_token)
        newest = passes.newest_of(session, guest.id)
        sealed = newest.letter if newest is not None else None
    if newest is None or sealed is None or _state(guest, newest, datetime.now(UTC)) != "valid":
        raise NotFound(_l("There is no letter for this invitation."))
    content = sealing.open_letter(settings(), newest.id, sealed)
    headers = {"Content-Disposition": f"attachment; filename={letters.LETTER_NAME}"}
    return Response(content, content_type="application/pdf", headers=headers)


@bp.get("/offline.js")
@public("it lets a guest's page open without a network; it holds nothing")
def offline_script() -> ResponseReturnValue:
    assets = cast(LazyAssets, current_app.extensions["kyvao_assets"])
    chunk = assets.get().chunk("src/entries/pass_page_offline.ts")
    response = send(Path(current_app.static_folder or "static"), f"dist/{chunk.file}")
    # Its name never changes, so it must not be kept for a year.
    response.headers["Cache-Control"] = "no-cache"
    return response


@bp.post("/<page_token>/portrait")
@public("the token of the address is the key to this one page")
@takes_upload
def set_portrait(page_token: str) -> ResponseReturnValue:
    form = PortraitForm()
    guest = _guest(page_token)
    with transaction() as session:
        if not may_pass(session, f"portrait:{guest.id}", limit=10, per=timedelta(hours=1), now=datetime.now(UTC)):
            raise TooMany(_l("There were too many tries."), _l("Try again in an hour."))
        state = _state(guest, passes.newest_of(session, guest.id), datetime.now(UTC))
    if state not in ("valid", "pending"):
        raise Conflict(_l("This invitation no longer counts, so no portrait is kept for it."))
    if not form.validate_on_submit():
        return _page(page_token, form, status=422)
    try:
        picture = portraits.prepare(form.portrait.data.read(portraits.MAXIMUM_BYTES + 1))
    except AppError as error:
        form.portrait.errors = [f"{error} {error.next_step or ''}".strip()]
        return _page(page_token, form, status=422)
    with transaction() as session:
        portraits.give(session, storage(), passes.by_page_token(session, page_token), picture)
    flash(_("Your portrait is saved. The guard sees it when your code is scanned."))
    return redirect(url_for(".show", page_token=page_token))


@bp.get("/<page_token>/papers/<uuid:paper_id>")
@public("the token of the address is the key to this one page")
def paper(page_token: str, paper_id: UUID) -> ResponseReturnValue:
    """Give a paper that lies with the guest's meeting."""
    with transaction() as session:
        _paper, version = papers.for_guest(
            session, passes.by_page_token(session, page_token), paper_id, now=datetime.now(UTC)
        )
    return send_file(
        storage().open(version.sha256),
        mimetype="application/pdf",
        as_attachment=True,
        download_name=f"tai-lieu-{version.sha256[:8]}.pdf",
    )


@bp.post("/<page_token>/answer")
@public("the token of the address is the key to this one page")
def answer(page_token: str) -> ResponseReturnValue:
    form, now = AnswerForm(), datetime.now(UTC)
    if not form.validate_on_submit():
        return _page(page_token, PortraitForm(), answer=form, status=422)
    with transaction() as session:
        guest = passes.by_page_token(session, page_token)
        if not may_pass(session, f"answer:{guest.id}", limit=20, per=timedelta(hours=1), now=now):
            raise TooMany(_l("There were too many tries."), _l("Try again in an hour."))
        answers.answer(session, guest, Reply(form.answer.data), form.note.data or "", now=now)
    flash(_("The organiser has your answer. You may change it until the meeting begins."))
    return redirect(url_for(".show", page_token=page_token))


@bp.post("/<page_token>/portrait/delete")
@public("the token of the address is the key to this one page")
def delete_portrait(page_token: str) -> ResponseReturnValue:
    with transaction() as session:
        portraits.give(session, storage(), passes.by_page_token(session, page_token), None)
    flash(_("Your portrait is deleted."))
    return redirect(url_for(".show", page_token=page_token))


@bp.get("/<page_token>/portrait")
@public("the token of the address is the key to this one page")
def portrait(page_token: str) -> Response:
    guest = _guest(page_token)
    if guest.portrait_sha256 is None:
        raise NotFound(_l("There is no portrait."))
    return Response(storage().get(guest.portrait_sha256), content_type="image/webp")


def _page(
    page_token: str, form: PortraitForm, *, answer: AnswerForm | None = None, status: int = 200
) -> ResponseReturnValue:
    with transaction() as session:
        guest = passes.by_page_token(session, page_token)
        newest = passes.newest_of(session, guest.id)
        items, lying = agenda.items_of(session, guest.meeting_id), papers.of_meeting(session, guest.meeting_id)
        kept_letter = newest is not None and passes.has_letter(session, newest)
    state = _state(guest, newest, datetime.now(UTC))
    code, changing, shown, has_letter = Markup(""), None, None, False
    if newest is not None and state == "valid":
        shown, has_letter = sealing.open_sealed(settings(), newest.id, newest.sealed), kept_letter
        changing = _changing(shown.digits)
        # Made by us from digits alone.
        code = Markup(qr.render_svg(changing.now if changing else shown.digits))  # noqa: S704
    page = render_template(
        "meetings/guest_page.html",
        guest=guest,
        meeting=guest.meeting,
        state=state,
        code=code,
        changing=changing,
        desk_code=letters.spaced(shown) if shown else "",
        has_letter=has_letter,
        form=form,
        items=items,
        papers=lying if papers.may_read(guest, now=datetime.now(UTC)) else [],
        paper_address=lambda one: url_for(".paper", page_token=page_token, paper_id=one.id),
        answer=answer or AnswerForm(answer=guest.answer, note=guest.answer_note),
        may_answer=answers.may_answer(guest, now=datetime.now(UTC)),
        answer_words=answers.WORDS,
        act=ActForm(),
        page_token=page_token,
    )
    response = make_response(page, status)
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


@dataclass(frozen=True)
class Changing:
    """A code that changes: as it is now, and what the page makes the next ones of."""

    now: str
    digits: str
    # Base64.
    key: str


def _changing(shown: str) -> Changing | None:
    """Return the code of this moment where the pass asks for one, else None."""
    token = digits.decode(shown)
    claims = pass_claims.decode(cose.parse(token).payload)
    if PassFlags.ROTATING not in claims.flags:
        return None
    key = day_keys.key_of_pass(settings(), claims)
    return Changing(rotating.show(token, key, datetime.now(UTC)), shown, base64.b64encode(key).decode())


def _guest(page_token: str) -> Guest:
    with transaction() as session:
        return passes.by_page_token(session, page_token)


def _state(guest: Guest, newest: Pass | None, now: datetime) -> str:
    """Return which of its forms the page takes."""
    if guest.meeting.state == MeetingState.CANCELLED:
        return "cancelled"
    if guest.removed_at is not None or (newest is not None and newest.state == PassState.WITHDRAWN):
        return "withdrawn"
    if newest is None or newest.state == PassState.CHANGED:
        return "pending"
    return "past" if now > newest.not_after else "valid"
