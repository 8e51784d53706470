"""Papers: taken in, found, shown to those who may see them, and handed to a second signer."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, and_, bindparam, false, func, not_, or_, select, update
from sqlalchemy.orm import Session, defaultload, lazyload
from sqlalchemy.sql.base import ExecutableOption

from app.accounts.models import Account, RoleGrant
from app.audit import service as audit
from app.core.errors import Conflict, Invalid, NotFound
from app.core.permissions import ROLE_PERMISSIONS, Actor, Permission
from app.core.storage import Storage
from app.documents.intake import Accepted
from app.documents.models import Document, DocumentVersion, Level, MadeBy, RequestState, SignatureRequest
from app.registry import scope
from app.registry import service as registry
from app.registry.models import Agency, Person, Post
from app.registry.search import fold, pattern

PAGE: Final = 25
LONGEST_TITLE: Final = 200
_SIGNING_ROLES: Final = [role for role, may in ROLE_PERMISSIONS.items() if Permission.SIGN_DOCUMENTS in may]
_SIGN_REQUEST: Final = (
    update(SignatureRequest)
    .where(
        SignatureRequest.document_id == bindparam("of_document"),
        SignatureRequest.person_id == bindparam("of_person"),
        SignatureRequest.state == RequestState.ASKED,
    )
    .values(state=RequestState.SIGNED, signed_at=bindparam("at"))
)
_NO_DOCUMENT: Final = _l("There is no such document, or it belongs to another agency.")


@dataclass(frozen=True)
class Found:
    documents: Sequence[Document]
    count: int
    number: int
    pages: int


def upload(
    session: Session, storage: Storage, accepted: Accepted, *, title: str, actor: Actor, now: datetime
) -> Document:
    """Store a paper that intake accepted as version 1, for the agency of the actor's post."""
    owner = _acting_person(session, actor)
    post = owner.current_post
    if post is None or not scope.covers(session, actor, Permission.SIGN_DOCUMENTS, post.agency_id):
        raise Invalid(
            _l("You hold no post in an agency, so the document would belong to none. Nothing was stored."),
            _l("Ask your agency's administrator to enter your post."),
        )
    document = Document(
        title=title, search_title=fold(title), agency_id=post.agency_id, owner_id=owner.id, created_at=now
    )
    session.add(document)
    session.flush()
    sha256 = storage.put_stream(accepted.file, largest=sys.maxsize)
    session.add(
        DocumentVersion(
            document_id=document.id,
            number=1,
            sha256=sha256,
            size=storage.path_of(sha256).stat().st_size,
            pages=accepted.pages,
            signatures=accepted.signatures,
            made_by=MadeBy.UPLOAD,
            person_id=owner.id,
            made_at=now,
            notices=list(accepted.notices),
        )
    )
    session.flush()
    audit.record(
        session,
        actor,
        "document_uploaded",
        object_kind="document",
        object_id=document.id,
        agency_id=document.agency_id,
        pages=accepted.pages,
        signatures=accepted.signatures,
    )
    return document


Visibility = Callable[[Actor], ColumnElement[bool]]
_visibilities: Final[list[Visibility]] = []


def register_visibility(condition: Visibility) -> None:
    """Let a capability above show documents to more people; doing it twice changes nothing."""
    if condition not in _visibilities:
        _visibilities.append(condition)
        _finding.cache_clear()


Reserve = Callable[[], ColumnElement[bool]]
_reserves: Final[list[Reserve]] = []


def register_reserve(condition: Reserve) -> None:
    """Keep documents out of their agency's papers: a capability above shows them at a place of its own."""
    if condition not in _reserves:
        _reserves.append(condition)
        _finding.cache_clear()


def visible(actor: Actor) -> ColumnElement[bool]:
    """Return the condition that the actor may see a document.

    It is theirs by agency, or they were asked to sign it, or a capability above shows it to them.
    """
    return or_(_of_their_work(actor), *(condition(actor) for condition in _visibilities))


