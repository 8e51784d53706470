"""Pages of papers: the list, one paper, bringing a new one, asking somebody to sign."""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO
from uuid import UUID

from flask import Blueprint, Flask, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from app.core.db import transaction
from app.core.errors import AppError, NotFound
from app.core.navigation import Place, Waiting, add_place, add_waiting
from app.core.permissions import Actor, Permission, current_actor, needs
from app.core.problems import status_of, wants_json
from app.core.running import storage
from app.core.security import takes_paper
from app.documents import conversion, intake, notices, service
from app.documents.forms import AskForm, UploadForm
from app.documents.intake import Accepted
from app.documents.models import Document, DocumentVersion
from app.registry.models import Person

bp = Blueprint("documents", __name__, url_prefix="/documents")


@bp.get("")
@needs(Permission.SIGN_DOCUMENTS)
def index() -> ResponseReturnValue:
    text = request.args.get("q", "")[:200]
    with transaction() as session:
        actor = current_actor()
        found = service.search(session, actor, text, page=request.args.get("page", 1, type=int))
        waiting = service.waiting_for(session, actor)
        return render_template("documents/index.html", found=found, text=text, waiting=waiting)


@bp.route("/new", methods=["GET", "POST"])
@needs(Permission.SIGN_DOCUMENTS)
@takes_paper
def new() -> ResponseReturnValue:
    form = UploadForm()
    if not form.validate_on_submit():
        return _new_page(form), 422 if form.is_submitted() else 200
    try:
        accepted = _accepted(form)
        with closing(accepted.file), transaction() as session:
            document = service.upload(
                session,
                storage(),
                accepted,
                title=unicodedata.normalize("NFC", form.title.data.strip()),
                actor=current_actor(),
                now=datetime.now(UTC),
            )
    except AppError as error:
        if wants_json():
            raise
        # The sentence stands at the field, where the next try begins.
        form.file.errors = [f"{error.sentence} {error.next_step or ''}".strip()]
        return _new_page(form), status_of(error)
    flash(_("The document is stored. You can sign it now."))
    place = url_for(".show", document_id=document.id)
    # The script of the page shows the way of the file and opens the paper itself (RFC 7240).
    if request.headers.get("Prefer") == "return=minimal":
        return "", 201, {"Location": place, "Preference-Applied": "return=minimal"}
    return redirect(place)


@bp.get("/<uuid:document_id>")
@needs(Permission.SIGN_DOCUMENTS)
def show(document_id: UUID) -> ResponseReturnValue:
    with transaction() as session:
        actor = current_actor()
        document = service.find(session, actor, document_id)
        return render_template(
            "documents/show.html",
            document=document,
            is_owner=document.owner_id == actor.person_id,
            remarks=notices.in_words(document.versions[0].notices),
            asked_me=any(one.person_id == actor.person_id and one.state == "asked" for one in document.requests),
        )


@bp.get("/<uuid:document_id>/download")
@needs(Permission.SIGN_DOCUMENTS)
def download(document_id: UUID) -> ResponseReturnValue:
    """Send a version, the newest without `version`, as a file to keep."""
    with transaction() as session:
        document, chosen = _chosen_version(session, document_id)
    return send_file(
        storage().open(chosen.sha256),
        mimetype="application/pdf",
        as_attachment=True,
        download_name=_file_name(document, chosen),
    )


@bp.get("/<uuid:document_id>/content")
@needs(Permission.SIGN_DOCUMENTS)
def content(document_id: UUID) -> ResponseReturnValue:
    """Send a version to the script that draws it; as an attachment too, so that nobody's browser opens it here."""
    with transaction() as session:
        _document, chosen = _chosen_version(session, document_id)
    return send_file(
        storage().open(chosen.sha256),
        mimetype="application/pdf",
        as_attachment=True,
        download_name="document.pdf",
    )


@bp.route("/<uuid:document_id>/ask", methods=["GET", "POST"])
@needs(Permission.SIGN_DOCUMENTS)
def ask(document_id: UUID) -> ResponseReturnValue:
    text = request.args.get("q", "")[:200]
    with transaction() as session:
        actor = current_actor()
        document = service.find(session, actor, document_id)
        if document.owner_id != actor.person_id:
            raise NotFound(_l("Only the person who uploaded a document asks others to sign it."))
        people = service.may_be_asked(session, document, text)
        form = AskForm()
        form.person_id.choices = [(str(one.id), _described(one)) for one in people]
        if not form.validate_on_submit():
            page = render_template("documents/ask.html", form=form, document=document, text=text, people=people)
            return page, 422 if form.is_submitted() else 200
        asked = service.ask(session, actor, document_id, person_id=UUID(form.person_id.data), now=datetime.now(UTC))
        name = asked.person.full_name
    flash(_("%(name)s sees the document now, under “Waiting for you”.", name=name))
    return redirect(url_for(".show", document_id=document_id))


def _new_page(form: UploadForm) -> str:
    return render_template("documents/new.html", form=form, takes_office_files=conversion.is_available())


def _accepted(form: UploadForm) -> Accepted:
    """Return what was uploaded, ready to be signed. Raises Invalid or TooLarge with what to do."""
    uploaded: FileStorage = form.file.data
    if Path(uploaded.filename or "").suffix.lower() not in conversion.EXTENSIONS:
        return intake.accept(_on_disk(uploaded), keep_fields=form.keep_fields.data)
    made, told = _converted(uploaded)
    accepted = intake.accept(made, keep_fields=form.keep_fields.data)
    if accepted.file is not made:
        made.close()
    return replace(accepted, notices=(*told, *accepted.notices))


def _on_disk(uploaded: FileStorage) -> bytes | IO[bytes]:
    """Return the upload as the server has it: small ones in memory, large ones in a file without a name."""
    try:
        uploaded.stream.fileno()
    except (AttributeError, OSError):
        return uploaded.stream.read()
    return uploaded.stream


def _converted(uploaded: FileStorage) -> tuple[IO[bytes], Sequence[str]]:
    with NamedTemporaryFile(prefix="kyvao-upload-") as source:
        uploaded.stream.seek(0)
        shutil.copyfileobj(uploaded.stream, source)
        source.flush()
        return conversion.to_pdf(Path(source.name), name=uploaded.filename or "")


def _chosen_version(session: Session, document_id: UUID) -> tuple[Document, DocumentVersion]:
    document = service.find(session, current_actor(), document_id)
    return document, service.version(document, request.args.get("version", type=int))


def _file_name(document: Document, chosen: DocumentVersion) -> str:
    safe = "".join(letter if letter.isalnum() or letter in " -_." else "-" for letter in document.title)
    return f"{safe.strip(' .')[:80] or 'document'} ({chosen.number}).pdf"


def _described(person: Person) -> str:
    post = person.current_post
    return f"{person.full_name}, {post.title}, {post.agency.name}" if post else person.full_name


def _waiting(session: Session, actor: Actor) -> Sequence[Waiting]:
    if not actor.may(Permission.SIGN_DOCUMENTS):
        return []
    count = len(service.waiting_for(session, actor))
    sentence = ngettext("%(num)d document waits for your signature", "%(num)d documents wait for your signature", count)
    return [Waiting(sentence, url_for("documents.index"), count)]


def init(app: Flask) -> None:
    app.register_blueprint(bp)
    add_place(
        app,
        Place(
            _l("Documents"), "documents.index", Permission.SIGN_DOCUMENTS, _l("Upload a PDF, sign it, ask others to.")
        ),
    )
    add_waiting(app, _waiting)
