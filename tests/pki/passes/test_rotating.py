"""Codes that change: the shared cases in Python, and what a picture of one is worth."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from typing import Any

import pytest

from pki.errors import PassRejected
from pki.passes import cose, rotating
from pki.passes.claims import SECRET_LENGTH
from tests.pki.passes.test_vectors import VECTORS, fault_of

CODES: dict[str, Any] = VECTORS["rotating"]
DAY_KEY, SECRET, KEY, TOKEN = (base64.b64decode(CODES[name]) for name in ("day_key", "secret", "pass_key", "token"))
SHOWN = pytest.mark.parametrize("case", CODES["shown"], ids=[one["name"] for one in CODES["shown"]])


def test_the_key_of_a_pass_follows_from_the_day_and_its_secret() -> None:
    assert rotating.pass_key(DAY_KEY, SECRET) == KEY
    assert rotating.pass_key(DAY_KEY, bytes(SECRET_LENGTH)) != KEY
    assert rotating.pass_key(bytes(32), SECRET) != KEY


@SHOWN
def test_a_shared_code_is_fresh_or_old_as_written(case: dict[str, Any]) -> None:
    token, code = rotating.split(case["digits"])
    assert token == TOKEN
    assert rotating.is_fresh(code, KEY, datetime.fromisoformat(case["now"])) is case["fresh"]


@pytest.mark.parametrize("reading", CODES["readings"], ids=[one["name"] for one in CODES["readings"]])
def test_shared_digits_are_read_or_refused_as_written(reading: dict[str, Any]) -> None:
    assert fault_of(lambda: rotating.split(reading["digits"])) == reading["fault"]


def test_digits_that_do_not_change_are_never_fresh() -> None:
    token, code = rotating.split(CODES["readings"][0]["digits"])
    assert (token, code) == (TOKEN, None)
    assert not rotating.is_fresh(code, KEY, datetime.fromisoformat(CODES["shown"][0]["now"]))


def test_a_day_of_codes_repeats_nowhere() -> None:
    begins = datetime.fromisoformat(CODES["shown"][0]["at"])
    codes = {rotating.code(KEY, begins + timedelta(seconds=at)) for at in range(0, 86_400, 30)}
    assert len(codes) == 2_880


def test_the_longest_pass_still_has_room_for_its_code() -> None:
    now = datetime.fromisoformat(CODES["shown"][0]["now"])
    longest = bytes([255]) * cose.LONGEST_PASS
    assert rotating.split(rotating.show(longest, KEY, now))[0] == longest
    with pytest.raises(PassRejected):
        rotating.show(longest + b"x", KEY, now)
