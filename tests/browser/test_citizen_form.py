"""A citizen fills in a form on a phone, signs it with the key in that browser and sends it; the ward answers."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.looking import Watched
from tests.browser.running import City
from tests.browser.test_certificate_signature_check import approve, ask_for_certificate
from tests.browser.waiting import wait_until

Enter = Callable[..., Watched]


def with_certificate(enter: Enter) -> Watched:
    one = enter("lan", width=390)
    ask_for_certificate(one)
    approve(enter, "Nguyễn Thị Lan")
    expect(one.page.get_by_text("Chứng thư số của bạn đã sẵn sàng")).to_be_visible(timeout=30_000)
    return one


def test_a_form_is_filled_signed_and_sent_on_a_phone_and_answered_by_the_ward(
    city: City, person: Enter, tmp_path: Path
) -> None:
    citizen = with_certificate(person)
    page = citizen.page
    # An answer that is missing.
    citizen.expected_statuses.add(422)
    page.goto("/forms/?q=trich luc")
    citizen.expect_well_made()
    page.get_by_role("link", name="Đơn đề nghị cấp bản sao trích lục hộ tịch").click()
    citizen.expect_well_made()
    page.get_by_role("button", name="Điền biểu mẫu").click()
    citizen.expect_well_made()

    # What is missing is said at the top, and each line leads to its question.
    page.get_by_role("button", name="Tiếp tục").click()
    summary = page.get_by_role("alert")
    expect(summary).to_contain_text("Hãy trả lời: Nơi cư trú hiện nay")
    citizen.expect_well_made()
    summary.get_by_role("link").first.click()
    expect(page.get_by_label("Họ và tên của bạn")).to_be_focused()

    page.get_by_label("Họ và tên của bạn").fill("Nguyễn Thị Lan")
    page.get_by_label("Nơi cư trú hiện nay").fill("12 đường Hoàng Hoa Thám, phường Bến Đỏ")
    page.get_by_label("Họ và tên người có tên trong sổ hộ tịch").fill("Trần Văn Ưởng")
    page.get_by_label("Người đó là gì của bạn").select_option(label="Cha hoặc mẹ")
    page.get_by_label("Khai sinh").check()
    page.get_by_label("Số bản sao cần cấp").fill("2")
    page.get_by_label("Tôi cam đoan những lời khai trên là đúng.").check()
    page.get_by_role("button", name="Tiếp tục").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("Đọc và ký")
    sign = page.get_by_role("button", name="Ký số")
    expect(sign).to_be_visible()
    expect(page.get_by_role("button", name="Trang sau")).to_be_hidden()
    citizen.expect_well_made()
    sign.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Gửi:", timeout=15_000)
    citizen.expect_well_made()
    page.get_by_role("button", name="Gửi", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Cơ quan đã nhận hồ sơ của bạn")
    citizen.expect_well_made()
    mine = page.url
    found = re.search(r"HS-[0-9A-Z]{4}-[0-9A-Z]{4}", page.inner_text("main"))
    assert found
    wait_until(lambda: bool(city.letters_to("lan@songbiec.example")), "the receipt")
    assert any(found.group() in str(letter["Subject"]) for letter in city.letters_to("lan@songbiec.example"))

    clerk = person("nga")
    clerk.page.goto("/")
    clerk.page.get_by_role("link", name="hồ sơ của người dân đang chờ").click()
    clerk.expect_well_made()
    clerk.page.get_by_role("link", name=found.group()).click()
    expect(clerk.page.get_by_text("Nguyễn Thị Lan đã ký")).to_be_visible()
    clerk.expect_well_made()
    with clerk.page.expect_download() as download:
        clerk.page.get_by_role("link", name="Tải bản đã ký").click()
    paper = tmp_path / "don.pdf"
    download.value.save_as(paper)
    judged = subprocess.run(["pdfsig", "-nocert", paper], capture_output=True, text=True, check=False).stdout
    # Proofs for the archive may stand behind it already.
    assert "Signature is Valid" in judged
    text = subprocess.run(["pdftotext", "-layout", paper, "-"], capture_output=True, text=True, check=True).stdout
    assert "Trần Văn Ưởng" in text
    clerk.page.get_by_role("button", name="Tiếp nhận giải quyết").click()
    clerk.page.get_by_label("Lời nhắn của bạn cho người dân").fill("Mời bà đến nhận ngày 30/11.")
    clerk.page.get_by_role("button", name="Đã xử lý xong").click()
    clerk.expect_well_made()

    page.goto(mine)
    expect(page.get_by_text("Mời bà đến nhận ngày 30/11.")).to_be_visible()
    citizen.expect_well_made()


def test_a_clerks_pages_of_forms_are_well_made(person: Enter) -> None:
    for width in (390, 1280):
        clerk = person("nga", width=width)
        for path in ("/forms/inbox?state=done", "/forms/ours", "/forms/ours/new"):
            clerk.page.goto(path)
            clerk.expect_well_made()
