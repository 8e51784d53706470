"""Routes of the demonstration city: their people, their papers, and each act done as the pages do it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import select

from app.accounts import service as accounts
from app.core import db
from app.core.permissions import Actor, Role, house
from app.core.settings import Settings
from app.core.storage import Storage
from app.documents import service as documents
from app.documents.models import Document, DocumentVersion, MadeBy
from app.registry import service as registry
from app.registry.models import Agency, Person, Post
from app.registry.search import fold
from app.routes import dispatch, drafts, holding, service
from app.routes.drafts import NewStep
from app.routes.models import Act, Route
from app.routes.service import Turn
from tests.factories.certificates import actor
from tests.factories.documents import plain_pdf


def now() -> datetime:
    return datetime.now(UTC)


def official(
    login: str, name: str, *, agency: str = "H99.02", title: str = "Chuyên viên", role: Role = Role.OFFICIAL
) -> Actor:
    """Add an official with a post, a role and an account."""
    surname, _, given_name = name.rpartition(" ")
    who = house("test")
    with db.transaction() as session:
        place = session.scalars(select(Agency).where(Agency.code == agency)).one()
        email = f"{login}@songbiec.example"
        person = registry.add_person(session, surname=surname, given_name=given_name, email=email, actor=who)
        registry.appoint(session, person, place, title=title, actor=who)
        account = accounts.create_account(session, login=login, label=name, person_id=person.id)
        accounts.grant_role(session, account, role, agency_id=place.id, actor=who)
    return actor(login)


def person_of(login: str) -> UUID:
    person_id = actor(login).person_id
    assert person_id is not None
    return person_id


def post_of(login: str) -> UUID:
    with db.transaction() as session:
        return session.scalars(select(Post.id).where(Post.person_id == person_of(login), Post.ended_at.is_(None))).one()


def agency_of(code: str) -> UUID:
    with db.transaction() as session:
        return session.scalars(select(Agency.id).where(Agency.code == code)).one()


def paper(settings: Settings, *, by: str = "minh", title: str = "Quyết định về họp") -> UUID:
    """Store a paper as version 1, without the intake, which has tests of its own."""
    pdf = plain_pdf(title.encode("ascii", "replace").decode())
    with db.transaction() as session:
        owner = session.get_one(Person, person_of(by))
        assert owner.current_post is not None
        document = Document(
            title=title,
            search_title=fold(title),
            agency_id=owner.current_post.agency_id,
            owner_id=owner.id,
            created_at=now(),
        )
        session.add(document)
        session.flush()
        session.add(
            DocumentVersion(
                document_id=document.id,
                number=1,
                sha256=Storage(settings.data_dir / "objects").put(pdf),
                size=len(pdf),
                pages=1,
                signatures=0,
                made_by=MadeBy.UPLOAD,
                person_id=owner.id,
                made_at=now(),
            )
        )
        return document.id


@dataclass(frozen=True)
class Step:
    """A step as a test says it: what, who (by login), and how."""

    act: Act
    login: str
    by_post: bool = False
    beside: bool = False
    days: int | None = None


def drafted(
    settings: Settings, steps: Sequence[Step], *, by: str = "minh", to: Sequence[str] = (), papers: int = 1
) -> UUID:
    """Compose a route of the steps, with papers of the drafter and recipients inside the city by code."""
    main, *attachments = [paper(settings, by=by, title=f"Quyết định số {one}") for one in range(1, papers + 1)]
    who = actor(by)
    with db.transaction() as session:
        route = drafts.create(session, who, main, template_id=None, now=now())
        for attachment in attachments:
            drafts.attach(session, who, route.id, attachment)
        for step in steps:
            drafts.add_step(
                session,
                who,
                route.id,
                NewStep(step.act, post_of(step.login), by_post=step.by_post, beside=step.beside, days=step.days),
            )
        for code in to:
            dispatch.add_agency(session, route, agency_of(code))
        return route.id


def start(route_id: UUID, *, by: str = "minh") -> None:
    with db.transaction() as session:
        service.start(session, actor(by), route_id, route_version=route(route_id).version, now=now())


def running(
    settings: Settings, steps: Sequence[Step], *, by: str = "minh", to: Sequence[str] = (), papers: int = 1
) -> UUID:
    route_id = drafted(settings, steps, by=by, to=to, papers=papers)
    start(route_id, by=by)
    return route_id


def route(route_id: UUID) -> Route:
    with db.transaction() as session:
        return session.get_one(Route, route_id)


def turn(route_id: UUID, login: str, *, at: datetime | None = None) -> Turn | None:
    """Return the person's turn on the main document."""
    with db.transaction() as session:
        main = session.get_one(Route, route_id).document_ids[0]
        return service.turn_of(session, main, person_of(login), now=at or now())


def sign(route_id: UUID, login: str, *, at: datetime | None = None) -> None:
    """Let the person put the signature of their turn into every paper where it is asked for."""
    for document_id in route(route_id).document_ids:
        sign_paper(document_id, login, at=at)


def sign_paper(document_id: UUID, login: str, *, turn: Turn | None = None, at: datetime | None = None) -> None:
    """Sign one paper as signing does: the paper locked, a version added, the turn told."""
    moment = at or now()
    with db.transaction() as session:
        document = session.scalars(
            select(Document).where(Document.id == document_id).with_for_update(of=Document)
        ).one()
        mine = turn or service.turn_of(session, document_id, person_of(login), now=moment)
        assert mine is not None, f"it is not the turn of {login}"
        base = document.newest
        made = documents.add_version(
            session,
            document,
            base=base,
            made_by=MadeBy.SIGNATURE if mine.act is Act.SIGN else MadeBy.INITIALS,
            sha256=base.sha256,
            size=base.size,
            pages=base.pages,
            signatures=base.signatures + 1,
            person_id=person_of(login),
            now=moment,
        )
        service.signed(session, actor(login), mine, document, made, now=moment)


def check_format(route_id: UUID, login: str) -> None:
    shown = route(route_id)
    step = next(one for one in shown.open_steps if one.act == Act.FORMAT)
    with db.transaction() as session:
        service.format_checked(
            session, actor(login), route_id, step.id, note="", route_version=shown.version, now=now()
        )


def decline(route_id: UUID, login: str, *, reason: str = "Sai trích yếu", version: int | None = None) -> None:
    seen = version or route(route_id).version
    with db.transaction() as session:
        service.decline(session, actor(login), route_id, reason=reason, route_version=seen, now=now())


def issue(route_id: UUID, login: str = "thu") -> None:
    """Issue as the register does, without number and seal, which have tests of their own."""
    with db.transaction() as session:
        found = service.find_awaiting(session, actor(login), route_id, for_change=True)
        versions = {one.document_id: one.document.newest.id for one in found.papers}
        service.issued(session, actor(login), found, version_ids=versions, now=now())


def seen_by(login: str, route_id: UUID) -> Route:
    with db.transaction() as session:
        return holding.find(session, actor(login), route_id)
