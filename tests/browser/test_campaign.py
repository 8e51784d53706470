"""A campaign in real processes: a list goes in, a person scans the letter, and holds a certificate a minute later."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from playwright.sync_api import Page, expect

from tests.browser.looking import Watched
from tests.factories import campaign_files as files
from tests.factories.campaign_files import csv_of, number, people

Enter = Callable[..., Watched]
ORDERS = {"desk": 7001, "phone": 7101}


@pytest.fixture
def officer(person: Enter) -> Watched:
    return person("dung")


def test_a_person_goes_from_the_printed_letter_to_a_certificate(
    officer: Watched, person: Enter, tmp_path: Path
) -> None:
    _run_campaign(officer.page, "Phường Bến Đỏ thử", _list(tmp_path))
    officer.expect_well_made()
    officer.page.click("text=Thư giấy, thư điện tử lỗi và liên kết mới")
    officer.expect_well_made()
    with officer.page.expect_download() as download:
        officer.page.locator('form[action$="letters.pdf"] button').first.click()
    link = _code_on(Path(download.value.path()).read_bytes())

    holder = person(width=390)
    holder.expected_statuses.add(422)
    page = holder.page
    page.goto(link)
    holder.expect_well_made()
    page.click("text=Bắt đầu")
    page.fill("#digits", "0000")
    page.click('button:has-text("Tiếp tục")')
    holder.expect_well_made()
    page.fill("#digits", number(ORDERS["phone"])[-4:])
    page.click('button:has-text("Tiếp tục")')
    holder.expect_well_made()
    page.click('button:has-text("Tạo khoá")')
    expect(page.get_by_text("Bạn đã có chữ ký số")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("button", name="Xin liên kết mới")).to_be_hidden()
    holder.expect_well_made()

    elsewhere = person(width=390)
    elsewhere.page.goto(link)
    elsewhere.page.fill("#digits", number(ORDERS["phone"])[-4:])
    elsewhere.page.click('button:has-text("Tiếp tục")')
    expect(elsewhere.page.get_by_role("button", name="Xin liên kết mới")).to_be_visible()
    page.click("text=Tạm dừng chứng thư số của tôi")
    page.click('button:has-text("Tạm dừng ngay")')
    expect(page.get_by_text("Đang tạm dừng").first).to_be_visible()


def test_the_page_of_a_check_moves_on_by_itself(officer: Watched, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_bytes(csv_of([*people(400, first=9000), person_without_consent()]))
    page = officer.page
    _upload(page, "Cả phường", file)
    expect(page.locator('[data-live-state="checked"]')).to_be_visible(timeout=60_000)
    expect(page.get_by_text("Thiếu sự đồng ý")).to_be_visible()
    expect(page.get_by_role("button", name="Trình cán bộ thứ hai duyệt")).to_be_visible()


def person_without_consent() -> list[str]:
    return files.person(9900, consent="")


def _list(folder: Path) -> Path:
    file = folder / "list.csv"
    file.write_bytes(csv_of([files.person(ORDERS["phone"], email=""), *people(3, first=ORDERS["desk"])]))
    return file


def _upload(page: Page, title: str, file: Path) -> None:
    page.goto("/campaigns/new")
    page.fill("#title", title)
    page.set_input_files("#file", str(file))
    page.click("text=Tải lên và kiểm tra")


def _run_campaign(page: Page, title: str, file: Path) -> None:
    _upload(page, title, file)
    page.click("text=Tiếp tục không cần cán bộ thứ hai", timeout=60_000)
    page.click('button:has-text("Bắt đầu đợt cấp")')
    expect(page.locator('[data-live-state="finished"]')).to_be_visible(timeout=60_000)


def _code_on(pdf: bytes) -> str:
    picture = pypdfium2.PdfDocument(io.BytesIO(pdf))[0].render(scale=2).to_pil()
    return str(zxingcpp.read_barcodes(picture)[0].text)
