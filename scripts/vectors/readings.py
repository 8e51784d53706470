"""CBOR, claims and lists that must be read, or refused as said."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

import cbor2

from pki.authority import spki
from pki.keys import Curve, SoftwareKey
from pki.passes import cose, digits, signed_list, status, trust_list
from pki.passes.signed_list import Edition
from scripts.vectors.world import KID, LISTS_UNTIL, START, World, text

# CBOR as both readers must take it: a fault, or None where it is read.
READINGS: Final = (
    ("a small number", "17", None),
    ("a number of one byte", "1818", None),
    ("a number of two bytes", "190100", None),
    ("the largest number", "1affffffff", None),
    ("a negative number", "3a00010000", None),
    ("bytes and text", "8242010262c3a1", None),
    ("a byte order mark is a part of its text", "63efbbbf", None),
    ("a map in order", "a201000420", None),
    ("an empty map and an empty array", "82a080", None),
    ("six levels", "818181818181" + "00", None),
    ("nothing", "", "malformed"),
    ("a byte more", "0000", "malformed"),
    ("seven levels", "81818181818181" + "00", "malformed"),
    ("23 in a byte of its own", "1817", "malformed"),
    ("255 in two bytes", "1900ff", "malformed"),
    ("65535 in four bytes", "1a0000ffff", "malformed"),
    ("a number of eight bytes", "1b0000000100000000", "malformed"),
    ("a number cut off", "1a0000", "malformed"),
    ("a reserved length", "1c", "malformed"),
    ("bytes of no definite length", "5f4101ff", "malformed"),
    ("an array of no definite length", "9f00ff", "malformed"),
    ("a map of no definite length", "bf0000ff", "malformed"),
    ("bytes that are not there", "5affffffff00", "malformed"),
    ("items that are not there", "9affffffff00", "malformed"),
    ("a key twice", "a201000100", "malformed"),
    ("keys out of order", "a204000100", "malformed"),
    ("a text as a key", "a1616100", "malformed"),
    ("text that is not UTF-8", "61ff", "malformed"),
    ("a surrogate in text", "63eda080", "malformed"),
    ("a tag", "d20000", "malformed"),
    ("true", "f5", "malformed"),
    ("null", "f6", "malformed"),
    ("a float", "f93c00", "malformed"),
    ("a break", "ff", "malformed"),
)


def readings() -> Iterator[dict[str, object]]:
    for name, data_hex, fault in READINGS:
        yield {"name": name, "hex": data_hex, "fault": fault}


def claim_readings(world: World) -> Iterator[dict[str, object]]:
    """Payloads that the agency did sign, most of which no agency of ours would."""
    times = int(START.timestamp())
    good = [150, 17, 4242, 2, 0, 0]
    secret = bytes(range(16))
    for name, payload, fault in (
        ("as written", {5: times, 7: secret, -65537: good}, None),
        (
            "every bound",
            {5: 2**32 - 1, 7: secret, -65537: [65535, 2**32 - 1, 2**32 - 1, 255, 15, 23]},
            "too_long_validity",
        ),
        ("no minutes", {5: times, 7: secret, -65537: [0, *good[1:]]}, "malformed"),
        ("too many minutes", {5: times, 7: secret, -65537: [65536, *good[1:]]}, "malformed"),
        ("a zone too many", {5: times, 7: secret, -65537: [150, 17, 4242, 256, 0, 0]}, "malformed"),
        ("a flag too many", {5: times, 7: secret, -65537: [150, 17, 4242, 2, 16, 0]}, "malformed"),
        ("a slot too many", {5: times, 7: secret, -65537: [150, 17, 4242, 2, 0, 24]}, "malformed"),
        ("a negative meeting", {5: times, 7: secret, -65537: [150, -1, 4242, 2, 0, 0]}, "malformed"),
        ("a meeting that is true", {5: times, 7: secret, -65537: [150, True, 4242, 2, 0, 0]}, "malformed"),
        ("one value less", {5: times, 7: secret, -65537: good[:5]}, "malformed"),
        ("one value more", {5: times, 7: secret, -65537: [*good, 0]}, "malformed"),
        ("a short secret", {5: times, 7: secret[1:], -65537: good}, "malformed"),
        ("a secret that is text", {5: times, 7: "0123456789abcdef", -65537: good}, "malformed"),
        ("a time before 1970", {5: -1, 7: secret, -65537: good}, "malformed"),
        ("no secret", {5: times, -65537: good}, "malformed"),
        ("no time", {7: secret, -65537: good}, "malformed"),
        ("a claim more", {4: 0, 5: times, 7: secret, -65537: good}, "malformed"),
        ("no map", [times, secret, good], "malformed"),
    ):
        token = cose.sign(cbor2.dumps(payload, canonical=True), kid=KID, key=world.agency)
        yield {"name": name, "digits": digits.encode(token), "fault": fault}


def list_readings(world: World) -> Iterator[dict[str, object]]:
    """Lists that the trust key did sign, most of which no authority of ours would."""
    edition = Edition(7, START, LISTS_UNTIL)
    key = spki(world.agency.public_key)
    wide = spki(SoftwareKey.generate(Curve.P384).public_key)
    row = [KID, -7, key, "H99.02", "Sở", 1, 2, ["TTHC"], 3, 60]
    for name, body, fault in (
        ("one signer", [row], None),
        ("no signers", [], None),
        ("a signer with an unknown algorithm", [[KID, -8, b"", "", "", 1, 2, [], 0, 0], row], None),
        ("a row too short", [row[:9]], "malformed"),
        ("a row too long", [[*row, 0]], "malformed"),
        ("a short name of a key", [[KID[1:], *row[1:]]], "malformed"),
        ("no key", [[*row[:2], b"", *row[3:]]], "malformed"),
        ("a key on P-384", [[*row[:2], wide, *row[3:]]], "malformed"),
        ("a building that is a number", [[*row[:7], [1], *row[8:]]], "malformed"),
        ("a negative time", [[*row[:5], -1, *row[6:]]], "malformed"),
        ("a row that is text", ["row"], "malformed"),
        ("no rows", 0, "malformed"),
    ):
        yield _list_reading(name, trust_list.KIND, signed_list.sign(trust_list.KIND, edition, body, world.trust), fault)
    full = bytes(status.CAPACITY // 4)
    for name, packed, fault in (
        ("a full list", zlib.compress(full), None),
        ("a byte too short", zlib.compress(full[1:]), "malformed"),
        ("a byte too long", zlib.compress(full + b"\x00"), "malformed"),
        ("cut off", zlib.compress(full)[:-1], "malformed"),
        ("not packed", b"\x00\x01", "malformed"),
        ("no bytes", 0, "malformed"),
    ):
        yield _list_reading(name, status.KIND, signed_list.sign(status.KIND, edition, packed, world.trust), fault)
    for name, payload in (
        ("a version that is text", {1: ["trust", "7"], 2: 1, 3: 2, 4: []}),
        ("another kind", {1: ["status", 7], 2: 1, 3: 2, 4: []}),
        ("no kind", {1: [7], 2: 1, 3: 2, 4: []}),
        ("a kind too many", {1: ["trust", 7, 7], 2: 1, 3: 2, 4: []}),
        ("no body", {1: ["trust", 7], 2: 1, 3: 2}),
        ("a field more", {1: ["trust", 7], 2: 1, 3: 2, 4: [], 5: 0}),
        ("a time that is text", {1: ["trust", 7], 2: "1", 3: 2, 4: []}),
    ):
        message = cose.sign(cbor2.dumps(payload, canonical=True), kid=signed_list.LIST_KID, key=world.trust)
        yield _list_reading(name, trust_list.KIND, message, "malformed")


def _list_reading(name: str, kind: str, message: bytes, fault: str | None) -> dict[str, object]:
    return {"name": f"{kind}: {name}", "kind": kind, "message": text(message), "fault": fault}
