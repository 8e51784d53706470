"""The two halves of a signature: prepared for a person's own key, completed with what that key answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from app.archive import service as archive
from app.audit import service as audit
from app.certificates import register
from app.certificates.models import Certificate, CertificateState
from app.core.errors import Conflict, Invalid, NotFound, Unavailable
from app.core.failpoints import reach
from app.core.i18n import local
from app.core.logs import log
from app.core.permissions import Actor, Permission
from app.core.storage import Joined, Storage
from app.core.timestamping import Timestamper
from app.documents import service as documents
from app.documents.models import Document, DocumentVersion, Level, MadeBy
from app.marks import service as marks
from app.registry import service as registry
from app.registry.models import Person
from app.routes import service as routes
from app.routes.models import Act
from app.routes.service import Turn
from app.signing.models import SessionState, SigningSession
from app.signing.preparation import Place, prepare_limited
from pki.errors import PdfRefused, SignatureMismatch, TimestampRefused
from pki.layout.rules import Measure
from pki.pades.appearance import Mark
from pki.pades.faults import PdfFault
from pki.pades.finish import finish
from pki.pades.prepare import PreparedSignature

SESSION_LIFE: Final = timedelta(minutes=10)
_ABANDON: Final = (
    update(SigningSession)
    .where(
        SigningSession.document_id == bindparam("of_document"),
        SigningSession.person_id == bindparam("of_person"),
        SigningSession.state == SessionState.OPEN,
    )
    .values(state=SessionState.ABANDONED)
)
_OWN: Final = select(SigningSession).where(
    SigningSession.id == bindparam("session_id"), SigningSession.person_id == bindparam("person_id")
)
_OWN_FOR_CHANGE: Final = _OWN.with_for_update().execution_options(populate_existing=True)
_CERTIFICATE_HELD: Final = (
    select(Certificate)
    .where(Certificate.id == bindparam("certificate_id"))
    .with_for_update(read=True, of=Certificate)
    .execution_options(populate_existing=True)
)
_BEGIN_AGAIN: Final = _l("Open the document and begin again.")
_SIGNED_NOTHING: Final = _l("Nothing was signed. Reload the page and begin again.")
_GET_CERTIFICATE: Final = _l("Ask for a new certificate, or call your agency's administrator.")


@dataclass(frozen=True)
class Wish:
    """What a person asked to be prepared: with which certificate, where the mark stands, why they sign."""

    # Of the certificate whose key is in the browser, lower-case hex.
    certificate_sha256: str
    # The version that the browser showed.
    base_number: int
    place: Place
    reason: str | None


@dataclass(frozen=True)
class Prepared:
    session_id: UUID
    signature: PreparedSignature
    # Of the mark, from 1.
    page: int
    expires_at: datetime
    # Over a head's own place; empty anywhere else.
    ruler: Sequence[Measure]


def has_own_place(session: Session, actor: Actor, document: Document, *, now: datetime) -> bool:
    """Say whether it is the actor's turn on a document in which the places of the signatures were made."""
    was_made = any(version.made_by == MadeBy.FIELDS for version in document.versions)
    if not was_made or actor.person_id is None:
        return False
    return routes.turn_of(session, document.id, actor.person_id, now=now) is not None


def usable_certificates(session: Session, actor: Actor, *, now: datetime) -> list[Certificate]:
    """Return the certificates that the actor may sign with now, newest first."""
    if actor.person_id is None:
        return []
    return [one for one in register.of_person(session, actor.person_id) if register.is_usable(one, now=now)]


def prepare(
    session: Session, storage: Storage, actor: Actor, document_id: UUID, wish: Wish, *, now: datetime
) -> Prepared:
    """Prepare the newest version for the actor's key and open a signing session of ten minutes.

    An earlier open session of the same person and document ends. Raises Conflict if the version that was shown is
    not the newest any more or the certificate may not be used, Invalid if the mark does not fit.
    """
    document = documents.find(session, actor, document_id, for_change=True, options=documents.WITHOUT_PEOPLE)
    base = documents.version(document, wish.base_number)
    documents.refuse_stale(document, base)
    person = registry.person(session, _signer(actor))
    turn = _turn(session, document, person.id, now=now)
    certificate = _certificate_of(session, person, wish.certificate_sha256)
    certificate_der = _usable_der(certificate, now=now)
    # Signed is what is read there: it must be what was stored.
    storage.open(base.sha256).close()
    try:
        prepared, page, ruler = prepare_limited(
            storage.path_of(base.sha256),
            certificate_der=certificate_der,
            now=now,
            mark=mark_of(person, now=now),
            place=wish.place,
            signer_name=person.full_name,
            reason=wish.reason,
            field_name=turn.field_name if turn else None,
            is_head=turn is not None and turn.act is Act.SIGN,
            other_heads=turn.other_heads if turn else (),
            picture=marks.signature_picture(session, person.id),
        )
    except PdfRefused as error:
        raise _mark_refused(PdfFault(error.fault)) from error
    session.execute(_ABANDON, {"of_document": document.id, "of_person": person.id})
    opened = SigningSession(
        document_id=document.id,
        base_version_id=base.id,
        person_id=person.id,
        certificate_id=certificate.id,
        prepared_sha256=storage.put(prepared.appended),
        prepared_facts=prepared.to_json(),
        state=SessionState.OPEN,
        created_at=now,
        expires_at=now + SESSION_LIFE,
    )
    reach("sign.prepared")
    session.add(opened)
    session.flush()
    audit.record(
        session,
        actor,
        "signature_prepared",
        object_kind="document",
        object_id=document.id,
        agency_id=document.agency_id,
        signing_session_id=str(opened.id),
        base_number=base.number,
        document_digest=prepared.document_digest.hex(),
    )
    return Prepared(opened.id, prepared, page, opened.expires_at, ruler)


