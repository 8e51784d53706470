"""Carrying an order out, in `worker`: number, date, seal, version, line of the book, recipients, in one transaction.

Whatever dies in between, nothing has happened: the number is taken by the row that commits with everything else. Before
the key is used everything is asked again that the page asked: who ordered it and may they still, what did they agree
to, is that what lies there now, who signed it, may the seal be used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.accounts import service as accounts
from app.accounts import step_up
from app.accounts.models import Account
from app.accounts.step_up_models import StepUp
from app.archive import service as archive
from app.audit import service as audit
from app.certificates import key_access, register
from app.certificates.models import Certificate
from app.claims import service as claims
from app.core.errors import AppError, Conflict, Invalid, NotFound, Unavailable
from app.core.failpoints import reach
from app.core.permissions import Actor
from app.core.settings import Settings
from app.core.storage import Storage
from app.core.timestamping import Timestamper
from app.documents import service as documents
from app.documents.models import Document, DocumentVersion, Level, MadeBy
from app.marks import service as marks
from app.records import head_check, registers, sealing
from app.records.kinds import label
from app.records.models import Entry, EntryState, IssueRequest, RequestState
from app.records.statement import PURPOSE, SealPlace, Statement
from app.records.words import Fault
from app.routes import dispatch
from app.routes import service as routes
from app.routes.models import Route, RouteDocument
from app.seals import service as seals
from pki.claim_mark import QrMark
from pki.errors import KeyUnavailable, PdfRefused, TimestampRefused
from pki.keys import SigningKey
from pki.pades.faults import PdfFault


class NotIssued(AppError):
    """Nothing was issued, and `fault` says why. `may_pass` says that trying again later helps."""

    def __init__(self, fault: Fault, *, may_pass: bool = False) -> None:
        super().__init__(_l("Nothing was issued."))
        self.fault = fault
        self.may_pass = may_pass


@dataclass(frozen=True)
class Work:
    """What the papers of one order have in common."""

    settings: Settings
    storage: Storage
    clerk: Actor
    proof: StepUp
    issued_on: date
    seal: Certificate
    key: SigningKey = field(repr=False)
    # Number and symbol.
    label: str
    timestamp: Timestamper
    now: datetime


def issue(
    session: Session,
    settings: Settings,
    storage: Storage,
    request_id: UUID,
    *,
    timestamp: Timestamper,
    now: datetime,
) -> Entry | None:
    """Carry out a waiting order; one that has ended is left as it is. Raises NotIssued: then commit nothing."""
    request = _waiting(session, request_id)
    if request is None:
        return None
    proof, statement = _agreed(session, request, now=now)
    clerk = clerk_of(session, proof.account_id)
    if registers.today(now) != statement.issued_on:
        raise NotIssued(Fault.ANOTHER_DAY)
    with refused_as(Fault.ROUTE_CHANGED):
        route = routes.find_awaiting(session, clerk, statement.route_id, for_change=True)
    _refuse_other_papers(route, statement)
    for paper in route.papers:
        heads = head_check.heads_of(route, paper.document_id)
        seen = head_check.look(session, storage, paper.document.newest, heads, now=now)
        if not seen.is_signed:
            raise NotIssued(Fault.NO_HEAD_SIGNATURE)
        if paper.position == 0 and seen.symbol not in (None, statement.symbol):
            raise NotIssued(Fault.OTHER_SYMBOL)
    seal, key = usable_seal(session, settings, statement.agency_id, statement.seal_sha256, now=now)
    series = registers.hold(session, statement.agency_id, statement.kind, statement.issued_on.year)
    number = registers.next_number(session, series.id)
    written = label(number, statement.symbol)
    reach("records.numbered")
    work = Work(settings, storage, clerk, proof, statement.issued_on, seal, key, written, timestamp, now)
    made: dict[UUID, DocumentVersion] = {}
    for paper in route.papers:
        made[paper.document_id] = _seal_paper(session, work, paper, statement.place)
        reach("records.sealed")
    entry = _enter(session, route, series.id, number, written, statement, made, seal, request.person_id, now=now)
    reach("records.entered")
    with refused_as(Fault.ROUTE_CHANGED):
        routes.issued(session, clerk, route, version_ids={key_: version.id for key_, version in made.items()}, now=now)
    request.state, request.entry_id, request.ended_at, request.fault = RequestState.DONE, entry.id, now, None
    audit.record(
        session,
        clerk,
        "document_issued",
        object_kind="register_entry",
        object_id=entry.id,
        agency_id=statement.agency_id,
        number=written,
        request_id=str(request.id),
        route_id=str(route.id),
    )
    session.flush()
    reach("records.before_commit")
    return entry


def note_try(session: Session, request_id: UUID, fault: Fault) -> None:
    """Note that a waiting order could not be carried out yet, and why; it is tried again."""
    session.execute(
        update(IssueRequest)
        .where(IssueRequest.id == request_id, IssueRequest.state == RequestState.WAITING)
        .values(tries=IssueRequest.tries + 1, fault=fault)
    )


def refuse(session: Session, request_id: UUID, fault: Fault, *, actor: Actor, now: datetime) -> None:
    """End an order that cannot be carried out. The documents still wait; the clerk may order again."""
    request = _waiting(session, request_id)
    if request is None:
        return
    # What kept it waiting until it was too late says more than that it was too late.
    if fault is not Fault.EXPIRED or request.fault is None:
        request.fault = fault
    request.state, request.ended_at = RequestState.REFUSED, now
    request.tries += 1
    audit.record(
        session,
        actor,
        "issue_refused",
        object_kind="route",
        object_id=request.route_id,
        agency_id=request.agency_id,
        request_id=str(request.id),
        why=request.fault,
    )


def _waiting(session: Session, request_id: UUID) -> IssueRequest | None:
    query = select(IssueRequest).where(IssueRequest.id == request_id).with_for_update(of=IssueRequest)
    found = session.scalar(query.execution_options(populate_existing=True))
    return found if found is not None and found.state == RequestState.WAITING else None


def _agreed(session: Session, request: IssueRequest, *, now: datetime) -> tuple[StepUp, Statement]:
    """Use the proof up and return what was agreed to, its digest worked out again."""
    with refused_as(Fault.EXPIRED):
        proof = step_up.use(session, request.step_up_id, purpose=PURPOSE, now=now)
    statement = Statement.from_json(proof.statement)
    if now > statement.expires_at:
        raise NotIssued(Fault.EXPIRED)
    if (statement.route_id, statement.agency_id) != (request.route_id, request.agency_id):
        raise NotIssued(Fault.ROUTE_CHANGED)
    return proof, statement


def clerk_of(session: Session, account_id: UUID) -> Actor:
    """Return the clerk with the roles of this moment: who may issue is asked of them, not of the house."""
    account = session.get_one(Account, account_id)
    if account.disabled_at is not None:
        raise NotIssued(Fault.NOT_ALLOWED)
    return accounts.actor_of(account)


def _refuse_other_papers(route: Route, statement: Statement) -> None:
    there = [(one.document_id, one.document.newest.number, one.document.newest.sha256) for one in route.papers]
    agreed = [(one.document_id, one.version, one.sha256) for one in statement.papers]
    if there != agreed or route.agency_id != statement.agency_id:
        raise NotIssued(Fault.ROUTE_CHANGED)


def usable_seal(
    session: Session, settings: Settings, agency_id: UUID, sha256: str, *, now: datetime
) -> tuple[Certificate, SigningKey]:
    """Return the agency's seal, which must be the one agreed to, locked, and its key. Raises NotIssued."""
    with refused_as(Fault.NO_SEAL):
        seal = seals.seal_of(session, agency_id, now=now)
    if seal.sha256 != sha256:
        raise NotIssued(Fault.SEAL_CHANGED)
    # Locked until we commit: a revocation comes wholly before this use of the key or wholly after it.
    locked = session.scalar(
        select(Certificate)
        .where(Certificate.id == seal.id)
        .with_for_update(read=True, of=Certificate)
        .execution_options(populate_existing=True)
    )
    if locked is None or not register.is_usable(locked, now=now):
        raise NotIssued(Fault.NO_SEAL)
    try:
        return locked, key_access.load(settings, locked.key_reference)
    except KeyUnavailable as error:
        raise NotIssued(Fault.KEY_UNAVAILABLE, may_pass=True) from error


