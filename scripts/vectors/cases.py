"""Scans at a gate: what was scanned, when and where, and what the guard must be told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from pki.keys import Curve, SoftwareKey
from pki.passes import cose, digits
from pki.passes.claims import PassClaims, PassFlags
from scripts.vectors.world import KID, LISTS_UNTIL, MINUTE, START, World


def case(name: str, pass_digits: str, outcome: str, reason: str, **facts: object) -> dict[str, object]:
    given = {
        "now": (START + 30 * MINUTE).isoformat(),
        "building": "TTHC",
        "zone": 0,
        "meeting_building": "TTHC",
        "earlier": None,
    }
    return {"name": name, "digits": pass_digits, "outcome": outcome, "reason": reason, **given, **facts}


def at(moment: datetime) -> str:
    return moment.isoformat()


def cases(world: World) -> Iterator[dict[str, object]]:
    claims = world.claims()
    good = world.pass_digits(claims)
    end = claims.not_after
    yield case("a good pass in time", good, "admit", "admitted")
    yield case("the building is not known", good, "admit", "admitted", meeting_building=None)
    yield case("the longest pass", world.pass_digits(_longest(claims)), "admit", "admitted")
    yield case("flags and a slot", world.pass_digits(replace(claims, flags=PassFlags(3), slot=5)), "admit", "admitted")
    yield case("two minutes before", good, "admit", "admitted", now=at(START - 2 * MINUTE))
    yield case("a second more", good, "refuse", "too_early", now=at(START - 2 * MINUTE - timedelta(seconds=1)))
    yield case("two minutes after the end", good, "admit", "admitted", now=at(end + 2 * MINUTE))
    yield case("a second later", good, "refuse", "too_late", now=at(end + 2 * MINUTE + timedelta(seconds=1)))
    yield case("the evening of the day", good, "refuse", "too_late", now=at(START + timedelta(hours=15, minutes=59)))
    # Midnight in the city is 17:00 UTC: the day is the city's.
    yield case("the next day begins", good, "refuse", "wrong_day", now=at(START + timedelta(hours=16)))
    yield case("midnight before", good, "refuse", "too_early", now=at(START - timedelta(hours=8)))
    yield case("the day before", good, "refuse", "wrong_day", now=at(START - timedelta(hours=8, seconds=1)))
    yield case("another building", good, "refuse", "wrong_building", meeting_building="TSC")
    yield case("not a building of the agency", good, "refuse", "wrong_building", building="X", meeting_building=None)
    yield case("its zone", good, "admit", "admitted", zone=2)
    yield case("another zone", good, "refuse", "wrong_zone", zone=4)
    greedy = world.pass_digits(replace(claims, zones=255))
    yield case("every zone, as far as its agency may", greedy, "admit", "admitted", zone=1)
    yield case("a zone beyond its agency's", greedy, "refuse", "wrong_zone", zone=4)
    entry = {"at": at(START + 2 * MINUTE), "place": "Cổng A"}
    yield case("entered before", good, "refuse", "already_admitted", earlier=entry)
    yield case("entered before, and late", good, "refuse", "too_late", earlier=entry, now=at(end + timedelta(hours=1)))
    long = world.pass_digits(_longest(claims))
    yield case("lists at their last second", long, "admit", "admitted", now=at(LISTS_UNTIL))
    yield case("lists too old", long, "look_again", "stale_lists", now=at(LISTS_UNTIL + timedelta(seconds=1)))
    for index, reason in ((1, "withdrawn"), (2, "suspended"), (3, "changed")):
        ended = world.pass_digits(replace(claims, status_index=index))
        yield case(f"a pass that is {reason}", ended, "refuse", reason)
        yield case(f"{reason}, and late", ended, "refuse", reason, now=at(end + timedelta(hours=9)))
    yield from _bad_passes(world, good)


def _longest(claims: PassClaims) -> PassClaims:
    return replace(claims, validity=timedelta(days=3), meeting=2**32 - 1, zones=255, flags=PassFlags(3), slot=23)


def _bad_passes(world: World, good: str) -> Iterator[dict[str, object]]:
    claims = world.claims()
    token = digits.decode(good)
    yield case("signed by a stranger", world.pass_digits(claims, key=world.stranger), "refuse", "forged")
    yield case("a key that is not listed", world.pass_digits(claims, kid=b"none"), "refuse", "unknown_key")
    late = START + timedelta(days=31)
    yield case("a key that has ended", good, "refuse", "agency_key_ended", now=at(late))
    yield case(
        "valid for too long",
        world.pass_digits(replace(claims, validity=timedelta(days=3, minutes=1))),
        "refuse",
        "forged",
    )
    for place in range(0, len(token) * 8, 61):
        flipped = bytearray(token)
        flipped[place // 8] ^= 1 << place % 8
        # A flip in the key's name makes it an unknown key; anywhere else it is a forgery.
        yield case(f"bit {place} flipped", digits.encode(bytes(flipped)), "refuse", _flip_reason(bytes(flipped)))
    yield case("a byte more", digits.encode(token + b"\x00"), "refuse", "forged")
    yield case("a byte less", digits.encode(token[:-1]), "refuse", "forged")
    yield case("a digit less", good[:-1], "refuse", "forged")
    yield case("another form", "792" + good[3:], "refuse", "forged")
    yield case("a number too large", "791" + "9" * (len(good) - 3), "refuse", "forged")
    for foreign in ("", "7", "https://songbiec.example/p/1", "WIFI:S:x;;", "0123456789", "79१२३", "KYVAO"):
        yield case(f"no pass: {foreign!r}", foreign, "refuse", "not_ours")


def _flip_reason(token: bytes) -> str:
    intact = cose.sign(b"x", kid=KID, key=SoftwareKey.generate(Curve.P256))
    name = intact.index(KID)
    return "unknown_key" if token[name : name + 4] != KID else "forged"
