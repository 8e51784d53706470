"""Why something scanned is not accepted as a pass."""

from __future__ import annotations

from enum import StrEnum


class PassFault(StrEnum):
    """In the order in which they are found."""

    NOT_OURS = "not_ours"
    MALFORMED = "malformed"
    UNKNOWN_KEY = "unknown_key"
    BAD_SIGNATURE = "bad_signature"
    KEY_NOT_CURRENT = "key_not_current"
    TOO_LONG_VALIDITY = "too_long_validity"
    # Of the signed lists that a tablet works with.
    ROLLBACK = "rollback"
