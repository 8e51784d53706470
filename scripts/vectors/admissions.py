"""Rights to admit, and entries of a tablet's log, as both languages must read and write them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from pki.authority import spki
from pki.keys import Curve, SoftwareKey
from pki.passes import lease, scan_event, signed_list
from pki.passes.claims import PassFlags
from pki.passes.decision import Outcome, Reason
from pki.passes.lease import Policy
from pki.passes.scan_event import Direction, EventFlags, Face, ScanEvent
from pki.passes.signed_list import Edition
from scripts.vectors.world import LISTS_UNTIL, MINUTE, START, World, text

DEVICE: Final = UUID("0190c0de-0000-7000-8000-00000000000a")
BOOT: Final = UUID("0190c0de-0000-7000-8000-00000000000b")
GATE: Final = UUID("0190c0de-0000-7000-8000-00000000000c")
LEASED_UNTIL: Final = START + 120 * MINUTE
_SECOND: Final = timedelta(seconds=1)


def lease_message(world: World) -> bytes:
    entries = {(4242, 0): Policy.STRICT, (4242, 1): Policy.LENIENT, (1, 0): Policy.STRICT}
    return lease.build(Edition(5, START, LEASED_UNTIL), DEVICE, BOOT, entries, world.trust)


def admissions(world: World) -> Iterator[dict[str, object]]:
    """Passes at a gate with or without network and lease."""
    claims = world.claims()
    leased = world.pass_digits(claims)
    other = world.pass_digits(replace(claims, status_index=77))
    lenient = world.pass_digits(replace(claims, status_index=77, flags=PassFlags.LENIENT))
    entry = {"at": (START + 2 * MINUTE).isoformat(), "place": "Cổng A"}
    last = LEASED_UNTIL - 2 * MINUTE
    yield _case("its lease, without network", leased, "admit", "admitted", lease=True)
    yield _case("no list of leases, without network", leased, "look_again", "no_lease")
    yield _case("not on the list", other, "look_again", "no_lease", lease=True)
    yield _case("another slot", world.pass_digits(replace(claims, slot=2)), "look_again", "no_lease", lease=True)
    yield _case("not on the list, with network", other, "admit", "admitted", lease=True, online=True)
    yield _case("spent here", leased, "refuse", "already_admitted", lease=True, spent=entry)
    yield _case("spent, with network", leased, "refuse", "already_admitted", online=True, spent=entry)
    yield _case("spent, lenient", lenient, "refuse", "already_admitted", spent=entry)
    yield _case("lenient by the pass", lenient, "admit", "admitted_unconfirmed")
    yield _case("lenient by the meeting", other, "admit", "admitted_unconfirmed", policy="lenient")
    yield _case("strict by the meeting", lenient, "look_again", "no_lease", policy="strict")
    yield _case("the last second of the lease", leased, "admit", "admitted", lease=True, now=_at(last))
    yield _case("a second later", leased, "look_again", "no_lease", lease=True, now=_at(last + _SECOND))
    yield _case("a zone asks for no lease", leased, "admit", "admitted", zone=2)
    yield _case("a zone opens again", leased, "admit", "admitted", zone=2, spent=entry)
    yield _case("another zone", leased, "refuse", "wrong_zone", zone=4, lease=True)
    withdrawn = world.pass_digits(replace(claims, status_index=1))
    yield _case("leased, then withdrawn", withdrawn, "refuse", "withdrawn", lease=True)
    yield from _old_lists(leased, other, lenient)
    changing = replace(claims, flags=PassFlags.ROTATING)
    rotating = world.pass_digits(changing)
    yield _case("a changing code of now", rotating, "admit", "admitted", lease=True, fresh=True)
    yield _case("a changing code of now, with network", rotating, "admit", "admitted", online=True, fresh=True)
    yield _case("a picture of a changing code", rotating, "look_again", "old_code", lease=True)
    yield _case("a picture, with network", rotating, "look_again", "old_code", online=True)
    yield _case("a picture, at a zone", rotating, "look_again", "old_code", zone=2)
    ended = world.pass_digits(replace(changing, status_index=1))
    yield _case("a picture of a withdrawn pass", ended, "refuse", "withdrawn", lease=True)


def _old_lists(leased: str, other: str, lenient: str) -> Iterator[dict[str, object]]:
    old = _at(START + 29 * MINUTE)
    yield _case("old lists and a lease", leased, "admit", "admitted", lease=True, lists_until=old)
    yield _case("old lists and no lease", other, "look_again", "stale_lists", lease=True, lists_until=old)
    yield _case("old lists, lenient", lenient, "look_again", "stale_lists", lists_until=old)
    day = START + 30 * MINUTE - timedelta(hours=24)
    yield _case("lists of a day ago and a lease", leased, "admit", "admitted", lease=True, lists_until=_at(day))
    older = _at(day - _SECOND)
    yield _case("lists older than a day", leased, "look_again", "stale_lists", lease=True, lists_until=older)


def lease_readings(world: World) -> Iterator[dict[str, object]]:
    """Lists of leases that the trust key signed, most of which no city would."""
    edition = Edition(5, START, LEASED_UNTIL)
    good = [DEVICE.bytes, BOOT.bytes, [[1, 0, 0], [1, 1, 1]]]
    for name, body, fault in (
        ("as written", good, None),
        ("nothing leased", [*good[:2], []], None),
        ("another tablet", [GATE.bytes, *good[1:]], "malformed"),
        ("an earlier boot", [good[0], GATE.bytes, good[2]], "malformed"),
        ("a part less", good[:2], "malformed"),
        ("a part more", [*good, 0], "malformed"),
        ("an entry of two", [*good[:2], [[1, 0]]], "malformed"),
        ("an entry of four", [*good[:2], [[1, 0, 0, 0]]], "malformed"),
        ("a policy that does not exist", [*good[:2], [[1, 0, 2]]], "malformed"),
        ("a negative place", [*good[:2], [[-1, 0, 0]]], "malformed"),
        ("entries that are text", [*good[:2], "x"], "malformed"),
        ("a short name", [good[0][1:], *good[1:]], "malformed"),
    ):
        message = signed_list.sign(lease.KIND, edition, body, world.trust)
        yield {"name": name, "message": text(message), "fault": fault}
    status_like = signed_list.sign("status", edition, good, world.trust)
    yield {"name": "a list of another kind", "message": text(status_like), "fault": "malformed"}
    stranger = signed_list.sign(lease.KIND, edition, good, world.stranger)
    yield {"name": "signed by a stranger", "message": text(stranger), "fault": "bad_signature"}


def events() -> Iterator[dict[str, object]]:
    """Entries of a log with their bytes, and a signature by the tablet's key."""
    key = SoftwareKey.generate(Curve.P256)
    salt = bytes(range(16))
    first = ScanEvent(
        DEVICE, 1, scan_event.NO_PREVIOUS, BOOT, scan_event.tick(0, 1_795_395_600_123), 4_000, 7, 9, 3,
        scan_event.commitment(salt, bytes(range(16))), GATE, Direction.IN, Outcome.ADMIT, Reason.ADMITTED, 0,
        lease_epoch=5,
    )  # fmt: skip
    previous = hashlib.sha256(first.encode()).digest()
    nothing = scan_event.commitment(salt, None)
    second = replace(first, seq=2, previous=previous, hlc=first.hlc + 1, outcome=Outcome.REFUSE, reason=Reason.NOT_OURS,
                     commitment=nothing, lease_epoch=None)  # fmt: skip
    face = replace(second, seq=70_000, flags=EventFlags.FACE, refers_to=first.scan_id, face=Face.MISMATCH)
    leaving = replace(first, seq=2**32 - 1, direction=Direction.OUT, reason=Reason.OLD_CODE, slot=23,
                      outcome=Outcome.LOOK_AGAIN, hlc=2**64 - 1, flags=EventFlags.OVERRIDE | EventFlags.KIOSK,
                      refers_to=first.scan_id, monotonic_ms=2**32 - 1)  # fmt: skip
    for name, event, secret in (
        ("an entry by lease", first, bytes(range(16))),
        ("no pass", second, None),
        ("a word about a face", face, None),
        ("every bound", leaving, bytes(range(16))),
    ):
        data = event.encode()
        yield {
            "name": name,
            "event": _facts(event),
            "salt": text(salt),
            "secret": text(secret) if secret else None,
            "bytes": text(data),
            "scan_id": str(event.scan_id),
            "sha256": hashlib.sha256(data).hexdigest(),
            "key": text(spki(key.public_key)),
            "signature": text(scan_event.sign(data, key)),
        }