def _seal_paper(session: Session, work: Work, paper: RouteDocument, place: SealPlace) -> DocumentVersion:
    """Add the sealed version of one paper of a route."""
    is_main = paper.position == 0
    order = sealing.Order(
        certificate_der=work.seal.der or b"",
        chain_der=register.intermediates_of(session, work.seal),
        agency=paper.route.agency.name,
        label=work.label,
        issued_on=work.issued_on,
        place=place,
        code=_code(session, work, paper) if is_main else None,
        picture=marks.seal_picture(session, paper.route.agency_id),
        is_main=is_main,
        now=work.now,
    )
    version = put_under_seal(session, work, paper.document, order)
    if is_main:
        claims.issued(session, paper.document_id, version)
    return version


def put_under_seal(session: Session, work: Work, document: Document, order: sealing.Order) -> DocumentVersion:
    """Add the sealed version of a document, with all its proofs, and write down the use of the seal.

    Raises NotIssued.
    """
    base = document.newest
    with _sealing(), sealing.sealed(work.storage.path_of(base.sha256), order, work.key, work.timestamp) as done:
        reach("records.stamped")
        with refused_as(Fault.NO_PROOFS):
            raised = archive.augment_to(
                session, work.settings, done.path, level=Level.ARCHIVE, timestamp=work.timestamp
            )
        reach("records.proven")
        done.append(raised.appended)
        version = documents.add_version(
            session,
            document,
            base=base,
            made_by=MadeBy.SEAL,
            sha256=work.storage.put_stream(done.file, largest=sealing.LARGEST),
            size=done.size,
            pages=base.pages,
            signatures=base.signatures + 1,
            person_id=work.clerk.person_id or document.owner_id,
            level=raised.level,
            now=work.now,
        )
    seals.record_use(
        session,
        work.clerk,
        work.seal,
        version,
        work.proof,
        number=work.label,
        document_digest=done.document_digest,
        now=work.now,
    )
    archive.note(session, document, version, now=work.now, renew_by=raised.renew_by)
    return version


