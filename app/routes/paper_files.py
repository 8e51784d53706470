"""A version of a paper as an answer to keep: always an attachment, so that nobody's browser opens it here."""

from __future__ import annotations

from flask import Response, send_file

from app.core.errors import NotFound
from app.core.running import storage
from app.documents.models import Document, DocumentVersion
from app.routes.holding import NO_PAPER
from app.routes.models import RouteDocument


def answer(document: Document, version: DocumentVersion) -> Response:
    """Return the file of a version under a name made of the title."""
    path = storage().path_of(version.sha256)
    if not path.is_file():
        raise NotFound(NO_PAPER)
    safe = "".join(letter if letter.isalnum() or letter in " -_." else "-" for letter in document.title)
    name = f"{safe.strip(' .')[:80] or 'document'}.pdf"
    return send_file(path, mimetype="application/pdf", as_attachment=True, download_name=name, etag=version.sha256)


def issued(paper: RouteDocument) -> Response:
    """Return the issued version of a paper. Raises NotFound before it is issued."""
    version = next((one for one in paper.document.versions if one.id == paper.issued_version_id), None)
    if version is None:
        raise NotFound(NO_PAPER)
    return answer(paper.document, version)
