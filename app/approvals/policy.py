"""What an operator asks beyond the rules of the house: more approvers for a kind, other rates."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from app.core.settings import Settings, load


@dataclass(frozen=True)
class Rate:
    limit: int
    per: timedelta


# T4: a stolen account of an officer must not make a city of certificates.
OFFICER: Final = Rate(20, timedelta(hours=1))
AGENCY: Final = Rate(500, timedelta(days=1))


@dataclass(frozen=True)
class Policy:
    approvers: Mapping[str, int] = field(default_factory=dict)
    officer: Rate = OFFICER
    agency: Rate = AGENCY


_policy: Policy | None = None


def configure(settings: Settings) -> None:
    """Use the policy of `settings` in this process from now on."""
    use(
        Policy(
            approvers=settings.approvers,
            officer=replace(OFFICER, limit=settings.rates.get("officer", OFFICER.limit)),
            agency=replace(AGENCY, limit=settings.rates.get("agency", AGENCY.limit)),
        )
    )


def use(policy: Policy | None) -> None:
    """Use `policy` from now on; None reads the environment again when it is next needed."""
    global _policy  # noqa: PLW0603  like the database, one for the process
    _policy = policy


def current() -> Policy:
    """Return the policy of this process; one that was given none, a command or a job, reads its environment."""
    if _policy is None:
        configure(load(os.environ))
    return _policy or Policy()