def _code(session: Session, work: Work, paper: RouteDocument) -> QrMark:
    with refused_as(Fault.NUMBER_TOO_LONG):
        return claims.qr_for(
            session,
            work.settings,
            paper.document,
            number=work.label,
            issued_on=work.issued_on,
            signed=paper.document.newest,
            seal=work.seal,
            key=work.key,
            now=work.now,
        )


def _enter(
    session: Session,
    route: Route,
    series_id: UUID,
    number: int,
    written: str,
    statement: Statement,
    made: Mapping[UUID, DocumentVersion],
    seal: Certificate,
    clerk_id: UUID,
    *,
    now: datetime,
) -> Entry:
    """Write the line of the book."""
    main = route.papers[0]
    recipients = "; ".join(
        one.agency.name if one.agency is not None else one.name or "" for one in dispatch.of_route(session, route)
    )
    signer = next((act.person for act in reversed(route.acts) if act.document_id == main.document_id), None)
    title = main.document.title
    entry = Entry(
        series_id=series_id,
        number=number,
        label=written,
        issued_on=statement.issued_on,
        state=EntryState.ISSUED,
        subject=title,
        search_text=registers.search_text(written, title, recipients, signer.full_name if signer else ""),
        recipients=recipients,
        pages=main.document.newest.pages,
        document_id=main.document_id,
        version_id=made[main.document_id].id,
        route_id=route.id,
        signer_id=signer.id if signer else None,
        seal_id=seal.id,
        clerk_id=clerk_id,
        made_at=now,
    )
    session.add(entry)
    session.flush()
    return entry


@contextmanager
def refused_as(fault: Fault) -> Iterator[None]:
    """Turn what a part of the house refuses into the fault of this step."""
    try:
        yield
    except (Conflict, Invalid, NotFound) as error:
        raise NotIssued(fault) from error


@contextmanager
def _sealing() -> Iterator[None]:
    try:
        yield
    except (Unavailable, TimestampRefused) as error:
        raise NotIssued(Fault.NO_TIMESTAMP, may_pass=True) from error
    except PdfRefused as error:
        out_of_place = error.fault in (PdfFault.MARK_OUTSIDE_PAGE, PdfFault.MARK_COVERS_CONTENT)
        raise NotIssued(Fault.NO_PLACE if out_of_place else Fault.FILE_UNREADABLE) from error
