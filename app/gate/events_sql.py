"""The statements that take a batch of a tablet's log: a few for a whole batch, whatever its size."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID


class Sender(NamedTuple):
    """A tablet that sends its log."""

    device_id: UUID
    checkpoint_id: UUID
    building_id: UUID
    zone: int
    public_key: bytes | None
    token_sha256: bytes | None
    revoked_at: datetime | None


class Log(NamedTuple):
    """How far a tablet's log was read."""

    contiguous: int
    head: bytes
    boot_id: UUID | None
    closed: bool
    hlc: int
    monotonic_ms: int
    taken_epoch: int
    forked_at: datetime | None


class Known(NamedTuple):
    """An entry that was taken before."""

    scan_id: UUID
    event: bytes | None
    outcome: str
    reason: str


class Held(NamedTuple):
    """A pass that an entry names, with its meeting and who holds the right to admit it."""

    secret_sha256: bytes
    pass_id: UUID
    state: str
    policy: str
    reentry: str
    starts_at: datetime
    ends_at: datetime
    lease_device_id: UUID | None
    lease_epoch: int | None


class Entered(NamedTuple):
    """An admission as it stands."""

    pass_id: UUID
    slot: int
    scan_id: UUID
    checkpoint_id: UUID
    admitted_at: datetime
    left_at: datetime | None


SENDER: Final = b"""
SELECT d.id, d.checkpoint_id, c.building_id, c.zone, d.public_key, d.token_sha256, d.revoked_at
FROM device d JOIN checkpoint c ON c.id = d.checkpoint_id WHERE d.id = %(device_id)s
"""
OPEN_LOG: Final = b"""
INSERT INTO tablet_log (device_id, head) VALUES (%(device_id)s, %(head)s) ON CONFLICT DO NOTHING
"""
LOG: Final = b"""
SELECT contiguous, head, boot_id, closed, hlc, monotonic_ms, taken_epoch, forked_at
FROM tablet_log WHERE device_id = %(device_id)s FOR UPDATE
"""
KEEP_LOG: Final = b"""
UPDATE tablet_log SET contiguous = %(contiguous)s, head = %(head)s, boot_id = %(boot_id)s, closed = %(closed)s,
    hlc = %(hlc)s, monotonic_ms = %(monotonic_ms)s, taken_epoch = %(taken_epoch)s, forked_at = %(forked_at)s
WHERE device_id = %(device_id)s
"""
KNOWN: Final = b"SELECT id, event, outcome, reason FROM scan WHERE id = ANY(%(ids)b)"
LATER: Final = b"""
SELECT event FROM scan WHERE device_id = %(device_id)s AND seq > %(after)s ORDER BY seq LIMIT 1000
"""
HELD: Final = b"""
SELECT p.secret_sha256, p.id, p.state, m.policy, m.reentry, m.starts_at, m.ends_at, l.device_id, l.epoch
FROM pass p JOIN guest g ON g.id = p.guest_id JOIN meeting m ON m.id = g.meeting_id
    LEFT JOIN lease l ON l.pass_id = p.id AND l.slot = 0 AND l.released_at IS NULL
WHERE p.secret_sha256 = ANY(%(secrets)b)
"""
ADMIT: Final = b"""
INSERT INTO admission (pass_id, slot, scan_id, checkpoint_id, admitted_at)
SELECT * FROM unnest(%(passes)b::uuid[], %(slots)b::int[], %(scans)b::uuid[], %(checkpoints)b::uuid[],
    %(times)b::timestamptz[]) AS each_one (pass_id, slot, scan_id, checkpoint_id, at)
ORDER BY pass_id, slot
ON CONFLICT DO NOTHING RETURNING scan_id
"""
ENTERED: Final = b"""
SELECT pass_id, slot, scan_id, checkpoint_id, admitted_at, left_at FROM admission WHERE pass_id = ANY(%(passes)b)
"""
RETURN: Final = b"""
UPDATE admission SET left_at = NULL, entries = entries + 1
WHERE pass_id = %(pass_id)s AND slot = %(slot)s AND left_at = %(left_at)s RETURNING pass_id
"""
LEAVE: Final = b"""
UPDATE admission a SET left_at = o.at
FROM unnest(%(passes)b::uuid[], %(slots)b::int[], %(times)b::timestamptz[]) AS o (pass_id, slot, at)
WHERE a.pass_id = o.pass_id AND a.slot = o.slot AND a.left_at IS NULL
"""
# Arrays travel in binary: as text every value is searched for what must be escaped.
KEEP: Final = b"""
INSERT INTO scan (id, device_id, checkpoint_id, pass_id, scanned_at, received_at, device_outcome, device_reason,
    outcome, reason, face, direction, slot, flags, refers_to, seq, event, signature, salt)
SELECT o.id, %(device_id)s, COALESCE(c.id, %(checkpoint_id)s), o.pass_id, o.scanned_at, %(now)s, o.device_outcome,
    o.device_reason, o.outcome, o.reason, o.face, o.direction, o.slot, o.flags, o.refers_to, o.seq, o.event,
    o.signature, o.salt
FROM unnest(%(ids)b::uuid[], %(checkpoints)b::uuid[], %(passes)b::uuid[], %(times)b::timestamptz[],
    %(device_outcomes)b::text[], %(device_reasons)b::text[], %(outcomes)b::text[], %(reasons)b::text[],
    %(faces)b::text[], %(directions)b::int[], %(slots)b::int[], %(flags)b::int[], %(refers)b::uuid[],
    %(seqs)b::bigint[], %(events)b::bytea[], %(signatures)b::bytea[], %(salts)b::bytea[])
    AS o (id, checkpoint_id, pass_id, scanned_at, device_outcome, device_reason, outcome, reason, face, direction,
        slot, flags, refers_to, seq, event, signature, salt)
    LEFT JOIN checkpoint c ON c.id = o.checkpoint_id
ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, event = excluded.event, signature = excluded.signature,
    salt = excluded.salt, flags = excluded.flags, device_outcome = excluded.device_outcome,
    device_reason = excluded.device_reason
WHERE scan.event IS NULL AND scan.device_id = excluded.device_id
"""
FACE: Final = b"UPDATE scan SET face = %(face)s WHERE id = %(scan_id)s AND device_id = %(device_id)s"
# What a tablet gave back by taking up a list without it.
RELEASE: Final = b"""
WITH back AS (
    UPDATE lease SET released_at = %(now)s
    WHERE device_id = %(device_id)s AND released_at IS NULL AND recalled_epoch <= %(epoch)s RETURNING pass_id
)
UPDATE pass SET leased_to = NULL WHERE id IN (SELECT pass_id FROM back)
"""
# After a boot that followed an orderly end, or where the policy takes the risk: everything.
RELEASE_ALL: Final = b"""
WITH back AS (
    UPDATE lease SET released_at = %(now)s
    WHERE device_id = %(device_id)s AND released_at IS NULL AND (%(closed)s OR policy = 'lenient') RETURNING pass_id
)
UPDATE pass SET leased_to = NULL WHERE id IN (SELECT pass_id FROM back)
"""
DOUBT: Final = b"""
UPDATE lease SET in_doubt_at = %(now)s
WHERE device_id = %(device_id)s AND released_at IS NULL AND in_doubt_at IS NULL AND epoch IS NOT NULL
RETURNING pass_id
"""
