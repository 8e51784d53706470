"""Making the demonstration city: agencies, people, accounts, the authority and a building with a gate."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts import service as accounts
from app.accounts.models import Account
from app.certificates import service as certificates
from app.citizen_forms import published
from app.citizen_forms import service as submissions
from app.citizen_forms.published import BlankForm
from app.core.db import transaction
from app.core.permissions import Actor, Role, house
from app.core.settings import Settings
from app.core.storage import Storage
from app.demo import book, campaign, extract_form, papers, pictures
from app.demo.people import AGENCIES, PASSWORD, PEOPLE, DemoPerson
from app.gate import checkpoints
from app.meetings import service as meetings
from app.registry import service as registry
from app.registry.models import Agency
from pki.forms.fields import take_in
from pki.forms.filling import fill

Tell = Callable[[str], None]


def exists(session: Session) -> bool:
    return session.scalar(select(Account.id).limit(1)) is not None


def create(settings: Settings, tell: Tell, *, campaign_rows: int = 0) -> bool:
    """Create the city in one transaction unless there are accounts already; say whether it was created.

    With `campaign_rows` a campaign for so many invented citizens has been run in it, and papers are on their way.
    """
    actor = house("demonstration")
    with transaction() as session:
        if exists(session):
            return False
        tell("Agencies and people of the demonstration city")
        agencies = _add_agencies(session, actor)
        for one in PEOPLE:
            _add_person(session, one, agencies, actor)
        now = datetime.now(UTC)
        buildings = meetings.create_demonstration(session)
        checkpoints.create_demonstration(session, buildings)
        for building, keeper in zip(buildings, ("H99.01", "H99.02"), strict=True):
            building.keeper_id = agencies[keeper].id
        certificates.create_demonstration(session, settings, now=now, tell=tell)
        _publish_form(session, settings, now=now)
    if campaign_rows:
        campaign.create(settings, campaign_rows, tell)
        tell("Pictures of signatures and seals")
        with transaction() as session:
            pictures.create(session, now=datetime.now(UTC))
        tell("Documents on their routes")
        papers.create(settings, now=datetime.now(UTC))
        with transaction() as session:
            book.create(session, now=datetime.now(UTC))
        tell("A form that waits for its citizen's signature")
        with transaction() as session:
            _fill_form_in(session, settings, now=datetime.now(UTC))
    return True


def _publish_form(session: Session, settings: Settings, *, now: datetime) -> None:
    """Let the clerk of a ward publish a form; it is of our own making, so it needs no limited process."""
    clerk = accounts.find_account(session, extract_form.CLERK)
    if clerk is None:
        raise LookupError("the demonstration has no clerk of a ward")
    output = BytesIO()
    asked = take_in(BytesIO(extract_form.make()), output)
    published.publish(
        session,
        Storage(settings.data_dir / "objects"),
        accounts.actor_of(clerk),
        BlankForm(output.getvalue(), asked.to_json()),
        title=extract_form.TITLE,
        purpose=extract_form.PURPOSE,
        now=now,
    )


def _fill_form_in(session: Session, settings: Settings, *, now: datetime) -> None:
    """Let a citizen have filled the form in; only the key in her own browser can sign it."""
    citizen = accounts.find_account(session, extract_form.CITIZEN)
    (form,) = published.offered(session)
    if citizen is None:
        raise LookupError("the demonstration has no citizen")
    storage, output = Storage(settings.data_dir / "objects"), BytesIO()
    asked = {one.name: one for one in published.questions(form)}
    fill(BytesIO(storage.get(form.pdf_sha256)), output, asked, extract_form.ANSWERS)
    submissions.begin(
        session,
        storage,
        accounts.actor_of(citizen),
        form.id,
        answers=extract_form.ANSWERS,
        pdf=output.getvalue(),
        now=now,
    )


def _add_agencies(session: Session, actor: Actor) -> dict[str, Agency]:
    agencies: dict[str, Agency] = {}
    for one in AGENCIES:
        parent = agencies[one.parent] if one.parent else None
        agencies[one.code] = registry.add_agency(session, code=one.code, name=one.name, parent=parent, actor=actor)
    return agencies


def _add_person(session: Session, one: DemoPerson, agencies: dict[str, Agency], actor: Actor) -> None:
    person = registry.add_person(
        session,
        surname=one.surname,
        given_name=one.given_name,
        email=f"{one.login}@songbiec.example",
        actor=actor,
    )
    if one.post:
        code, title = one.post
        registry.appoint(session, person, agencies[code], title=title, actor=actor)
    # Who issues documents confirms it with a password; the start page of the demonstration tells it.
    password = PASSWORD if any(role is Role.CLERK for role, _ in one.grants) else None
    account = accounts.create_account(
        session, login=one.login, label=one.calls_self, person_id=person.id, password=password
    )
    for role, code_of_scope in one.grants:
        scope = agencies[code_of_scope].id if code_of_scope else None
        accounts.grant_role(session, account, role, agency_id=scope, actor=actor)
