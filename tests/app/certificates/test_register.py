"""The register: what each way of asking finds, in whose reach, page by page."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.certificates import register_search
from app.certificates.models import CertificateState
from app.certificates.register_filters import Filters, Sort, Status, read
from app.certificates.register_search import Found, matching_ids, search
from app.core.permissions import Actor, Grant, Role, house
from app.registry.models import Person
from app.registry.search import fold
from pki.profiles import ProfileName
from tests.factories.register import NOW, agency, certificate

CITY = house("test")


@pytest.fixture(params=["collected", "walked"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways through a search must find the same, whatever PostgreSQL expects."""
    if request.param == "walked":
        monkeypatch.setattr(register_search, "_CHEAP", -1.0)
        monkeypatch.setattr(register_search, "_UNEVEN", 0.0)
    else:
        monkeypatch.setattr(register_search, "_CHEAP", float("inf"))
    return str(request.param)


def names(session: Session, actor: Actor = CITY, **asked: object) -> list[str]:
    filters = Filters(**asked)  # type: ignore[arg-type]  the fields are checked by what is found
    found = [line.label for line in search(session, actor, filters, now=NOW).lines]
    ids = session.scalars(matching_ids(session, actor, filters, now=NOW)).all()
    assert len(ids) == len(found), "the list and the query for bulk acts differ"
    return found


def officer(of_agency: UUID) -> Actor:
    return Actor(None, None, "officer", (Grant(Role.REGISTRATION_OFFICER, of_agency),))


@pytest.mark.parametrize(
    "asked",
    ["nguyen van an", "Nguyễn Văn An", "an nguyen van", "NGUYỄN an", "van  nguyen a", "nguyen", "an"],
)
def test_a_name_is_found_without_marks_in_any_order_and_by_the_beginning_of_its_last_word(
    session: Session, asked: str
) -> None:
    certificate(session, "Nguyễn Văn An")
    certificate(session, "Trần Thị Bích")
    assert names(session, q=asked) == ["Nguyễn Văn An"]


@pytest.mark.parametrize("asked", ["nguyen van binh", "guyen", "van a nguyen x", "ngu van"])
def test_a_name_is_not_found_by_other_words_or_by_the_beginning_of_any_but_the_last(
    session: Session, asked: str
) -> None:
    certificate(session, "Nguyễn Văn An")
    assert names(session, q=asked) == []


@pytest.mark.parametrize(
    "asked", ["%", "_", "100%", "nguyen%", "a_", "'", "a' | 'b", "an:*", "!an", "\\", "a & b", "<->"]
)
def test_signs_of_a_pattern_or_a_query_mean_themselves(session: Session, asked: str) -> None:
    certificate(session, "Nguyễn Văn An")
    assert names(session, q=asked) == []
    assert names(session, agency=asked) == []


def test_names_with_signs_of_a_query_are_found(session: Session) -> None:
    certificate(session, "D'Artagnan & Söhne: 50% \\o/")
    assert names(session, q="d'artagnan") == ["D'Artagnan & Söhne: 50% \\o/"]
    assert names(session, q="50% & \\o/") == ["D'Artagnan & Söhne: 50% \\o/"]


def test_a_serial_number_is_found_whole_with_colons_and_by_its_first_eight_digits(session: Session) -> None:
    serial = bytes.fromhex("01a1b2c3d4e5f60718293a4b5c6d7e8f9001")
    certificate(session, "Nguyễn Văn An", serial=serial)
    certificate(session, "Lê Bình", serial=b"\x02" + serial[1:], by="issuing_officials")
    for asked in (serial.hex(), serial.hex().upper(), serial.hex(":"), "01a1b2c3", "01a1b2c3d"):
        assert names(session, q=asked) == ["Nguyễn Văn An"], asked
    for asked in ("01a1b2c", "01a1b2c4", "01a1b2c3e", serial.hex() + "00"):
        assert names(session, q=asked) == [], asked


def test_a_serial_number_that_ends_in_ff_is_found_by_its_beginning(session: Session) -> None:
    certificate(session, "Nguyễn Văn An", serial=b"\x01\xff\xff\xff" + b"\xff" * 14)
    assert names(session, q="01ffffff") == ["Nguyễn Văn An"]


def test_an_identifier_finds_the_certificates_of_its_person(session: Session) -> None:
    person = Person(
        identifier="XX:VN-0123456789ABCDEF0123",
        surname="Nguyễn",
        given_name="An",
        full_name="Nguyễn An",
        search_name="nguyen an",
    )
    session.add(person)
    session.flush()
    certificate(session, "Nguyễn An", person_id=person.id)
    certificate(session, "Nguyễn An")
    assert len(names(session, q="xx:vn-0123456789abcdef0123")) == 1
    assert names(session, q="XX:VN-0123456789ABCDEF0124") == []


