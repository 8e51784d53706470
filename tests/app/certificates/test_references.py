"""A certificate refers to people, agencies and authorities that exist, and these stay."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from app.certificates.models import Authority, Certificate
from app.core import db
from app.core.settings import Settings
from app.registry.models import Agency, Person

COLUMNS = "authority_id, shard, state, profile, profile_digest, label, search_name, not_before, not_after, created_at"


def _copy_with(**other: UUID | None) -> None:
    """Store a copy of some certificate under another serial number and with other references."""
    ids = {"person_id": "person_id", "agency_id": "agency_id", "authority_id": "authority_id"}
    ids |= {column: f"CAST(:{column} AS uuid)" for column in other}
    kept = COLUMNS.replace("authority_id, ", "")
    with db.transaction() as session:
        session.execute(
            text(
                f"INSERT INTO certificate (id, serial, spki_sha256, {kept}, {', '.join(ids)})"
                f" SELECT gen_random_uuid(), decode('0102', 'hex'), 'x', {kept}, {', '.join(ids.values())}"
                " FROM certificate LIMIT 1"
            ),
            other,
        )


@pytest.mark.parametrize("column", ["person_id", "agency_id", "authority_id"])
def test_a_certificate_of_somebody_unknown_is_not_stored(city: Settings, column: str) -> None:
    with pytest.raises(IntegrityError, match=f"{column.removesuffix('_id')} .* is not known"):
        _copy_with(**{column: uuid4()})
    with db.transaction() as session:
        assert session.scalar(select(Certificate.id).where(Certificate.spki_sha256 == "x")) is None


def test_one_that_names_nobody_is_stored(city: Settings) -> None:
    _copy_with(person_id=None, agency_id=None)
    with db.transaction() as session:
        assert session.scalar(select(Certificate.id).where(Certificate.spki_sha256 == "x")) is not None


@pytest.mark.parametrize("column", ["person_id", "agency_id", "authority_id"])
def test_a_reference_is_not_changed_to_somebody_unknown(city: Settings, column: str) -> None:
    with pytest.raises(IntegrityError, match="is not known"), db.transaction() as session:
        session.execute(update(Certificate).values({column: uuid4()}))


@pytest.mark.parametrize("table", [Person, Agency, Authority])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "TRUNCATE {} CASCADE", "UPDATE {} SET id = gen_random_uuid()"])
def test_whom_certificates_may_name_cannot_be_taken_away(
    city: Settings, table: type[Person | Agency | Authority], statement: str
) -> None:
    with pytest.raises(IntegrityError, match="rows stay"), db.transaction() as session:
        session.execute(text(statement.format(table.__tablename__)))
