"""What a service raises when it cannot do as asked, in words for the person who asked.

Services do not know status codes: `app.core.problems` alone turns these into pages and RFC 9457 documents.
Sentences are given lazily translated (`lazy_gettext`), so that they appear in the reader's language.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class Sentence(Protocol):
    """A str or a lazily translated one."""

    def __str__(self) -> str: ...


class AppError(Exception):
    """The request cannot be carried out. `sentence` says what happened, `next_step` what to do now."""

    def __init__(self, sentence: Sentence, next_step: Sentence | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.next_step = next_step
        # Further members of the problem document (RFC 9457, 3.2), for programs.
        self.members: Mapping[str, object] = {}

    def __str__(self) -> str:
        return str(self.sentence)


class NotFound(AppError):
    """There is no such thing, or it belongs to an agency outside the actor's scope: both read the same."""


class Forbidden(AppError):
    """The actor is known and lacks the permission."""


class NotSignedIn(AppError):
    """The page is for signed-in people."""


class Conflict(AppError):
    """The state has moved on: somebody else acted first, or it was done already."""


class Invalid(AppError):
    """What was sent cannot be used as it is."""


class TooLarge(AppError):
    """What was sent is over a stated limit."""


class TooMany(AppError):
    """A rate limit was reached; trying later helps."""


class Unavailable(AppError):
    """A part of the house does not answer; nothing was changed."""
