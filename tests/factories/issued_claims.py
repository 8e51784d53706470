"""Documents of the demonstration city with a code on them, as `worker` makes it when it issues one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from app.certificates import key_access, register
from app.claims import service
from app.core import db
from app.core.permissions import house
from app.core.settings import Settings
from app.core.storage import Storage
from app.documents import service as documents
from app.documents.models import Document, DocumentVersion, MadeBy
from app.records.registers import today
from app.registry.models import Person
from app.registry.search import fold
from pki.document_claim import DocumentClass
from tests.factories.certificates import actor
from tests.factories.documents import plain_pdf


@dataclass(frozen=True)
class IssuedDocument:
    document_id: UUID
    issued_on: date
    code: str
    # What the head signed, and what was issued: the same and something behind it.
    signed: bytes
    issued: bytes


def paper(settings: Settings, login: str = "minh", *, title: str = "Quyết định", text: str = "Quyet dinh") -> UUID:
    """Store a paper of an official as if it had been uploaded, and return its identifier."""
    pdf, now, who = plain_pdf(text), datetime.now(UTC), actor(login)
    storage = Storage(settings.data_dir / "objects")
    assert who.person_id is not None
    with db.transaction() as session:
        post = session.get_one(Person, who.person_id).current_post
        assert post is not None
        document = Document(
            title=title, search_title=fold(title), agency_id=post.agency_id, owner_id=who.person_id, created_at=now
        )
        session.add(document)
        session.flush()
        session.add(
            DocumentVersion(
                document_id=document.id,
                number=1,
                sha256=storage.put(pdf),
                size=len(pdf),
                pages=1,
                signatures=0,
                made_by=MadeBy.UPLOAD,
                person_id=who.person_id,
                made_at=now,
            )
        )
    return document.id


def issue(
    settings: Settings,
    *,
    login: str = "minh",
    number: str = "123/QĐ-SKHCN",
    title: str = "Quyết định về giờ làm việc",
    document_class: DocumentClass | None = None,
    replaces: UUID | None = None,
) -> IssuedDocument:
    """Issue a paper of an official with the seal of the agency that it belongs to."""
    document_id, now = paper(settings, login, title=title, text=number[:3]), datetime.now(UTC)
    storage = Storage(settings.data_dir / "objects")
    with db.transaction() as session:
        document = documents.find(session, house("test"), document_id, for_change=True)
        if document_class is not None:
            service.choose_class(session, actor(login), document, document_class, now=now)
        document.replaces_id = replaces
        seal = register.seal_of(session, document.agency_id, now=now)
        assert seal is not None
        signed = document.newest
        mark = service.qr_for(
            session,
            settings,
            document,
            number=number,
            issued_on=today(now),
            signed=signed,
            seal=seal,
            key=key_access.load(settings, seal.key_reference),
            now=now,
        )
        content = storage.get(signed.sha256)
        issued = content + b"% number, date, seal and proofs\n%%EOF\n"
        version = documents.add_version(
            session,
            document,
            base=signed,
            made_by=MadeBy.SEAL,
            sha256=storage.put(issued),
            size=len(issued),
            pages=signed.pages,
            signatures=1,
            person_id=document.owner_id,
            now=now,
        )
        service.issued(session, document_id, version)
    return IssuedDocument(document_id, today(now), mark.digits, content, issued)
