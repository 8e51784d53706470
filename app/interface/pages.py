"""Parts that several operations share: pages of lists, and the words of states."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Strict(BaseModel):
    """A model that refuses what it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PageQuery(Strict):
    """Where a list goes on."""

    after: Annotated[
        str | None,
        Field(default=None, max_length=400, description="The `next` of the page before; none for the first."),
    ]
