"""A head gives her own signature once, and sees it measured in its place on a letter before she signs."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from app.demo import official_letter
from tests.browser.keyboard import press, search
from tests.browser.looking import Watched
from tests.browser.test_certificate_signature_check import get_certificate
from tests.factories.pictures import BLACK, jpeg, on_paper, png, strokes
from tests.factories.records import LETTER

Enter = Callable[..., Watched]


def send(page: Page, content: bytes) -> None:
    """Send a picture by the form of the page."""
    page.locator("input[type=file]").set_input_files(
        {"name": "chu-ky.jpg", "mimeType": "image/jpeg", "buffer": content}
    )
    page.get_by_role("button", name="Làm sạch và xem thử").click()


def start_letter(drafter: Watched, title: str) -> None:
    """Send a letter laid out as Decree 30 asks to its head."""
    page = drafter.page
    page.goto("/documents/new")
    page.get_by_label("Tên văn bản").fill(title)
    page.locator('input[type="file"]').set_input_files(
        {"name": "ke-hoach.pdf", "mimeType": "application/pdf", "buffer": official_letter.render(LETTER)}
    )
    page.locator('main button[type="submit"]').click()
    page.wait_for_url("**/documents/*-*")
    press(page, "Trình ký, hoặc xem")
    press(page, "Tiếp tục")
    search(page, "Tên, cơ quan hoặc chức vụ", "hanh")
    page.get_by_label(re.compile("Lê Thị Mỹ Hạnh")).first.check()
    page.get_by_label("Ký duyệt").first.check()
    press(page, "Thêm bước này")
    search(page, "Cơ quan trong thành phố", "ben do")
    page.get_by_label("Ủy ban nhân dân phường Bến Đỏ").check()
    press(page, "Thêm cơ quan")
    press(page, "Bắt đầu trình")


def test_a_head_sends_her_signature_and_sees_it_measured_before_she_signs(person: Enter, tmp_path: Path) -> None:
    start_letter(person("minh"), "Kế hoạch diễn tập")
    head = get_certificate(person, "hanh", "Lê Thị Mỹ Hạnh")
    page = head.page
    head.expected_statuses.add(422)
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        page.goto("/marks/signature")
        head.expect_well_made()
        send(page, png(strokes(ink=BLACK)))
        expect(page.locator(".govuk-error-message")).to_contain_text("Chữ ký không có màu xanh.")
        head.expect_well_made()
        send(page, jpeg(on_paper(strokes())))
        expect(page.get_by_role("heading", level=1)).to_contain_text("có đúng không?")
        head.expect_well_made()
        page.screenshot(path=tmp_path / f"picture-{width}.png", full_page=True)
        page.get_by_role("button", name="Dùng ảnh này").click()
        expect(page.get_by_text("Đang dùng").first).to_be_visible()
        head.expect_well_made()

        page.goto("/")
        page.get_by_role("link", name="chờ đến lượt bạn xử lý").click()
        page.get_by_role("link", name="Kế hoạch diễn tập").first.click()
        page.locator('a[href$="/sign"]').first.click()
        expect(page.locator("#sign-page-of")).to_have_text(re.compile(r"\d"))
        page.get_by_role("button", name="Tiếp tục").click()
        lengths = page.locator("#sign-ruler-lengths li")
        expect(lengths).to_have_count(5, timeout=30_000)
        expect(lengths.last).to_have_text("Đường kính con dấu 36,0 mm")
        expect(page.locator(".kv-sign__ruler path")).to_have_attribute("d", re.compile(r"^M\d"))
        head.expect_well_made()
        page.screenshot(path=tmp_path / f"ruler-{width}.png", full_page=True)
    page.get_by_role("button", name="Ký số", exact=True).click()
    expect(page.get_by_role("heading", name="Bạn đã ký văn bản")).to_be_visible(timeout=30_000)