def prepared_file(session: Session, storage: Storage, actor: Actor, session_id: UUID, *, now: datetime) -> Joined:
    """Return the file that waits for the actor's signature. Raises NotFound for anyone else's, Conflict if ended."""
    found = _find(session, actor, session_id)
    _refuse_ended(found, now=now)
    appended = storage.get(found.prepared_sha256)
    return Joined(storage.open(_version(session, found.base_version_id).sha256), appended)


def complete(
    session: Session,
    storage: Storage,
    actor: Actor,
    session_id: UUID,
    *,
    signature_value: bytes,
    timestamp: Timestamper,
    now: datetime,
) -> DocumentVersion:
    """Check the answer of the person's key, timestamp it, and add the signed file as the next version.

    Completing twice returns the version that is there. Raises Conflict (ended, stale, certificate not good any more),
    Invalid (not a signature by this certificate's key over what was prepared). When the timestamp service is silent the
    version says that its timestamp is pending, and the archive goes on asking: a lower level is never silent.
    """
    found = _find(session, actor, session_id, for_change=True)
    document = documents.find(session, actor, found.document_id, for_change=True, options=documents.WITHOUT_PEOPLE)
    if found.state == SessionState.COMPLETED and found.version_id is not None:
        return _version(session, found.version_id)
    _refuse_ended(found, now=now)
    base = _version(session, found.base_version_id)
    documents.refuse_stale(document, base)
    turn = _turn(session, document, _signer(actor), now=now)
    certificate_der, chain_der = _held_certificate(session, found.certificate_id, now=now)
    with storage.open(base.sha256) as opened:
        prepared = PreparedSignature.from_json(found.prepared_facts, opened, storage.get(found.prepared_sha256))
    if turn is not None and turn.field_name != prepared.field_name:
        raise Conflict(_l("Your turn on this document has changed. Nothing was signed."), _BEGIN_AGAIN)
    appended, level = _finish(prepared, signature_value, certificate_der, chain_der, timestamp)
    reach("sign.finished")
    sha256 = storage.put_after(base.sha256, appended)
    reach("sign.stored")
    made = documents.add_version(
        session,
        document,
        base=base,
        made_by=MadeBy.INITIALS if turn and turn.act is Act.INITIAL else MadeBy.SIGNATURE,
        sha256=sha256,
        size=base.size + len(appended),
        pages=base.pages,
        signatures=base.signatures + 1,
        person_id=found.person_id,
        level=level,
        timestamp_pending=level is Level.BASIC,
        now=now,
    )
    _note_signed(session, actor, found, document, turn, made, now=now)
    session.flush()
    reach("sign.before_commit")
    return made


def _held_certificate(session: Session, certificate_id: UUID, *, now: datetime) -> tuple[bytes, tuple[bytes, ...]]:
    """Return a certificate that may sign now and those above it without the root, in DER. Raises Conflict.

    Its row is locked until we commit: a revocation comes wholly before this signature's time or wholly after it.
    """
    certificate = session.scalar(_CERTIFICATE_HELD, {"certificate_id": certificate_id})
    certificate_der = _usable_der(certificate, now=now)
    return certificate_der, register.intermediates_of(session, certificate) if certificate else ()


def _note_signed(
    session: Session,
    actor: Actor,
    found: SigningSession,
    document: Document,
    turn: Turn | None,
    made: DocumentVersion,
    *,
    now: datetime,
) -> None:
    """Tell everyone who waits for the signature: its owner, the route, the archive, the log."""
    documents.mark_signed(session, document, signer=found.person_id, now=now)
    if turn is not None:
        routes.signed(session, actor, turn, document, made, now=now)
    archive.note(session, document, made, now=now)
    found.state, found.version_id = SessionState.COMPLETED, made.id
    audit.record(
        session,
        actor,
        "document_signed",
        object_kind="document",
        object_id=document.id,
        agency_id=document.agency_id,
        signing_session_id=str(found.id),
        certificate_id=str(found.certificate_id),
        number=made.number,
        sha256=made.sha256,
    )