def test_an_agency_is_found_by_code_or_name_with_everything_below_it(session: Session) -> None:
    top = agency(session, "H99", "Thành phố")
    ward = agency(session, "H99.1", "Phường Bến Đỏ", top)
    agency(session, "H99.10", "Phường Bến Xanh", top)
    certificate(session, "An", of_agency=ward)
    certificate(session, "Bình", of_agency=agency(session, "H99.1.7", "Tổ bảy", ward))
    certificate(session, "Chi", of_agency=top)
    assert names(session, agency="h99.1") == ["An", "Bình"]
    assert names(session, agency="ben do") == ["An", "Bình"]
    assert names(session, agency="H99") == ["An", "Bình", "Chi"]
    assert names(session, agency="H99.10") == []
    assert names(session, agency="nowhere") == []


def test_each_state_is_found_and_an_intent_never(session: Session) -> None:
    for name, state in (
        ("In force", CertificateState.ISSUED),
        ("Held", CertificateState.HELD),
        ("Revoked", CertificateState.REVOKED),
    ):
        certificate(session, name, state=state)
    certificate(session, "Last second", not_after=NOW)
    certificate(session, "Over", not_after=NOW - timedelta(seconds=1))
    certificate(session, "Intent", state=CertificateState.PREPARED).der = None
    session.flush()
    assert names(session, state=Status.IN_FORCE) == ["In force", "Last second"]
    assert names(session, state=Status.SUSPENDED) == ["Held"]
    assert names(session, state=Status.REVOKED) == ["Revoked"]
    assert names(session, state=Status.ENDED) == ["Over"]
    assert names(session) == ["Held", "In force", "Last second", "Over", "Revoked"]


def test_use_and_authority_narrow_the_search(session: Session) -> None:
    certificate(session, "Citizen")
    certificate(session, "Official", profile=ProfileName.OFFICIAL_SIGNING, by="issuing_officials")
    assert names(session, use=ProfileName.OFFICIAL_SIGNING) == ["Official"]
    assert names(session, authority="issuing_citizens") == ["Citizen"]
    assert names(session, authority="issuing_seals") == []


@pytest.mark.parametrize("field", ["issued", "ends"])
@pytest.mark.parametrize("state", list(CertificateState)[1:4])
def test_days_are_the_citys_and_both_included(session: Session, field: str, state: CertificateState) -> None:
    # 17:00 UTC is midnight in the city.
    first, after = datetime(2026, 5, 9, 17, tzinfo=UTC), datetime(2026, 5, 11, 17, tzinfo=UTC)
    moments = {
        "Before": first - timedelta(seconds=1),
        "First": first,
        "Last": after - timedelta(seconds=1),
        "After": after,
    }
    for name, moment in moments.items():
        ends = {"not_after": moment} if field == "ends" else {"created_at": moment, "not_after": NOW}
        certificate(session, name, state=state, **ends)
    days = {f"{field}_from": date(2026, 5, 10), f"{field}_to": date(2026, 5, 11)}
    assert names(session, **days) == ["First", "Last"]
    assert names(session, **{f"{field}_from": date(2026, 5, 11)}) == ["After", "Last"]
    assert names(session, **{f"{field}_to": date(2026, 5, 9)}) == ["Before"]


def test_what_is_asked_together_must_all_be_true(session: Session) -> None:
    ward = agency(session, "H99", "Thành phố")
    certificate(session, "Nguyễn An", of_agency=ward, state=CertificateState.REVOKED)
    certificate(session, "Nguyễn Anh", of_agency=ward)
    certificate(session, "Lê An", of_agency=ward, state=CertificateState.REVOKED)
    certificate(session, "Nguyễn An", state=CertificateState.REVOKED)
    asked = {"q": "nguyen an", "agency": "H99", "state": Status.REVOKED, "sort": Sort.NEWEST}
    assert names(session, **asked) == ["Nguyễn An"]


