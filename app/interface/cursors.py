"""Where a page of a list ended: what `next` says and `after` brings back. A reader takes it as it is."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from flask_babel import lazy_gettext as _l

from app.core.errors import Invalid


def written(moment: datetime, identifier: UUID) -> str:
    """Return the cursor behind a row of a list that is ordered by time and identifier."""
    return f"{moment.astimezone(UTC).isoformat()}_{identifier}"


def moment_and_identifier(after: str | None) -> tuple[datetime, UUID] | None:
    """Read what `written` wrote. Raises Invalid for anything else."""
    if after is None:
        return None
    moment, _, identifier = after.partition("_")
    return _moment(moment), _identifier(identifier)


def moment(after: str | None) -> datetime | None:
    """Read the cursor of a list that is ordered by time alone. Raises Invalid."""
    return _moment(after) if after is not None else None


def identifier(after: str | None) -> UUID | None:
    """Read the cursor of a list whose rows name the next page. Raises Invalid."""
    return _identifier(after) if after is not None else None


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _refused() from error
    raise _refused()


def _identifier(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise _refused() from error


def _refused() -> Invalid:
    return Invalid(_l("“after” is not the “next” of a page."))
