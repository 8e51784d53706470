"""Seals of agencies: made where none is, by a command or by two administrators, and never in the reach of a page."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner
from sqlalchemy import select, text

from app.approvals import service as approvals
from app.certificates import register, revocations
from app.certificates.models import Certificate
from app.core import db
from app.core.errors import Conflict, NotFound
from app.core.permissions import house
from app.core.settings import Settings
from app.registry import service as registry
from app.registry.models import Agency
from app.seals import acts, service, tasks
from app.seals.cli import seals
from pki.profiles import ProfileName
from pki.revocation import RevocationReason
from tests.factories.certificates import actor

APP = Path(__file__).parents[3] / "app"


def now() -> datetime:
    return datetime.now(UTC)


def new_agency(code: str = "H99.90") -> UUID:
    with db.transaction() as session:
        top = session.scalars(select(Agency).where(Agency.code == "H99")).one()
        return registry.add_agency(session, code=code, name="Sở Mới", parent=top, actor=house("test")).id


def seal_of(agency_id: UUID) -> Certificate | None:
    with db.transaction() as session:
        return register.seal_of(session, agency_id, now=now())


def command(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(seals, list(arguments))
    return done.exit_code, done.output


def test_the_command_makes_a_seal_for_every_agency_that_has_none_and_twice_makes_none(city: Settings) -> None:
    first, second = new_agency("H99.90"), new_agency("H99.91")
    code, said = command("make", "--all")
    db.configure(city.database_url or "")
    assert (code, said.count("Sở Mới")) == (0, 2)
    made = seal_of(first)
    assert made is not None
    assert seal_of(second) is not None
    assert made.key_reference is not None
    assert made.key_reference.startswith("worker/seal_H99.90")
    code, said = command("make", "--all")
    db.configure(city.database_url or "")
    assert (code, "Seals made: 0." in said) == (0, True)


def test_the_command_makes_one_for_one_agency_and_knows_no_other_code(city: Settings) -> None:
    agency_id = new_agency()
    new_agency("H99.91")
    assert command("make", "--agency", "H99.90")[0] == 0
    db.configure(city.database_url or "")
    assert seal_of(agency_id) is not None
    assert command("make", "--agency", "nowhere")[0] == 1
    db.configure(city.database_url or "")
    assert command("make")[0] == 2


def test_a_seal_is_made_when_a_second_administrator_approves(city: Settings) -> None:
    agency_id = new_agency()
    with db.transaction() as session:
        asked = acts.ask(session, actor("oanh"), session.get_one(Agency, agency_id), now=now())
    with pytest.raises(Conflict):
        tasks.make.func(str(asked.id))
    with db.transaction() as session:
        approvals.approve(session, actor("ngan"), asked.id, digest=asked.digest_hex, now=now())
    assert seal_of(agency_id) is None
    tasks.make.func(str(asked.id))
    assert seal_of(agency_id) is not None
    tasks.make.func(str(asked.id))
    with db.transaction() as session:
        assert len(service.seals_of(session, agency_id)) == 1


def test_a_revoked_seal_may_not_be_used_and_another_one_is_made(city: Settings) -> None:
    agency_id = new_agency()
    command("make", "--agency", "H99.90")
    db.configure(city.database_url or "")
    old = seal_of(agency_id)
    assert old is not None
    with db.transaction() as session:
        revocations.revoke(session, house("test"), old.id, reason=RevocationReason.SUPERSEDED, now=now())
    with db.transaction() as session, pytest.raises(Conflict):
        service.seal_of(session, agency_id, now=now())
    with db.transaction() as session:
        assert agency_id in service.without_seal(session, now=now())


def test_a_merged_agency_gets_no_seal(city: Settings) -> None:
    agency_id = new_agency()
    with db.transaction() as session:
        agency = session.get_one(Agency, agency_id)
        agency.merged_into_id = session.scalars(select(Agency.id).where(Agency.code == "H99")).one()
        session.flush()
        assert service.make(session, city, agency, actor=house("test"), now=now()) is None
        with pytest.raises(Conflict):
            acts.ask(session, actor("oanh"), agency, now=now())


def test_the_pages_do_not_even_know_the_code_that_uses_a_seal() -> None:
    """`web` shows seals and takes orders; what loads a seal's key is imported by the jobs of `worker` alone."""
    program = (
        "import sys; import app.web; from importlib import import_module;"
        "[import_module(f'app.{name}.views') for name in app.web.CAPABILITIES];"
        "sys.exit(any(f'app.records.{name}' in sys.modules for name in ('issuing', 'sealing', 'tasks')))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
    uses = [
        path.stem
        for capability in ("seals", "records")
        for path in (APP / capability).glob("*.py")
        if "key_access" in path.read_text(encoding="utf-8")
    ]
    assert uses == ["issuing"]


def test_the_key_of_a_seal_lies_with_the_worker_alone(city: Settings) -> None:
    with db.transaction() as session:
        query = select(Certificate.key_reference).where(Certificate.profile == ProfileName.AGENCY_SEAL)
        references = session.scalars(query).all()
    assert references
    assert all(one is not None and one.startswith("worker/") for one in references)


def test_a_use_of_a_seal_cannot_be_taken_back_even_in_the_database(city: Settings) -> None:
    with db.transaction() as session:
        triggers = session.scalars(
            text("SELECT tgname FROM pg_trigger WHERE tgrelid = 'seal_use'::regclass AND NOT tgisinternal")
        ).all()
    assert triggers == ["seal_use_stays"]


def test_who_has_nothing_to_do_with_an_agency_does_not_see_its_seal(city: Settings) -> None:
    agency_id = new_agency()
    with db.transaction() as session, pytest.raises(NotFound):
        service.agency_of(session, actor("thu"), agency_id)
    with db.transaction() as session:
        assert service.agency_of(session, actor("khoa"), agency_id).id == agency_id


def test_an_agency_with_a_valid_seal_is_asked_for_none(city: Settings) -> None:
    with db.transaction() as session:
        agency = session.scalars(select(Agency).where(Agency.code == "H99.02")).one()
        with pytest.raises(Conflict):
            acts.ask(session, actor("oanh"), agency, now=now())