def mark_of(person: Person, *, now: datetime) -> Mark:
    """Return the text that stands on the page: who, for which body, when (with the zone, Decree 30, Annex I)."""
    post = person.current_post
    body = [post.agency.name] if post else []
    moment = local(now).strftime("%d/%m/%Y %H:%M:%S %z")
    return Mark(("Ký bởi / Signed by", person.full_name, *body, f"{moment[:-2]}:{moment[-2:]}"))


def _finish(
    prepared: PreparedSignature,
    signature_value: bytes,
    certificate_der: bytes,
    chain_der: tuple[bytes, ...],
    timestamp: Timestamper,
) -> tuple[bytes, Level]:
    finished = partial(
        finish, prepared, signature_value=signature_value, certificate_der=certificate_der, chain_der=chain_der
    )
    try:
        try:
            return finished(timestamp=timestamp), Level.TIMESTAMP
        except (TimestampRefused, Unavailable) as error:
            log.warning("signed_without_timestamp", why=type(error).__name__)
            return finished(timestamp=None), Level.BASIC
    except SignatureMismatch as error:
        raise Invalid(
            _l("The signature does not belong to this document and your certificate."), _SIGNED_NOTHING
        ) from error


def _find(session: Session, actor: Actor, session_id: UUID, *, for_change: bool = False) -> SigningSession:
    found = None
    if actor.person_id is not None:
        own = {"session_id": session_id, "person_id": actor.person_id}
        found = session.scalar(_OWN_FOR_CHANGE if for_change else _OWN, own)
    if found is None:
        raise NotFound(_l("There is no such signing session."))
    return found


def _refuse_ended(found: SigningSession, *, now: datetime) -> None:
    if found.state != SessionState.OPEN:
        raise Conflict(_l("This signing was replaced by a newer one or is finished already."), _BEGIN_AGAIN)
    if now >= found.expires_at:
        raise Conflict(_l("More than ten minutes have passed. Nothing was signed."), _BEGIN_AGAIN)


def _signer(actor: Actor) -> UUID:
    # Which papers they may sign was asked before: citizens find their own forms and nothing else.
    may_sign = actor.may(Permission.SIGN_DOCUMENTS) or actor.may(Permission.SIGN_FORMS)
    if actor.person_id is None or not may_sign:
        raise Conflict(_l("Your account cannot sign documents."))
    return actor.person_id


def _turn(session: Session, document: Document, person_id: UUID, *, now: datetime) -> Turn | None:
    """Return the signer's turn on the document's route, None without a route. Raises Conflict if it is another's."""
    if routes.may_sign_freely(session, document.id):
        return None
    turn = routes.turn_of(session, document.id, person_id, now=now)
    if turn is None:
        raise Conflict(
            _l("This document is on its way, and it is not your turn to sign. Nothing was signed."),
            _l("Look where it is on its page."),
        )
    return turn


def _certificate_of(session: Session, person: Person, sha256: str) -> Certificate:
    certificate = register.by_sha256(session, sha256)
    if certificate is None or certificate.person_id != person.id:
        raise NotFound(_l("You have no such certificate."))
    return certificate


def _usable_der(certificate: Certificate | None, *, now: datetime) -> bytes:
    """Return the certificate in DER if it may sign now. Raises Conflict with what became of it."""
    if certificate is not None and certificate.der and register.is_usable(certificate, now=now):
        return certificate.der
    state = certificate.state if certificate is not None else None
    if state == CertificateState.REVOKED:
        raise Conflict(_l("Your certificate was revoked. Nothing was signed."), _GET_CERTIFICATE)
    if state == CertificateState.HELD:
        raise Conflict(
            _l("Your certificate is suspended. Nothing was signed."),
            _l("Ask your agency's administrator to release it, then begin again."),
        )
    raise Conflict(_l("Your certificate is not valid at this time. Nothing was signed."), _GET_CERTIFICATE)


def _mark_refused(fault: PdfFault) -> Invalid:
    if fault is PdfFault.MARK_OUTSIDE_PAGE:
        return Invalid(_l("The mark does not fit on the page there."), _l("Choose another place for it."))
    if fault is PdfFault.MARK_COVERS_CONTENT:
        return Invalid(_l("The mark would cover what somebody signed before you."), _l("Choose another place for it."))
    if fault is PdfFault.MARK_UNREADABLE:
        return Invalid(
            _l("Your name or agency cannot be drawn in the mark."), _l("Ask your agency's administrator for help.")
        )
    return Invalid(
        _l("The document could not be prepared for signing. Nothing was changed."),
        _l("Save or print it as a new PDF and upload that file."),
    )


def _version(session: Session, version_id: UUID) -> DocumentVersion:
    return session.get_one(DocumentVersion, version_id)
