"""What several operations share: models that refuse what they do not know, and the query of a list."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Strict(BaseModel):
    """A model that refuses what it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


After = Annotated[
    str | None, Field(max_length=100, description="The `next` of the page before; leave it out for the first page.")
]
Next = Annotated[str | None, Field(description="Give it as `after` for the next page; null at the end.")]