def test_nothing_outside_ones_agencies_is_found(session: Session) -> None:
    top = agency(session, "H99", "Thành phố")
    ward, other = agency(session, "H99.1", "Phường Một", top), agency(session, "H99.2", "Phường Hai", top)
    certificate(session, "An", of_agency=ward)
    certificate(session, "Bình", of_agency=other)
    certificate(session, "Cả thành phố")
    assert names(session, officer(ward.id)) == ["An"]
    assert names(session, officer(ward.id), agency="H99") == ["An"]
    assert names(session, officer(ward.id), agency="H99.2") == []
    assert names(session, officer(top.id)) == ["An", "Bình"]
    assert names(session, Actor(None, None, "nobody", (Grant(Role.GUARD, None),))) == []


@pytest.mark.parametrize("sort", list(Sort))
@pytest.mark.parametrize("asked", ["", "nguyen"])
def test_pages_show_everything_once_in_order_there_and_back_though_names_and_times_are_equal(
    session: Session, sort: Sort, asked: str
) -> None:
    for number in range(23):
        certificate(session, ("Nguyễn An", "Nguyễn Bình")[number % 2], created_at=NOW + timedelta(hours=number // 6))
    filters = Filters(q=asked, sort=sort)
    pages = [search(session, CITY, filters, now=NOW, page=4)]
    while (key := pages[-1].next_key) is not None:
        # What comes in between neither hides a line nor shows one twice.
        certificate(session, "Nguyễn Ẩn mới", created_at=NOW - timedelta(days=1))
        pages.append(search(session, CITY, filters, after=key, now=NOW, page=4))
    seen = [line for page in pages for line in page.lines]
    old = [line for line in seen if line.created_at >= NOW]
    assert len({line.id for line in seen}) == len(seen)
    assert len(old) == 23
    by_name = sorted(seen, key=lambda line: (fold(line.label), line.id))
    expected = by_name if sort is Sort.NAME else sorted(seen, key=lambda line: (line.created_at, line.id), reverse=True)
    assert [line.id for line in seen] == [line.id for line in expected]
    back: list[Found] = [pages[-1]]
    while (key := back[-1].previous_key) is not None:
        back.append(search(session, CITY, filters, before=key, now=NOW, page=4))
    assert old == [line for page in reversed(back) for line in page.lines if line.created_at >= NOW]


def test_the_count_is_exact_when_everything_fits_on_the_page(session: Session) -> None:
    certificate(session, "An")
    assert search(session, CITY, Filters(), now=NOW).count == 1
    assert search(session, CITY, Filters(q="binh"), now=NOW).count == 0


def test_the_count_of_longer_results_is_right_whoever_counts(session: Session) -> None:
    for number in range(30):
        certificate(session, "An", state=CertificateState.REVOKED if number % 3 == 0 else CertificateState.ISSUED)
    assert search(session, CITY, Filters(), now=NOW, page=5).count == 30
    assert search(session, CITY, Filters(state=Status.REVOKED), now=NOW, page=5).count == 10


def test_a_name_brought_by_two_processes_at_once_is_listed_once(session: Session) -> None:
    certificate(session, "Nguyễn An")
    session.execute(text("INSERT INTO certificate_name (name) VALUES ('nguyen an')"))
    assert names(session, q="nguyen") == ["Nguyễn An"]


def test_a_page_is_filled_though_the_first_names_have_nobody_in_that_state(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(register_search, "_NAMES", 2)
    for letter in "abcdef":
        state = CertificateState.REVOKED if letter in "ef" else CertificateState.ISSUED
        certificate(session, f"Nguyễn {letter}", state=state)
    assert names(session, q="nguyen", state=Status.REVOKED) == ["Nguyễn e", "Nguyễn f"]


def test_an_address_says_the_same_search_again() -> None:
    arguments = {
        "q": "Nguyễn An", "agency": "H99", "state": "revoked", "use": "citizen_signing",
        "authority": "issuing_citizens",
        "issued_from": "2026-01-02", "issued_to": "2026-03-04",
        "ends_from": "2027-01-02", "ends_to": "2028-01-02",
        "sort": "newest",
    }  # fmt: skip
    filters, wrong = read(arguments)
    assert not wrong
    assert filters.arguments() == arguments
    assert read({"state": "all", "use": "root", "sort": "x", "after": "y"}) == (Filters(), {})


@pytest.mark.parametrize("written", ["2026-02-30", "hôm qua", "31/02/2026", "2026"])
def test_what_is_no_day_is_refused(written: str) -> None:
    assert set(read({"ends_to": written})[1]) == {"ends_to"}


def test_days_in_the_wrong_order_are_refused() -> None:
    assert set(read({"issued_from": "2026-02-03", "issued_to": "02/02/2026"})[1]) == {"issued_to"}
    assert not read({"issued_from": "2026-02-02", "issued_to": "02/02/2026"})[1]
