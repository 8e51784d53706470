"""The demonstration's small book: made once, by its clerk, with a number that was given up."""

from __future__ import annotations

from sqlalchemy import func, select

from app.core import db
from app.core.settings import Settings
from app.demo import book
from app.records.models import Entry, EntryState
from tests.factories import routes


def test_the_book_of_the_demonstration_is_made_once_and_holds_a_number_that_was_given_up(city: Settings) -> None:
    del city
    for _ in range(2):
        with db.transaction() as session:
            book.create(session, now=routes.now())
    with db.transaction() as session:
        assert session.scalar(select(func.count(Entry.id))) == 5
        given_up = session.scalars(select(Entry).where(Entry.state == EntryState.UNUSED)).unique().one()
        assert given_up.explanation is not None
