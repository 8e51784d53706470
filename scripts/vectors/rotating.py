"""Codes that change every half minute, as the guest's page shows them and gates read them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta

from pki.passes import digits, rotating
from pki.passes.claims import PassFlags
from pki.passes.digits import Form
from scripts.vectors.world import START, World, text


def codes(world: World) -> dict[str, object]:
    """Return a day key with its pass, and what was shown when against what a gate says later."""
    day_key = hashlib.sha256(b"the city's key of a day").digest()
    claims = world.claims()
    good = digits.decode(world.pass_digits(claims))
    key = rotating.pass_key(day_key, claims.pass_id)
    other_day = rotating.pass_key(hashlib.sha256(b"the day before").digest(), claims.pass_id)
    return {
        "flag": int(PassFlags.ROTATING),
        "day_key": text(day_key),
        "secret": text(claims.pass_id),
        "pass_key": text(key),
        "token": text(good),
        "shown": [
            {"name": name, "digits": rotating.show(good, made_with, at), "at": _at(at), "now": _at(now), "fresh": fresh}
            for name, made_with, at, now, fresh in _moments(key, other_day)
        ],
        "readings": [
            {"name": "digits that do not change", "digits": digits.encode(good), "fault": None},
            {"name": "a code alone", "digits": digits.encode(bytes(6), Form.ROTATING), "fault": "malformed"},
            {"name": "a claim", "digits": digits.encode(good, Form.CLAIM), "fault": "malformed"},
            {"name": "no digits", "digits": "793x", "fault": "not_ours"},
            {"name": "cut off", "digits": rotating.show(good, key, START)[:-1], "fault": "malformed"},
        ],
    }


def _moments(key: bytes, other_day: bytes) -> Iterator[tuple[str, bytes, datetime, datetime, bool]]:
    second = timedelta(seconds=1)
    # START begins a half minute.
    yield "at once", key, START, START, True
    yield "the last second of the next half minute", key, START, START + 59 * second, True
    yield "a second later", key, START, START + 60 * second, False
    yield "a gate whose clock is behind", key, START, START - 30 * second, True
    yield "further behind", key, START, START - 31 * second, False
    yield "yesterday's picture", key, START - timedelta(days=1), START, False
    yield "the key of another day", other_day, START, START, False


def _at(moment: datetime) -> str:
    return moment.isoformat()
