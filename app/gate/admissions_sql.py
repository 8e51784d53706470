"""The statements of a scan: one that reads all a decision needs, one that admits and records, one for what is rare.

They are written out and sent through psycopg: a gate is served by a bare WSGI application (`admissions_wsgi`), and the
same statements run inside a session's transaction for the routes of Flask.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple, TypeAlias
from uuid import UUID

import psycopg
from sqlalchemy.orm import Session

Connection: TypeAlias = "psycopg.Connection[tuple[object, ...]]"


class Scene(NamedTuple):
    """A tablet, and the pass that was held before it with all that hangs on it; None where there is no such pass."""

    device_id: UUID
    checkpoint_id: UUID
    building_id: UUID
    building_code: str
    zone: int
    last_seen_at: datetime | None
    pass_id: UUID | None
    pass_state: str | None
    guest_name: str | None
    organisation: str | None
    seat: str | None
    portrait_sha256: str | None
    meeting_title: str | None
    policy: str | None
    reentry: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    meeting_building_code: str | None
    meeting_building: str | None
    lease_device_id: UUID | None
    lease_until: datetime | None
    lease_in_doubt: bool | None
    lease_gate: str | None
    # The boot that the tablet's log is in, and for which its list of leases is signed.
    boot_id: UUID | None


class Written(NamedTuple):
    """What came of admitting: whether this scan took the right, who had it before, and the scan as recorded before."""

    taken: bool
    earlier_scan_id: UUID | None
    earlier_at: datetime | None
    earlier_place: str | None
    left_at: datetime | None
    recorded_outcome: str | None
    recorded_reason: str | None


_SCENE: Final = """
SELECT d.id, d.checkpoint_id, b.id, b.code, c.zone, d.last_seen_at, p.id, p.state, g.name, g.organisation, g.seat,
    g.portrait_sha256, m.title, m.policy, m.reentry, m.starts_at, m.ends_at, mb.code, mb.name || ', ' || mb.address,
    l.device_id, l.not_after, l.in_doubt_at IS NOT NULL, lc.name, t.boot_id
FROM device d JOIN checkpoint c ON c.id = d.checkpoint_id JOIN building b ON b.id = c.building_id
    LEFT JOIN pass p ON p.secret_sha256 = %(secret_sha256)s
    LEFT JOIN guest g ON g.id = p.guest_id LEFT JOIN meeting m ON m.id = g.meeting_id
    LEFT JOIN room r ON r.id = m.room_id LEFT JOIN building mb ON mb.id = r.building_id
    LEFT JOIN lease l ON l.pass_id = p.id AND l.slot = %(slot)s AND l.released_at IS NULL
    LEFT JOIN tablet_log t ON t.device_id = d.id
    LEFT JOIN device ld ON ld.id = l.device_id LEFT JOIN checkpoint lc ON lc.id = ld.checkpoint_id
WHERE d.revoked_at IS NULL AND """
SCENE_BY_TOKEN: Final = _SCENE + "d.token_sha256 = %(token_sha256)s"
SCENE_BY_DEVICE: Final = _SCENE + "d.id = %(device_id)s"

_SCAN_COLUMNS: Final = (
    "id, device_id, checkpoint_id, pass_id, operator_account_id, scanned_at, received_at,"
    " device_outcome, device_reason, direction, slot, outcome, reason"
)
_SCAN_VALUES: Final = (
    "%(scan_id)s, %(device_id)s, %(checkpoint_id)s, %(pass_id)s, %(operator)s, %(scanned_at)s, %(now)s,"
    " %(device_outcome)s, %(device_reason)s, %(direction)s, %(slot)s"
)

# The row of the pass is locked and then looked at again (READ COMMITTED does that for the locked row alone): a pass
# that is being withdrawn or leased in this moment is seen as it is afterwards.
ENTER: Final = f"""
WITH taken AS (
    INSERT INTO admission (pass_id, slot, scan_id, checkpoint_id, admitted_at)
    SELECT p.id, %(slot)s, %(scan_id)s, %(checkpoint_id)s, %(now)s FROM pass p
    WHERE p.id = %(pass_id)s AND p.state = 'valid'
        AND (p.leased_to IS NULL OR p.leased_to = %(device_id)s AND %(own)s OR %(returned)s)
    FOR SHARE OF p
    ON CONFLICT (pass_id, slot) DO NOTHING RETURNING scan_id
), earlier AS (
    SELECT a.scan_id, a.admitted_at, c.name, a.left_at FROM admission a JOIN checkpoint c ON c.id = a.checkpoint_id
    WHERE a.pass_id = %(pass_id)s AND a.slot = %(slot)s
), scanned AS (
    INSERT INTO scan ({_SCAN_COLUMNS}) SELECT {_SCAN_VALUES},
        CASE WHEN t.scan_id IS NOT NULL OR e.scan_id = %(scan_id)s THEN 'admit' ELSE 'refuse' END,
        CASE WHEN t.scan_id IS NOT NULL OR e.scan_id = %(scan_id)s THEN 'admitted' ELSE 'already_admitted' END
    FROM (SELECT 1) one LEFT JOIN taken t ON true LEFT JOIN earlier e ON true
    WHERE t.scan_id IS NOT NULL OR e.scan_id IS NOT NULL
    ON CONFLICT (id) DO NOTHING
)
SELECT EXISTS (SELECT FROM taken), e.*, s.outcome, s.reason
FROM (SELECT 1) one LEFT JOIN earlier e ON true
    LEFT JOIN scan s ON s.id = %(scan_id)s AND s.device_id = %(device_id)s
"""  # noqa: S608  pieces of this module

# Whoever went out comes back in once, whichever gates they try.
READMIT: Final = """
WITH back AS (
    UPDATE admission SET left_at = NULL, entries = entries + 1
    WHERE pass_id = %(pass_id)s AND slot = %(slot)s AND left_at = %(left_at)s RETURNING 1
)
UPDATE scan SET outcome = 'admit', reason = 'readmitted' WHERE id = %(scan_id)s AND EXISTS (SELECT FROM back)
RETURNING id
"""

RECORD: Final = f"""
INSERT INTO scan ({_SCAN_COLUMNS}) VALUES ({_SCAN_VALUES}, %(outcome)s, %(reason)s) ON CONFLICT (id) DO NOTHING
"""  # noqa: S608  pieces of this module

RECORD_AND_RECALL: Final = f"""
WITH recalled AS (
    UPDATE lease SET recalled_at = %(now)s
    WHERE pass_id = %(pass_id)s AND slot = %(slot)s AND released_at IS NULL AND recalled_at IS NULL
)
{RECORD.strip()}
"""  # noqa: S608  pieces of this module

CHECK_OUT: Final = f"""
WITH gone AS (
    UPDATE admission SET left_at = %(now)s WHERE pass_id = %(pass_id)s AND slot = %(slot)s AND left_at IS NULL
)
{RECORD.strip()}
"""  # noqa: S608  pieces of this module

SEEN: Final = "UPDATE device SET last_seen_at = %(now)s WHERE id = %(device_id)s"


def driver(session: Session) -> Connection:
    """Return the connection of psycopg under a session, inside its transaction."""
    session.flush()
    connection: Connection = session.connection().connection.driver_connection  # type: ignore[assignment]  # psycopg's
    return connection
