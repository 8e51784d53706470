"""A document's code: made when it is issued, compared with what somebody scanned, and what the public may learn."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.audit import service as audit
from app.certificates import register
from app.certificates.models import Certificate
from app.claims.models import Claim, Disclosure
from app.core.errors import Conflict, Invalid, NotFound
from app.core.permissions import Actor
from app.core.queue import enqueue
from app.core.settings import Settings
from app.documents.models import Document, DocumentVersion
from pki import document_claim
from pki.claim_mark import QrMark, page_address
from pki.document_claim import CLAIM_ID_LENGTH, DocumentClaim, DocumentClass
from pki.errors import ProfileViolation
from pki.keys import SigningKey

PUBLISH_TASK: Final = "claims.publish_keys"
LONGEST_CODE: Final = 1000


class Standing(StrEnum):
    """What the register says of a code that somebody scanned."""

    # No document of ours carries this code, however good its signature may look.
    UNKNOWN = "unknown"
    # One does, and its class lets us say no more.
    GENUINE = "genuine"
    IN_FORCE = "in_force"
    REPLACED = "replaced"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class PublicFacts:
    """What a public document's page shows beside its number."""

    title: str
    signer: str
    # SHA-256 of the issued file, and where its copy is fetched: the claim's id in hex.
    issued_sha256: str
    file_id: str


@dataclass(frozen=True)
class Comparison:
    standing: Standing
    number: str | None = None
    issued_on: date | None = None
    agency: str | None = None
    withdrawn_at: datetime | None = None
    # Number and symbol of the document that stands in its place.
    replaced_by: str | None = None
    public: PublicFacts | None = None


def qr_for(
    session: Session,
    settings: Settings,
    document: Document,
    *,
    number: str,
    issued_on: date,
    signed: DocumentVersion,
    seal: Certificate,
    key: SigningKey,
    now: datetime,
) -> QrMark:
    """Sign the claim of a document that is being issued, store it, and return its code to be drawn on the paper.

    `signed` is the version that the head signed; the issued file must begin with it. `seal` is the agency's seal and
    `key` its key, which only `worker` can load. Call `issued` with the new version in the same transaction.
    Raises Conflict if the document has a claim already, Invalid if its number does not fit into a code.
    """
    if session.scalar(select(Claim.id).where(Claim.document_id == document.id)) is not None:
        raise Conflict(_l("This document was issued already."))
    if seal.agency_id is None:
        raise Invalid(_l("A document is issued with the seal of an agency."))
    claim = DocumentClaim(
        secrets.token_bytes(CLAIM_ID_LENGTH),
        number,
        issued_on,
        bytes.fromhex(signed.sha256),
        signed.size,
        class_of(session, document.id),
    )
    try:
        digits = document_claim.sign(claim, kid=register.kid_of(seal), key=key)
    except ProfileViolation as error:
        raise Invalid(
            _l("The number and symbol do not fit into the document's code."),
            _l("They have at most 48 characters, fewer with Vietnamese letters."),
        ) from error
    session.add(
        Claim(
            claim_id=claim.claim_id,
            document_id=document.id,
            agency_id=seal.agency_id,
            number=claim.number,
            issued_on=claim.issued_on,
            signed_version_id=signed.id,
            digest=claim.digest,
            document_class=int(claim.document_class),
            digits=digits,
            certificate_id=seal.id,
            made_at=now,
        )
    )
    session.flush()
    return QrMark(page_address(settings.web_url), digits)


def issued(session: Session, document_id: UUID, version: DocumentVersion) -> None:
    """Note which file was issued with the claim of `qr_for`. Raises Conflict without a claim, or for another file."""
    found = session.execute(
        update(Claim)
        .where(Claim.document_id == document_id, Claim.issued_version_id.is_(None))
        .values(issued_version_id=version.id)
        .returning(Claim.id)
    ).scalar()
    if found is None:
        raise Conflict(_l("This document was issued already."))
    # Whoever reads the first code under a new seal must find its key now, not in half a minute.
    enqueue(session, PUBLISH_TASK, {"timestamp": 0}, lock=PUBLISH_TASK, queueing_lock=PUBLISH_TASK)