def _facts(event: ScanEvent) -> dict[str, object]:
    return {
        "device_id": text(event.device_id.bytes),
        "seq": event.seq,
        "previous": text(event.previous),
        "boot_id": text(event.boot_id.bytes),
        "hlc": str(event.hlc),
        "monotonic_ms": event.monotonic_ms,
        "versions": [event.trust_version, event.status_version, event.roster_version],
        "commitment": text(event.commitment),
        "checkpoint_id": text(event.checkpoint_id.bytes),
        "direction": int(event.direction),
        "outcome": event.outcome.value,
        "reason": event.reason.value,
        "slot": event.slot,
        "lease_epoch": event.lease_epoch,
        "flags": int(event.flags),
        "refers_to": text(event.refers_to.bytes) if event.refers_to else None,
        "face": None if event.face is None else int(event.face),
    }


def _case(name: str, digits: str, outcome: str, reason: str, **facts: object) -> dict[str, object]:
    given: dict[str, object] = {
        "now": _at(START + 30 * MINUTE),
        "zone": 0,
        "lists_until": _at(LISTS_UNTIL),
        "spent": None,
        "lease": False,
        "policy": None,
        "online": False,
        "fresh": False,
    }
    return {"name": name, "digits": digits, "outcome": outcome, "reason": reason, **given, **facts}


def _at(moment: datetime) -> str:
    return moment.isoformat()
