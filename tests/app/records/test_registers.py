"""The numbers of a book: in a row, never dated back, given up only with an explanation; held by the database too."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from app.claims.models import Claim
from app.core import db
from app.core.errors import Conflict, Invalid, NotFound
from app.core.permissions import Role
from app.core.settings import Settings
from app.records import books, registers
from app.records.books import Filter
from app.records.kinds import Kind, abbreviation, guess, is_symbol, label, usual_symbol
from app.records.models import Entry, EntryState
from app.registry.models import Agency
from pki.keys import SoftwareKey
from tests.factories import records, routes
from tests.factories.certificates import actor

pytestmark = pytest.mark.usefixtures("city")


def test_numbers_below_ten_have_a_nought_before_them() -> None:
    assert [label(9, "QĐ-UBND"), label(10, "QĐ-UBND")] == ["09/QĐ-UBND", "10/QĐ-UBND"]


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Sở Khoa học và Công nghệ", "SKHCN"),
        ("Ủy ban nhân dân phường Bến Đỏ", "UBND"),
        ("Văn phòng Ủy ban nhân dân", "VPUBND"),
        ("Hội đồng nhân dân Thành phố", "HĐND"),
        ("Sở Ý tế", "SYT"),
        ("…", "CQ"),
    ],
)
def test_an_agency_is_called_by_its_first_letters(name: str, short: str) -> None:
    assert abbreviation(name) == short


def test_a_letter_has_no_kind_in_its_symbol() -> None:
    assert usual_symbol(Kind.LETTER, "Sở Y tế") == "SYT-VP"
    assert usual_symbol(Kind.DECISION, "Sở Y tế") == "QĐ-SYT"


def test_a_title_says_its_kind_and_a_letter_says_none() -> None:
    assert [guess("Quyết định về họp"), guess("TỜ TRÌNH kinh phí"), guess("V/v mời họp")] == ["QĐ", "TTr", "CV"]


def test_a_symbol_has_no_strokes_spaces_or_ends_of_lines() -> None:
    assert [is_symbol(one) for one in ("QĐ-UBND", "BT&XH", "Q/D", "Q D", "QĐ-", "A" * 41)] == [
        True, True, False, False, False, False,
    ]  # fmt: skip


def test_every_year_begins_with_one_at_midnight_in_the_city() -> None:
    before = datetime(2026, 12, 31, 16, 59, 59, tzinfo=UTC)
    old, new = records.reserved(at=before), records.reserved(at=before + timedelta(seconds=1))
    assert [(one.number, one.issued_on.isoformat()) for one in (old, new)] == [(1, "2026-12-31"), (1, "2027-01-01")]


def test_ten_who_take_a_number_at_once_get_ten_numbers_in_a_row() -> None:
    with ThreadPoolExecutor(5) as pool:
        taken = sorted(entry.number for entry in pool.map(lambda _: records.reserved(), range(10)))
    assert taken == list(range(1, 11))


def reserve_and_fail() -> None:
    with db.transaction() as session:
        agency_id = routes.agency_of("H99.02")
        registers.reserve(session, actor("thu"), agency_id, Kind.PLAN, subject="x", recipients="", now=routes.now())
        raise RuntimeError


def test_a_number_that_rolled_back_is_the_next_ones() -> None:
    with pytest.raises(RuntimeError):
        reserve_and_fail()
    assert records.reserved().number == 1


_ANOTHER = (
    "INSERT INTO register_entry SELECT gen_random_uuid(), series_id, {number}, label, {day}, state, subject,"
    " search_text, recipients, pages, NULL, NULL, NULL, NULL, NULL, clerk_id, made_at FROM register_entry"
)


@pytest.mark.parametrize(
    "change",
    [
        _ANOTHER.format(number="number + 2", day="issued_on"),
        _ANOTHER.format(number="number + 1", day="issued_on - 1"),
        "UPDATE register_entry SET number = 7",
        "UPDATE register_entry SET issued_on = issued_on - 1",
        "UPDATE register_entry SET subject = 'x'",
        "DELETE FROM register_entry",
    ],
)
def test_the_database_itself_refuses_gaps_dates_back_and_changes(change: str) -> None:
    records.reserved()
    with pytest.raises(DBAPIError, match="register"), db.transaction() as session:
        session.execute(text(change))


def test_a_kept_number_is_given_up_once_and_its_explanation_stays() -> None:
    entry = records.reserved()
    for _ in range(2):
        with db.transaction() as session:
            found = registers.explain(session, actor("thu"), entry.id, explanation="Ghi nhầm", now=routes.now())
            assert found.state == EntryState.UNUSED
    with db.transaction() as session, pytest.raises(Conflict):
        registers.explain(session, actor("thu"), entry.id, explanation="Lý do khác", now=routes.now())
    with db.transaction() as session:
        agency = session.scalars(select(Agency).where(Agency.code == "H99.02")).one()
        assert [one.id for one in books.given_up(session, agency, entry.issued_on.year)] == [entry.id]
    assert records.reserved().number == 2


def test_a_cancelled_document_says_so_to_whoever_scans_it(city: Settings, head: SoftwareKey) -> None:
    entry = records.issued(city, records.signed_route(city, head))
    with db.transaction() as session:
        registers.explain(session, actor("thu"), entry.id, explanation="Ban hành nhầm", now=routes.now())
    with db.transaction() as session:
        assert session.scalars(select(Claim)).one().withdrawn_at is not None
        assert session.get_one(Entry, entry.id).state == EntryState.CANCELLED


def test_another_agencys_clerk_neither_keeps_nor_gives_up_numbers() -> None:
    entry = records.reserved()
    routes.official("van", "Đỗ Thị Vân", agency="H99.03", title="Văn thư", role=Role.CLERK)
    with db.transaction() as session:
        with pytest.raises(NotFound):
            registers.explain(session, actor("van"), entry.id, explanation="x", now=routes.now())
        with pytest.raises(NotFound):
            registers.keeper_of(session, actor("van"), routes.agency_of("H99.02"))
        with pytest.raises(NotFound):
            books.agency_of(session, actor("van"), routes.agency_of("H99.02"))


def test_nothing_is_kept_or_given_up_without_words() -> None:
    entry = records.reserved()
    with db.transaction() as session, pytest.raises(Invalid):
        registers.explain(session, actor("thu"), entry.id, explanation="  ", now=routes.now())
    with pytest.raises(Invalid):
        records.reserved(subject=" ")


def test_a_book_is_filtered_by_kind_state_and_words_without_marks() -> None:
    records.reserved(subject="Kế hoạch Đổi mới")
    records.reserved(subject="Thông báo nghỉ lễ", kind=Kind.NOTICE)
    with db.transaction() as session:
        agency = session.scalars(select(Agency).where(Agency.code == "H99.02")).one()
        year = registers.today(routes.now()).year

        def found(**wanted: object) -> list[str]:
            result = books.search(session, agency, Filter(year, **wanted), page=1)  # type: ignore[arg-type]
            return [one.subject for one in result.entries]

        assert found(text="doi moi") == ["Kế hoạch Đổi mới"]
        assert found(kind=Kind.NOTICE) == ["Thông báo nghỉ lễ"]
        assert len(found(state=EntryState.RESERVED)) == 2
        assert found(state=EntryState.CANCELLED) == []


def test_a_formula_in_a_subject_is_text_in_every_file() -> None:
    records.reserved(subject="=1+1")
    with db.transaction() as session:
        agency = session.scalars(select(Agency).where(Agency.code == "H99.02")).one()
        entries = books.whole(session, agency, Filter(registers.today(routes.now()).year))
        assert "'=1+1" in books.as_csv(entries).decode()
