"""What the register says of serial numbers, in one indexed query: for answers that are not stored."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Engine, Row, Select, create_engine, select
from sqlalchemy.exc import OperationalError

from app.certificates.models import Certificate, CertificateState, Revocation
from app.status.answer_file import GOOD, LONGEST_SERIAL, REVOKED

UNKNOWN: Final = 0


@dataclass(frozen=True, slots=True)
class State:
    """A status as OCSP says it; the time is in seconds since 1970, it and the reason are 0 unless it is REVOKED."""

    status: int
    reason: int = 0
    revoked_at: int = 0


GOOD_STATE: Final = State(GOOD)
UNKNOWN_STATE: Final = State(UNKNOWN)


class Register:
    """The database as the hot path sees it: one statement, no transaction around it."""

    def __init__(self, database_url: str) -> None:
        # A dead connection is noticed by the statement itself, which is then sent once more: no question beforehand.
        self.engine: Engine = create_engine(
            database_url, isolation_level="AUTOCOMMIT", pool_size=16, max_overflow=0, pool_timeout=5,
            connect_args={
                "application_name": "kyvao status", "connect_timeout": 5, "options": "-c statement_timeout=3000"
            },
        )  # fmt: skip

    def look_up(self, authority_id: UUID, serials: Iterable[bytes]) -> dict[bytes, State]:
        """Return what is known of each; a serial number never issued is left out. Raises SQLAlchemyError."""
        wanted = [serial for serial in serials if 0 < len(serial) <= LONGEST_SERIAL]
        query = statuses().where(Certificate.authority_id == authority_id, Certificate.serial.in_(wanted))
        try:
            rows = self._run(query)
        except OperationalError:
            # The server was started again; the pool has let go of its connections.
            rows = self._run(query)
        return {serial: state_of(state, at, reason) for serial, state, at, reason in rows}

    def close(self) -> None:
        self.engine.dispose()

    def _run(self, query: Statuses) -> Sequence[Row[bytes, str, datetime, int]]:
        with self.engine.connect() as connection:
            return connection.execute(query).all()


# The last two are None without a revocation.
Statuses = Select[bytes, str, datetime, int]


def statuses() -> Statuses:
    """Return the question for serial, state, time and reason of certificates, to be narrowed."""
    return select(Certificate.serial, Certificate.state, Revocation.revoked_at, Revocation.reason).outerjoin(
        Revocation, Revocation.certificate_id == Certificate.id
    )


def state_of(state: str, revoked_at: datetime | None, reason: int | None) -> State:
    """Return the status of a row of `statuses`."""
    if revoked_at is not None:
        return State(REVOKED, reason or 0, int(revoked_at.timestamp()))
    # An intent whose certificate is not stored yet was not issued as far as anybody may rely on it.
    return GOOD_STATE if state == CertificateState.ISSUED else UNKNOWN_STATE


def octets(serial_number: int) -> bytes:
    """Return a positive serial number as the register keeps it: big-endian, as many octets as it needs."""
    return serial_number.to_bytes((serial_number.bit_length() + 7) // 8, "big")
