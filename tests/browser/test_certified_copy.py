"""An official asks for a certified copy of an issued document, a clerk seals it, and anybody can check it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from app.demo import official_letter
from tests.browser.looking import Watched
from tests.browser.test_certificate_signature_check import get_certificate
from tests.browser.test_head_to_clerk import PASSWORD, Mouse, Walk
from tests.factories.records import LETTER

Enter = Callable[..., Watched]


def test_a_copy_is_asked_for_sealed_and_checked_on_a_desktop_and_on_a_phone(person: Enter, tmp_path: Path) -> None:
    letter = tmp_path / "ke-hoach.pdf"
    letter.write_bytes(official_letter.render(LETTER))
    walk = Walk(Mouse(1280), tmp_path, "Kế hoạch để sao")
    minh = get_certificate(person, "minh", "Trần Văn Minh")
    hanh = get_certificate(person, "hanh", "Lê Thị Mỹ Hạnh")
    route = walk.draft(minh, letter)
    walk.sign(minh, "Ký nháy", "10-initials")
    walk.sign(hanh, "Ký duyệt", "11-head")
    walk.issue(person("thu", width=1280))
    for width, form in ((1280, "Sao y"), (390, "Trích sao")):
        hands = Mouse(width)
        asked = copy_of(minh, person("thu", width=width), Walk(hands, tmp_path, walk.title), route, form)
        checked = person(width=width)
        checked.page.goto("/verify")
        hands.choose_file(checked.page, "Tệp PDF", asked)
        hands.press(checked.page, "Kiểm tra")
        expect(checked.page.locator(".kv-verdict__title")).to_have_text("Hợp lệ", timeout=30_000)
        expect(checked.page.get_by_role("heading", name=re.compile("Sở Khoa học và Công nghệ")).first).to_be_visible()


def copy_of(official: Watched, clerk: Watched, walk: Walk, route: str, form: str) -> Path:
    """Ask for the copy, let the clerk seal it, and return the file."""
    page, hands, width = official.page, walk.hands, walk.hands.width
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(route)
    hands.follow(page, "Bản sao có xác nhận")
    hands.choose(page, form)
    if form == "Trích sao":
        hands.write(page, "Trang cần trích sao", "1")
    hands.write(page, "Sao để làm gì?", "Nộp hồ sơ đấu thầu")
    walk.look(official, f"60-ask-{width}")
    hands.follow(page, "Gửi yêu cầu")
    walk.look(official, f"61-asked-{width}")

    clerk.expected_statuses.add(422)
    clerk.page.goto("/records")
    walk.look(clerk, f"62-waiting-{width}")
    hands.follow(clerk.page, form)
    hands.write(clerk.page, "Mật khẩu của bạn", "khong phai mat khau")
    hands.follow(clerk.page, "Lấy số và đóng dấu bản sao")
    expect(clerk.page.locator(".govuk-error-summary")).to_be_visible()
    walk.look(clerk, f"63-wrong-password-{width}")
    hands.write(clerk.page, "Mật khẩu của bạn", PASSWORD)
    hands.follow(clerk.page, "Lấy số và đóng dấu bản sao")
    expect(clerk.page.get_by_text("Bản sao đã được đóng dấu")).to_be_visible(timeout=60_000)
    walk.look(clerk, f"64-sealed-{width}")
    page.reload()
    file = walk.download(page, "Tải bản sao", f"copy-{width}.pdf")
    page.goto(route)
    hands.follow(page, "Bản sao có xác nhận")
    walk.look(official, f"65-copies-{width}")
    return file
