"""The dry run: every reason for which a row is rejected, and files that are no lists of people."""

from __future__ import annotations

import base64
import multiprocessing
from collections.abc import Callable

import pytest

from app.campaigns import check_job, reading
from app.campaigns.models import CampaignState, Mode
from app.campaigns.people_rows import restore_zeros
from app.core.settings import Settings
from pki.profiles import ProfileName
from tests.factories import campaign_files as files
from tests.factories.campaign_files import HEAD, campaign, checked, csv_of, people, person, reasons, xlsx_of

_ENGLISH = ("Full name", "Email", "Ward code", "Consent", "Citizen number")
_NO_WARD = ("Số CCCD", "Họ", "Tên", "E-mail", "x", "Đồng ý")
REJECTED: list[tuple[dict[str, str], str]] = [
    ({"number": ""}, "number_missing"),
    ({"number": "12345"}, "bad_number"),
    ({"number": "990909012345"}, "bad_number"),
    ({"given": ""}, "name_missing"),
    ({"surname": "N" * 70}, "name_too_long"),
    ({"surname": "=HYPERLINK(1)"}, "bad_name"),
    ({"surname": "Nguyễn\u202e"}, "bad_name"),
    ({"email": "lan@@example"}, "bad_email"),
    ({"consent": ""}, "consent_missing"),
    ({"consent": "không"}, "consent_missing"),
    ({"agency": ""}, "agency_missing"),
    ({"agency": "H99.77"}, "unknown_agency"),
]


@pytest.mark.parametrize(("change", "reason"), REJECTED)
def test_a_row_is_rejected_with_its_reason_and_the_one_beside_it_is_not(
    city: Settings, change: dict[str, str], reason: str
) -> None:
    made = checked(city, csv_of([person(1, **change), person(2)]))
    assert reasons(made) == [reason, None]
    assert (campaign(made).rows_accepted, campaign(made).rows_rejected) == (1, 1)


def test_the_second_row_of_one_person_is_rejected_also_in_another_piece(city: Settings) -> None:
    made = files.make(city, csv_of([*people(3), person(2)]))
    check_job.run(city, made, files.now, piece=2)
    assert reasons(made) == [None, None, None, "twice_in_file"]


def test_a_campaign_has_one_wave_for_each_ward_in_the_order_of_their_codes(city: Settings) -> None:
    made = checked(city, csv_of([person(1), person(2, agency="H99.02"), person(3)]))
    from app.campaigns import service
    from app.core import db

    with db.transaction() as session:
        assert [(agency.code, wave.rows_accepted) for wave, agency in service.waves_of(session, made)] == [
            ("H99.02", 1),
            ("H99.03", 2),
        ]


def test_an_official_needs_a_title(city: Settings) -> None:
    head = (*HEAD, "Chức vụ")
    made = checked(
        city,
        csv_of([[*person(1), ""], [*person(2), "Chuyên viên"]], head=head),
        profile=ProfileName.OFFICIAL_SIGNING,
    )
    assert reasons(made) == ["title_missing", None]


def test_keys_are_proven_strong_new_and_stand_once(city: Settings) -> None:
    good, other = files.request_text(), files.request_text()
    # The last octet of the signature is another.
    der = base64.b64decode(files.request_text())
    broken = base64.b64encode(der[:-1] + bytes([der[-1] ^ 1])).decode()
    made = checked(
        city,
        csv_of(
            [
                [*person(1), good],
                [*person(2), ""],
                [*person(3), "no key"],
                [*person(4), broken],
                [*person(5), good],
                [*person(6), other],
                [*person(7), _weak_request()],
            ],
            head=(*HEAD, "CSR"),
        ),
        mode=Mode.ISSUE,
    )
    assert reasons(made) == [None, "key_missing", "bad_key", "csr_not_proven", "key_twice", None, "weak_key"]


def test_who_has_a_certificate_or_another_name_in_the_registry_is_rejected(city: Settings) -> None:
    from sqlalchemy import update

    from app.core import db
    from app.registry.models import Person
    from app.registry.numbers import index_of
    from tests.factories.certificates import issued_to

    issued_to("lan")
    with db.transaction() as session:
        for order, given in ((1, "Lan"), (2, "Hạnh")):
            session.execute(
                update(Person)
                .where(Person.given_name == given)
                .values(number_index=index_of(city, files.number(order)))
            )
    made = checked(city, csv_of([person(1), person(2), person(3)]))
    assert reasons(made) == ["has_certificate", "name_differs", None]


