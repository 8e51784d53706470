"""What several operations share: models that refuse what they do not know, and the query of a list."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated, Final, Self

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


class Strict(BaseModel):
    """A model that refuses what it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="after")
    def _no_nul(self) -> Self:
        # PostgreSQL has no such character, and no word of a person has one.
        if any(isinstance(value, str) and "\0" in value for value in self.__dict__.values()):
            raise ValueError("the character U+0000 cannot be used")
        return self


After = Annotated[
    str | None, Field(max_length=100, description="The `next` of the page before; leave it out for the first page.")
]
Next = Annotated[str | None, Field(description="Give it as `after` for the next page; null at the end.")]


def _day(value: object) -> date:
    """Pydantic would also take a number of seconds for a day, which the description does not promise."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("a day is written as 2027-05-31")
    return date.fromisoformat(value)


def _moment(value: object) -> datetime:
    if not isinstance(value, str) or not _MOMENT.fullmatch(value):
        raise ValueError("a moment is written as 2027-05-31T08:00:00+07:00 (RFC 3339)")
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("there is no such moment") from error


def _flag(value: object) -> bool:
    if value not in ("true", "false"):
        raise ValueError("write true or false")
    return value == "true"


# The strict reading of what is sent knows JSON's own types; these stand in it as text.
Day = Annotated[date, BeforeValidator(_day)]
Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]
# In a query, where everything is text.
Flag = Annotated[bool, BeforeValidator(_flag)]