def withdraw(session: Session, actor: Actor, document_id: UUID, *, now: datetime) -> None:
    """Let the code of an issued document say that it is no longer in force; doing it twice keeps the first time.

    Who may do it is for the caller, who found the document in the actor's scope. Raises NotFound without a claim.
    """
    claim = session.scalar(select(Claim).where(Claim.document_id == document_id).with_for_update(of=Claim))
    if claim is None:
        raise NotFound(_l("This document was not issued, so it carries no code."))
    if claim.withdrawn_at is not None:
        return
    claim.withdrawn_at = now
    audit.record(
        session,
        actor,
        "document_code_withdrawn",
        object_kind="document",
        object_id=document_id,
        agency_id=claim.agency_id,
    )


def class_of(session: Session, document_id: UUID) -> DocumentClass:
    """Return what the public may learn of a document: what somebody chose, else little."""
    chosen = session.scalar(select(Disclosure.document_class).where(Disclosure.document_id == document_id))
    return DocumentClass.RESTRICTED if chosen is None else DocumentClass(chosen)


def choose_class(
    session: Session, actor: Actor, document: Document, document_class: DocumentClass, *, now: datetime
) -> None:
    """Choose the class of a document that the actor may see and that is not issued yet. Raises Conflict if it is."""
    if actor.account_id is None or claim_of(session, document.id) is not None:
        raise Conflict(
            _l("The document is issued: what its code says can no longer be changed."),
            _l("Withdraw it and issue another one in its place."),
        )
    values = {"document_class": int(document_class), "account_id": actor.account_id, "chosen_at": now}
    session.execute(
        insert(Disclosure)
        .values(document_id=document.id, **values)
        .on_conflict_do_update(index_elements=[Disclosure.document_id], set_=values)
    )
    audit.record(
        session,
        actor,
        "document_class_chosen",
        object_kind="document",
        object_id=document.id,
        agency_id=document.agency_id,
        document_class=document_class.name.lower(),
    )


def claim_of(session: Session, document_id: UUID) -> Claim | None:
    """Return the claim of a document, None before it is issued."""
    return session.scalar(select(Claim).where(Claim.document_id == document_id))


def compare(session: Session, code: str) -> Comparison:
    """Compare a scanned code with the register. Nothing is told about a document unless the code is its own, whole."""
    claim = _by_code(session, code)
    if claim is None:
        return Comparison(Standing.UNKNOWN)
    if claim.document_class == DocumentClass.HIDDEN:
        return Comparison(Standing.GENUINE)
    successor = session.scalar(
        select(Claim.number)
        .join(Document, Document.id == Claim.document_id)
        .where(Document.replaces_id == claim.document_id)
    )
    standing = Standing.REPLACED if successor else Standing.IN_FORCE
    if claim.withdrawn_at is not None:
        standing = Standing.WITHDRAWN
    return Comparison(
        standing,
        claim.number,
        claim.issued_on,
        claim.agency.name,
        claim.withdrawn_at,
        successor,
        _public_facts(session, claim) if claim.document_class == DocumentClass.PUBLIC else None,
    )


def public_file(session: Session, file_id: str) -> tuple[Claim, str]:
    """Return a public document's claim and the SHA-256 of its issued file. Raises NotFound for every other one."""
    claim_id = _octets(file_id)
    claim = session.scalar(
        select(Claim).where(Claim.claim_id == claim_id, Claim.document_class == int(DocumentClass.PUBLIC))
    )
    if claim is None or claim.issued_version is None or claim.withdrawn_at is not None:
        raise NotFound(_l("There is no public document at this address."))
    return claim, claim.issued_version.sha256


def _by_code(session: Session, code: str) -> Claim | None:
    if not code.isascii() or not code.isdigit() or len(code) > LONGEST_CODE:
        return None
    return session.scalar(select(Claim).where(Claim.digits == code, Claim.issued_version_id.is_not(None)))


def _public_facts(session: Session, claim: Claim) -> PublicFacts | None:
    if claim.issued_version is None:
        return None
    signed = session.get_one(DocumentVersion, claim.signed_version_id)
    return PublicFacts(claim.document.title, signed.person.full_name, claim.issued_version.sha256, claim.claim_id.hex())


def _octets(file_id: str) -> bytes:
    try:
        return bytes.fromhex(file_id)
    except ValueError:
        return b""
