"""Make the pictures of the README: the start page, and the gate letting a guest in. Walks a city of its own.

.venv/bin/python -m scripts.pictures
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from tests.browser.camera import film
from tests.browser.conftest import FLAGS, chromium, sign_in
from tests.browser.running import City, running_city
from tests.browser.test_invitation_and_gate import (
    CAMERA,
    add_guest,
    call_meeting,
    digits_in,
    expect_verdict,
    letter_to,
    page_of,
)

OUT: Final = Path(__file__).parent.parent / "docs/images"
SIZE: Final = ViewportSize(width=1280, height=800)
GUEST: Final = "lan.khach@example.vn"


def person(city: City, browser: Browser, login: str | None) -> Page:
    """Return a page of somebody's own browser, signed in."""
    page = browser.new_context(base_url=city.web, viewport=SIZE, locale="vi-VN").new_page()
    if login is not None:
        sign_in(page, login)
    return page


def portrait(folder: Path) -> Path:
    """Draw a face that belongs to nobody."""
    picture = Image.new("RGB", (720, 960), "#c9d6e4")
    draw = ImageDraw.Draw(picture)
    draw.ellipse((60, 640, 660, 1300), fill="#1d4e89")
    draw.rectangle((310, 560, 410, 700), fill="#e0b594")
    draw.ellipse((210, 170, 510, 620), fill="#e8c2a0")
    draw.pieslice((190, 120, 530, 520), 180, 360, fill="#2a1e1a")
    path = folder / "portrait.png"
    picture.save(path)
    return path


def invite(city: City, browser: Browser, folder: Path) -> str:
    """Invite a guest who then adds a portrait; return the digits of the code."""
    organiser = person(city, browser, "minh")
    call_meeting(organiser, "Họp bàn chuyển đổi số")
    add_guest(organiser, "Nguyễn Thị Lan", GUEST)
    organiser.get_by_role("button", name="Gửi giấy mời").click()
    letter = letter_to(city, GUEST)
    guest = person(city, browser, None)
    guest.goto(page_of(letter))
    guest.get_by_label("Ảnh chân dung").set_input_files(portrait(folder))
    guest.get_by_role("button", name="Lưu ảnh").click()
    guest.get_by_role("img", name="Ảnh chân dung của bạn").wait_for()
    return digits_in(letter)


def enrolled(city: City, browser: Browser, gate: Browser) -> Page:
    """Return the tablet at a gate of the building."""
    administrator = person(city, browser, "oanh")
    administrator.goto("/gate/devices/new")
    administrator.get_by_label("Tên máy").fill("Máy A1")
    administrator.get_by_label("Đặt ở đâu").select_option(label="Trung tâm Hành chính – Cổng A")
    administrator.get_by_role("button", name="Thêm và xem mã").click()
    code = administrator.locator(".kv-panel__reference strong").inner_text()
    tablet = person(city, gate, "bao")
    tablet.goto("/gate/enrol")
    tablet.get_by_label("Mã dùng một lần").fill(code)
    tablet.get_by_role("button", name="Đăng ký máy").click()
    return tablet


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        with running_city(folder / "data") as city:
            browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
            start = person(city, browser, None)
            start.goto("/")
            start.screenshot(path=OUT / "start.png")
            seen = film(folder / "camera.y4m", invite(city, browser, folder))
            gate = playwright.chromium.launch(
                executable_path=chromium(), args=[*FLAGS, *CAMERA, f"--use-file-for-fake-video-capture={seen}"]
            )
            tablet = enrolled(city, browser, gate)
            expect_verdict(tablet, "admit", "MỜI VÀO")
            tablet.locator("[data-portrait]").wait_for(state="visible")
            tablet.wait_for_function("document.querySelector('[data-portrait]').complete")
            tablet.screenshot(path=OUT / "gate.png")
            gate.close()
            browser.close()


if __name__ == "__main__":
    main()
