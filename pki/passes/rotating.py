"""A code that changes every half minute: a picture of it, or a letter passed on, opens no gate later.

    day key (the city's, one for each day; known to gates)
      └ HKDF-SHA256, salt: secret id of the pass ─ key of the pass for the day (known to the guest's page too)
          └ HMAC-SHA256 over the number of the half minute, its first six octets ─ the code

What is shown are the digits of form 3: the octets of the pass, then the six of the code. Whoever has a picture has the
pass and one old code; the key of the pass follows from neither.
"""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from pki.errors import PassRejected
from pki.passes import digits
from pki.passes.digits import Form
from pki.passes.faults import PassFault

DAY_KEY_LENGTH: Final = 32
CODE_LENGTH: Final = 6
# In seconds. A gate takes the code of the half minute before and after its own, for clocks that lie apart.
STEP: Final = 30
AROUND: Final = 1
_LABEL: Final = b"kyvao rotating pass v1"


def pass_key(day_key: bytes, secret: bytes) -> bytes:
    """Return the 32 octets that one pass's codes are made with on one day; `secret` is `PassClaims.pass_id`."""
    return HKDF(SHA256(), DAY_KEY_LENGTH, secret, _LABEL).derive(day_key)


def code(key: bytes, now: datetime) -> bytes:
    """Return the six octets of the half minute that `now` is in; `key` is that of `pass_key`."""
    return _code(key, _step(now))


def show(token: bytes, key: bytes, now: datetime) -> str:
    """Return the digits for a QR code. Raises PassRejected(MALFORMED) for an empty or too long token."""
    return digits.encode(token + code(key, now), Form.ROTATING)


def split(text: str) -> tuple[bytes, bytes | None]:
    """Return the token and the code in the digits; the code is None where the digits do not change.

    Raises PassRejected: NOT_OURS, MALFORMED.
    """
    if text[len(digits.PREFIX) : len(digits.PREFIX) + 1] != Form.ROTATING:
        return digits.decode(text), None
    both = digits.decode(text, Form.ROTATING)
    if len(both) <= CODE_LENGTH:
        raise PassRejected(PassFault.MALFORMED)
    return both[:-CODE_LENGTH], both[-CODE_LENGTH:]


def is_fresh(shown: bytes | None, key: bytes, now: datetime) -> bool:
    """Say whether `shown` is the code of now or of the half minutes around it; None is not."""
    if shown is None:
        return False
    step = _step(now)
    return any(hmac.compare_digest(shown, _code(key, step + away)) for away in range(-AROUND, AROUND + 1))


def _step(now: datetime) -> int:
    return int(now.timestamp()) // STEP


def _code(key: bytes, step: int) -> bytes:
    return hmac.digest(key, step.to_bytes(8, "big", signed=True), "sha256")[:CODE_LENGTH]
