"""`kyvao registry`: the first agencies, people and accounts of an installation, before anyone can sign in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.accounts import service as accounts
from app.accounts.passwords import MINIMUM_LENGTH
from app.core.command_line import opened
from app.core.permissions import Role, house
from app.registry import service
from app.registry.models import Agency

_ACTOR: Final = house("kyvao registry")


@click.group("registry")
def registry() -> None:
    """Enter agencies, people and their accounts."""


@registry.command("add-agency")
@click.argument("code")
@click.argument("name")
@click.option("--under", help="Code of the agency above; without it, at the top.")
def add_agency(code: str, name: str, under: str | None) -> None:
    """Add the agency CODE with that NAME."""
    with opened() as (session, _):
        parent = _agency(session, under) if under else None
        if session.scalar(select(Agency.id).where(Agency.code == code)) is not None:
            raise click.ClickException(f"There is an agency with the code {code} already.")
        service.add_agency(session, code=code, name=name, parent=parent, actor=_ACTOR)
    click.echo(f"{code} is in the registry.")


@registry.command("add-person")
@click.argument("login")
@click.option("--surname", required=True, help="Family and middle names, such as “Trần Văn”.")
@click.option("--given-name", required=True, help="Such as “Minh”.")
@click.option("--email")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--agency", help="Code of the agency that the role and the post are in; without it, the whole city.")
@click.option("--title", help="Title of the post; without it, the person holds none.")
@click.password_option(help="Asked for when it is not given; at least 15 characters.")
def add_person(
    login: str,
    surname: str,
    given_name: str,
    email: str | None,
    role: str,
    agency: str | None,
    title: str | None,
    password: str,
) -> None:
    """Add a person with the account LOGIN, a role, and with --title a post."""
    if len(password) < MINIMUM_LENGTH:
        raise click.ClickException(f"A password has at least {MINIMUM_LENGTH} characters.")
    if title and not agency:
        raise click.ClickException("A post is in an agency: give --agency.")
    with opened() as (session, _):
        if accounts.find_account(session, login.strip().lower()) is not None:
            raise click.ClickException(f"There is an account {login} already.")
        place = _agency(session, agency) if agency else None
        person = service.add_person(session, surname=surname, given_name=given_name, email=email, actor=_ACTOR)
        if place is not None and title:
            service.appoint(session, person, place, title=title, actor=_ACTOR)
        account = accounts.create_account(
            session, login=login, label=person.full_name, person_id=person.id, password=password
        )
        accounts.grant_role(session, account, Role(role), agency_id=place.id if place else None, actor=_ACTOR)
    click.echo(f"{login} can sign in.")


@registry.command("merge-agency")
@click.argument("code")
@click.argument("into")
def merge_agency(code: str, into: str) -> None:
    """Merge the agency CODE into the agency INTO: its people get the same posts there.

    What happens to the certificates of its people, its seal and its pass signer is proposed to administrators.
    """
    with opened() as (session, _):
        moved = service.merge_agency(
            session, _agency(session, code), _agency(session, into), actor=_ACTOR, now=datetime.now(UTC)
        )
    click.echo(f"{code} is merged into {into}, with {moved} posts. Its certificates are proposed within the hour.")


def _agency(session: Session, code: str) -> Agency:
    found = session.scalar(select(Agency).where(Agency.code == code))
    if found is None:
        raise click.ClickException(f"There is no agency with the code {code}.")
    return found
