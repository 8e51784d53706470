"""Entering many people at once, found again by the index of their citizen number; entering twice changes nothing."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.registry.search import fold
from app.registry.service import new_identifier


@dataclass(frozen=True, slots=True)
class Entry:
    """A person as a file names them."""

    number_index: bytes
    surname: str
    given_name: str
    email: str | None


@dataclass(frozen=True, slots=True)
class Entered:
    """A person as the registry names them."""

    id: UUID
    identifier: str
    surname: str
    given_name: str
    full_name: str


_ENTER: Final = text(
    """
    INSERT INTO person (id, identifier, surname, given_name, full_name, search_name, email, number_index)
    SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:identifiers AS text[]), CAST(:surnames AS text[]),
        CAST(:given_names AS text[]), CAST(:full_names AS text[]), CAST(:search_names AS text[]),
        CAST(:emails AS text[]), CAST(:indexes AS bytea[]))
    ON CONFLICT (number_index) DO NOTHING
    """
)
_FIND: Final = text(
    "SELECT number_index, id, identifier, surname, given_name, full_name FROM person"
    " WHERE number_index = ANY(CAST(:indexes AS bytea[]))"
)
_APPOINT: Final = text(
    """
    INSERT INTO post (id, person_id, agency_id, title)
    SELECT wanted.id, wanted.person_id, wanted.agency_id, wanted.title
    FROM unnest(CAST(:ids AS uuid[]), CAST(:people AS uuid[]), CAST(:agencies AS uuid[]), CAST(:titles AS text[]))
        AS wanted (id, person_id, agency_id, title)
    WHERE NOT EXISTS (
        SELECT 1 FROM post WHERE post.person_id = wanted.person_id AND post.agency_id = wanted.agency_id
        AND post.title = wanted.title AND post.ended_at IS NULL)
    """
)


def enter_people(session: Session, entries: Sequence[Entry]) -> Mapping[bytes, Entered]:
    """Add those who are not in the registry, and return all of them by their index. The caller writes the log."""
    # In one order for everyone: two files with the same people must not wait for each other in a ring.
    ordered = sorted(entries, key=lambda one: one.number_index)
    indexes = [one.number_index for one in ordered]
    names = [f"{one.surname} {one.given_name}" for one in ordered]
    session.execute(
        _ENTER,
        {
            "ids": _new_ids(len(ordered)),
            "identifiers": [new_identifier() for _ in ordered],
            "surnames": [one.surname for one in ordered],
            "given_names": [one.given_name for one in ordered],
            "full_names": names,
            "search_names": [fold(name) for name in names],
            "emails": [one.email for one in ordered],
            "indexes": indexes,
        },
    )
    rows = session.execute(_FIND, {"indexes": indexes})
    return {bytes(index): Entered(*facts) for index, *facts in rows}


def appoint_people(session: Session, posts: Sequence[tuple[UUID, UUID, str]]) -> None:
    """Give each (person, agency, title) that post unless they hold it. The caller writes the log."""
    session.execute(
        _APPOINT,
        {
            "ids": _new_ids(len(posts)),
            "people": [person for person, _, _ in posts],
            "agencies": [agency for _, agency, _ in posts],
            "titles": [title for _, _, title in posts],
        },
    )


def _new_ids(count: int) -> list[UUID]:
    """Return random identifiers (RFC 9562, version 4), with one call for all of the randomness."""
    octets = secrets.token_bytes(16 * count)
    return [uuid.UUID(bytes=octets[at : at + 16], version=4) for at in range(0, 16 * count, 16)]