def _of_their_work(actor: Actor) -> ColumnElement[bool]:
    of_agency = scope.within(actor, Permission.SIGN_DOCUMENTS, Document.agency_id)
    # The house itself (jobs, commands) sees every document.
    reserved = [] if actor.account_id is None else [not_(condition()) for condition in _reserves]
    conditions: list[ColumnElement[bool]] = [and_(of_agency, *reserved)]
    if actor.person_id is not None:
        conditions.append(
            # Asked once for a query over all papers, not once for each of them.
            Document.id.in_(select(SignatureRequest.document_id).where(SignatureRequest.person_id == actor.person_id))
        )
    return or_(*conditions)


# For acts that look at the paper and not at who had to do with it.
WITHOUT_PEOPLE: Final = (
    lazyload(Document.agency),
    lazyload(Document.owner),
    lazyload(Document.requests),
    defaultload(Document.versions).lazyload(DocumentVersion.person),
)


def find(
    session: Session,
    actor: Actor,
    document_id: UUID,
    *,
    for_change: bool = False,
    options: Sequence[ExecutableOption] = (),
) -> Document:
    """Return a document that the actor may see, its row locked if `for_change`. Raises NotFound otherwise.

    What is not loaded by `options` is loaded when it is asked for.
    """
    usual, further = _finding(actor, for_change, tuple(options))
    document = session.scalar(usual, {"document_id": document_id})
    if document is None and _visibilities:
        # Asked only then: these conditions are long, and most people work on papers of their agency.
        document = session.scalar(further, {"document_id": document_id})
    if document is None:
        raise NotFound(_NO_DOCUMENT)
    return document


# Putting such a question together takes longer than asking it, and people ask again and again.
@lru_cache(maxsize=256)
def _finding(
    actor: Actor, for_change: bool, options: tuple[ExecutableOption, ...]
) -> tuple[Select[Document], Select[Document]]:
    """Return the question for a document of the actor's work, and the one for what else is shown to them."""
    query = select(Document).where(Document.id == bindparam("document_id")).options(*options)
    if for_change:
        query = query.with_for_update(of=Document)
    query = query.execution_options(populate_existing=for_change)
    shown = or_(false(), *(condition(actor) for condition in _visibilities))
    return query.where(_of_their_work(actor)), query.where(shown)


