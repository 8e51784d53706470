"""Password hashing with argon2id, in a bounded number at a time so that a flood of sign-ins cannot eat the memory."""

from __future__ import annotations

import threading
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MINIMUM_LENGTH: Final = 15
MAXIMUM_LENGTH: Final = 256

# 64 MiB and three passes: about 0.2 s a try on the reference machine.
_hasher = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)
_slots = threading.BoundedSemaphore(2)
# Verified when the login is unknown, so that the answer takes as long as for a known one.
_NOBODY: Final = _hasher.hash("an account that does not exist")


def hash_password(password: str) -> str:
    with _slots:
        return _hasher.hash(password)


def is_password(password_hash: str | None, password: str) -> bool:
    """Say whether `password` fits; takes the same time when `password_hash` is None, and is then False."""
    with _slots:
        try:
            fits = _hasher.verify(password_hash or _NOBODY, password)
        except (VerificationError, InvalidHashError):
            return False
    return fits and password_hash is not None
