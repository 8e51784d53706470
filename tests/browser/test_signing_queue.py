"""A head signs what waits for her, one after the other; and a paper on no route proposes a place for the mark."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.demo import official_letter
from tests.browser import keyboard
from tests.browser.looking import Watched
from tests.browser.test_certificate_signature_check import get_certificate, upload
from tests.browser.test_marks import start_letter
from tests.factories.records import LETTER

Enter = Callable[..., Watched]


def only(page: Page, titles: list[str]) -> None:
    """Leave ticked what is of this test; others may have left papers, too."""
    boxes = page.locator("input[name=document]")
    for number in range(boxes.count()):
        label = page.locator(f"label[for='{boxes.nth(number).get_attribute('id')}']").inner_text()
        boxes.nth(number).set_checked(label.strip() in titles)


@pytest.mark.parametrize("width", [390, 1280])
def test_three_papers_are_opened_one_after_the_other_and_one_is_left_out(
    person: Enter, tmp_path: Path, width: int
) -> None:
    titles = [f"Kế hoạch số {number} ({width})" for number in (1, 2, 3)]
    drafter = person("minh")
    for title in titles:
        start_letter(drafter, title)
    head = get_certificate(person, "hanh", "Lê Thị Mỹ Hạnh")
    page = head.page
    page.set_viewport_size({"width": width, "height": 900})
    page.goto("/")
    keyboard.press(page, "chờ đến lượt bạn xử lý")
    keyboard.press(page, "Ký lần lượt các văn bản này")
    only(page, titles)
    head.expect_well_made()
    page.screenshot(path=tmp_path / "queue.png", full_page=True)
    keyboard.press(page, "Mở văn bản đầu tiên")

    expect(page.locator("#sign-queue")).to_have_text("Văn bản 1/3")
    # Prepared by itself: what is seen is what would be signed.
    expect(page.locator("#sign-confirm")).to_be_visible(timeout=30_000)
    head.expect_well_made()
    page.screenshot(path=tmp_path / "first.png", full_page=True)
    keyboard.press(page, "Ký số, rồi mở văn bản tiếp theo")
    expect(page.locator("#sign-queue")).to_have_text("Văn bản 2/3", timeout=30_000)
    expect(page.locator("#sign-confirm")).to_be_visible(timeout=30_000)
    keyboard.press(page, "Bỏ qua văn bản này")
    expect(page.locator("#sign-queue")).to_have_text("Văn bản 3/3")
    expect(page.locator("#sign-confirm")).to_be_visible(timeout=30_000)
    keyboard.press(page, "Ký văn bản cuối")
    expect(page.get_by_text("Đã ký 2 trên 3 văn bản.")).to_be_visible(timeout=30_000)
    states = page.locator("tbody tr").all_inner_texts()
    assert ["Đã ký" in one for one in states] == [True, False, True]
    head.expect_well_made()
    page.screenshot(path=tmp_path / "end.png", full_page=True)
    keyboard.press(page, "Ký tiếp những văn bản còn lại")
    expect(page.get_by_label(titles[1])).to_be_visible()


def test_a_place_is_proposed_between_the_post_and_the_name_until_the_reader_chooses_another(
    person: Enter, tmp_path: Path
) -> None:
    minh = get_certificate(person, "minh", "Trần Văn Minh")
    letter = tmp_path / "cong-van.pdf"
    letter.write_bytes(official_letter.render(replace(LETTER, post="CHUYÊN VIÊN", signer="Trần Văn Minh")))
    address = upload(minh, "Phiếu báo", letter)
    page = minh.page
    page.goto(f"{address}/sign")
    expect(page.locator("#sign-proposed")).to_be_visible(timeout=30_000)
    expect(page.locator("#sign-corner")).to_have_value("bottom_left")
    expect(page.locator("#sign-x")).to_have_value(re.compile("11[678]"))
    expect(page.locator("#sign-mark")).to_be_visible()
    minh.expect_well_made()
    page.screenshot(path=tmp_path / "proposed.png", full_page=True)
    page.get_by_role("button", name="Tiếp tục").click()
    expect(page.locator("#sign-confirm")).to_be_visible(timeout=30_000)
    page.screenshot(path=tmp_path / "prepared.png", full_page=True)
    page.get_by_role("button", name="Ký số", exact=True).click()
    expect(page.get_by_role("heading", name="Bạn đã ký văn bản")).to_be_visible(timeout=30_000)