def search(session: Session, actor: Actor, text: str, *, page: int) -> Found:
    """Return a page (from 1) of the documents that the actor may see, newest first; `text` is part of the title."""
    conditions = [visible(actor)]
    if text.strip():
        conditions.append(Document.search_title.like(pattern(text)))
    count = session.scalar(select(func.count()).select_from(Document).where(*conditions)) or 0
    pages = max(1, -(-count // PAGE))
    number = min(max(1, page), pages)
    query = (
        select(Document)
        .where(*conditions)
        .order_by(Document.created_at.desc(), Document.id)
        .limit(PAGE)
        .offset((number - 1) * PAGE)
    )
    return Found(session.scalars(query).all(), count, number, pages)


def version(document: Document, number: int | None) -> DocumentVersion:
    """Return a version of the document, the newest for None. Raises NotFound."""
    if number is None:
        return document.newest
    found = next((one for one in document.versions if one.number == number), None)
    if found is None:
        raise NotFound(_l("The document has no version of that number."))
    return found


def may_be_asked(session: Session, document: Document, text: str, *, limit: int = 20) -> Sequence[Person]:
    """Return officials whose name or agency contains `text` and who were not asked yet, by name."""
    if not text.strip():
        return []
    asked = [one.person_id for one in document.requests]
    wanted = pattern(text)
    query = (
        select(Person)
        .where(
            Person.id.not_in([*asked, document.owner_id]),
            _can_sign(),
            or_(Person.search_name.like(wanted), Person.posts.any(_held_in(wanted))),
        )
        .order_by(Person.search_name)
        .limit(limit)
    )
    return session.scalars(query).all()


def ask(session: Session, actor: Actor, document_id: UUID, *, person_id: UUID, now: datetime) -> SignatureRequest:
    """Ask an official to sign; asking the same person twice keeps one request. Only the owner asks."""
    document = find(session, actor, document_id, for_change=True)
    if document.owner_id != actor.person_id or actor.account_id is None:
        raise Conflict(_l("Only the person who uploaded a document asks others to sign it."))
    repeated = next((one for one in document.requests if one.person_id == person_id), None)
    if repeated is not None:
        return repeated
    signer = session.scalar(select(Person).where(Person.id == person_id, _can_sign()))
    if signer is None or signer.id == document.owner_id:
        raise Invalid(_l("This person cannot be asked to sign."), _l("Search for another official."))
    request = SignatureRequest(
        document_id=document.id,
        person_id=signer.id,
        asked_by=actor.account_id,
        state=RequestState.ASKED,
        asked_at=now,
    )
    session.add(request)
    session.flush()
    audit.record(
        session,
        actor,
        "signature_asked",
        object_kind="document",
        object_id=document.id,
        agency_id=document.agency_id,
        person_id=str(signer.id),
    )
    return request


def waiting_for(session: Session, actor: Actor) -> Sequence[Document]:
    """Return the documents that others asked the actor to sign, oldest request first."""
    if actor.person_id is None:
        return []
    query = (
        select(Document)
        .join(SignatureRequest)
        .where(SignatureRequest.person_id == actor.person_id, SignatureRequest.state == RequestState.ASKED)
        .order_by(SignatureRequest.asked_at)
    )
    return session.scalars(query).all()


def add_version(
    session: Session,
    document: Document,
    *,
    base: DocumentVersion,
    made_by: MadeBy,
    sha256: str,
    size: int,
    pages: int,
    signatures: int,
    person_id: UUID,
    level: Level | None = None,
    timestamp_pending: bool = False,
    now: datetime,
) -> DocumentVersion:
    """Add the successor of `base`, whose bytes are in storage. `document` comes from `find(for_change=True)`.

    Raises Conflict when somebody else has added one since `base` was shown.
    """
    refuse_stale(document, base)
    made = DocumentVersion(
        document_id=document.id,
        number=base.number + 1,
        sha256=sha256,
        size=size,
        pages=pages,
        signatures=signatures,
        made_by=made_by,
        level=level,
        timestamp_pending=timestamp_pending,
        person_id=person_id,
        made_at=now,
    )
    session.add(made)
    session.flush()
    session.expire(document, ["versions"])
    return made


def mark_signed(session: Session, document: Document, *, signer: UUID, now: datetime) -> None:
    """Note that the signer did what the owner asked of them."""
    session.execute(_SIGN_REQUEST, {"of_document": document.id, "of_person": signer, "at": now})


def refuse_stale(document: Document, base: DocumentVersion) -> None:
    """Raise Conflict unless `base` is the newest version."""
    if document.newest.number != base.number:
        raise Conflict(
            _l("Somebody else signed this document in the meantime. Your signature was not added."),
            _l("Open the document again and sign the newest version."),
        )


def _acting_person(session: Session, actor: Actor) -> Person:
    if actor.person_id is None:
        raise Invalid(_l("Your account belongs to no person, so it cannot hold documents."))
    return registry.person(session, actor.person_id)


def _can_sign() -> ColumnElement[bool]:
    signs = (
        select(Account.id)
        .join(RoleGrant)
        .where(Account.person_id == Person.id, Account.disabled_at.is_(None), RoleGrant.role.in_(_SIGNING_ROLES))
    )
    return signs.exists() & Person.posts.any(Post.ended_at.is_(None))


def _held_in(wanted: str) -> ColumnElement[bool]:
    return Post.ended_at.is_(None) & Post.agency.has(Agency.search_name.like(wanted))