@pytest.mark.parametrize(
    "content",
    [
        csv_of(people(2)),
        b"\xef\xbb\xbf" + csv_of(people(2)),
        csv_of(people(2), delimiter=";"),
        csv_of(people(2), delimiter="\t").decode().encode("utf-16"),
        csv_of(people(2)).replace(b"\r\n", b"\n"),
        xlsx_of(people(2)),
        xlsx_of([[int(row[0]), *row[1:]] for row in people(2)]),
        csv_of([[row[0].lstrip("0"), *row[1:]] for row in people(2)]),
        csv_of([[f"{row[1]} {row[2]}", *row[3:], row[0]] for row in people(2)], head=_ENGLISH),
    ],
    ids=["utf-8", "mark", "semicolons", "utf-16", "newlines", "xlsx", "xlsx-numbers", "lost-zeros", "english"],
)  # fmt: skip
def test_every_usual_form_of_a_file_reads_the_same(city: Settings, content: bytes) -> None:
    made = checked(city, content)
    assert [(row.reason, row.surname, row.given_name) for row in files.rows(made)] == [(None, "Nguyễn Thị", "Lan")] * 2
    from app.registry.numbers import index_of

    assert files.rows(made)[0].number_index == index_of(city, files.number(1))


def test_zeros_are_given_back_only_where_a_spreadsheet_took_them() -> None:
    assert restore_zeros("79090001234") == "079090001234"
    assert restore_zeros("1090001234") == "001090001234"
    # Eleven digits that begin with 0 are a slip of a finger, not of a spreadsheet.
    assert restore_zeros("07909000123") == "07909000123"


_LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
    b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><si><t>&b;</t></si></sst>'
)
FAULTS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty"),
    "only a head": (csv_of([]), "empty"),
    "wrong encoding": (csv_of(people(1)).decode().encode("utf-16-le")[2:] + b"\xff", "encoding"),
    "latin": ("Số CCCD,Tên\r\n".encode("cp1258", "replace") + b"\xc3\x28\xff", "encoding"),
    "zero bytes": (csv_of(people(1)) + b"\0\0\0", "encoding"),
    "open quote": (csv_of(people(1)) + b'"abc', "not_a_table"),
    "endless line": (csv_of([]) + b"x" * 300_000, "line_too_long"),
    "column twice": (csv_of([], head=(*HEAD, "CCCD")), "column_twice:Số CCCD"),
    "column missing": (csv_of(people(1), head=_NO_WARD), "column_missing:Mã đơn vị"),
    "old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old_workbook"),
    "torn workbook": (xlsx_of(people(2))[:-200], "damaged_workbook"),
    "macros": (files.workbook_with("xl/vbaProject.bin", b"x"), "macros"),
    "bomb": (files.workbook_with("xl/sharedStrings.xml", b"<a>" + b" " * 60_000_000 + b"</a>"), "unpacks_too_large"),
    "laughs": (files.workbook_with("xl/sharedStrings.xml", _LAUGHS), "forbidden_xml"),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_file_that_is_no_list_is_refused_as_a_whole(city: Settings, name: str) -> None:
    content, code = FAULTS[name]
    made = checked(city, content)
    assert (campaign(made).state, campaign(made).failure) == (CampaignState.FAILED, code)
    assert files.rows(made) == []


def test_one_row_too_many_is_refused(city: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_ROWS", 3)
    assert campaign(checked(city, csv_of(people(3)))).state == CampaignState.CHECKED
    assert campaign(checked(city, csv_of(people(4)))).failure == "too_many_rows"


def test_a_head_in_the_middle_is_a_row_of_its_own_reason(city: Settings) -> None:
    assert reasons(checked(city, csv_of([person(1), HEAD, person(2)]))) == [None, "head_again", None]


def test_the_file_is_gone_after_the_check_and_no_number_is_kept(city: Settings) -> None:
    made = checked(city, csv_of(people(1)))
    from app.core.storage import Storage

    assert not Storage(city.data_dir / "objects").path_of(campaign(made).file_sha256).exists()
    row = files.rows(made)[0]
    assert files.number(1).encode() not in (row.number_index or b"") + (row.tail_index or b"")


def test_a_check_that_was_killed_goes_on_where_it_stopped(
    city: Settings, killed: Callable[[Callable[[], None]], None]
) -> None:
    made = files.make(city, csv_of(people(10)))
    killed(lambda: check_job.run(city, made, files.now, piece=3))
    assert 0 < campaign(made).rows_checked < 10
    assert campaign(made).state == CampaignState.CHECKING
    check_job.run(city, made, files.now, piece=3)
    assert campaign(made).state == CampaignState.CHECKED
    assert (campaign(made).rows_accepted, len(files.rows(made))) == (10, 10)


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Return a function that runs something in a process that is killed when the second piece is checked."""

    def run(work: Callable[[], None]) -> None:
        from app.core import db, failpoints

        def child() -> None:
            db.dispose()
            failpoints.arm("campaign.piece_checked:kill:2")
            work()

        process = multiprocessing.get_context("fork").Process(target=child)
        process.start()
        process.join()
        assert process.exitcode == -9

    return run


def _weak_request() -> str:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding

    key = rsa.generate_private_key(65537, 1024)
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(key, hashes.SHA256())
    return base64.b64encode(request.public_bytes(Encoding.DER)).decode()
