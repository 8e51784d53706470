"""One paper on its whole way: drafted, initialled, signed by the head, numbered, sealed, received, checked by anyone.

Walked on a desktop, on a phone, and by the keyboard alone; the acts are the same, only the hands differ.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from app.demo import official_letter
from app.demo.people import PASSWORD
from tests.browser import keyboard
from tests.browser.looking import Watched
from tests.browser.running import City
from tests.browser.test_certificate_signature_check import get_certificate
from tests.browser.waiting import wait_until
from tests.factories.records import LETTER

Enter = Callable[..., Watched]


class Hands(Protocol):
    """How somebody uses a page: everything is named as it is read there."""

    width: int

    def follow(self, page: Page, words: str) -> None:
        """Use a link or a button that leads to another page."""

    def press(self, page: Page, words: str) -> None:
        """Use a button that stays on the page."""

    def write(self, page: Page, field: str, text: str) -> None: ...

    def search(self, page: Page, field: str, text: str) -> None: ...

    def choose(self, page: Page, words: str, *, down: int = 0) -> None:
        """Choose an answer, or the one so many below it."""

    def choose_file(self, page: Page, field: str, path: Path) -> None: ...


@dataclass(frozen=True)
class Mouse:
    """A mouse on a desktop, a finger on a phone."""

    width: int

    def follow(self, page: Page, words: str) -> None:
        with page.expect_navigation():
            _named(page, words).click()

    def press(self, page: Page, words: str) -> None:
        _named(page, words).click()

    def write(self, page: Page, field: str, text: str) -> None:
        page.get_by_label(re.compile(re.escape(field))).first.fill(text)

    def search(self, page: Page, field: str, text: str) -> None:
        self.write(page, field, text)
        form = page.locator("form").filter(has=page.get_by_label(field))
        with page.expect_navigation():
            form.get_by_role("button").first.click()

    def choose(self, page: Page, words: str, *, down: int = 0) -> None:
        first = page.get_by_label(re.compile(re.escape(words))).first
        name = first.get_attribute("name")
        page.locator(f'input[name="{name}"]').nth(down).check() if down else first.check()

    def choose_file(self, page: Page, field: str, path: Path) -> None:
        page.get_by_label(re.compile(re.escape(field))).first.set_input_files(path)


@dataclass(frozen=True)
class Keyboard:
    """Tab, Enter, Space and arrows, and nothing else."""

    width: int

    def follow(self, page: Page, words: str) -> None:
        keyboard.press(page, words)

    def press(self, page: Page, words: str) -> None:
        keyboard.press_here(page, words)

    def write(self, page: Page, field: str, text: str) -> None:
        keyboard.write(page, field, text)

    def search(self, page: Page, field: str, text: str) -> None:
        keyboard.search(page, field, text)

    def choose(self, page: Page, words: str, *, down: int = 0) -> None:
        keyboard.choose(page, words, down=down)

    def choose_file(self, page: Page, field: str, path: Path) -> None:
        keyboard.choose_file(page, field, path)


def _named(page: Page, words: str) -> Locator:
    name = re.compile(re.escape(words))
    main = page.locator("main")
    return main.get_by_role("link", name=name).or_(main.get_by_role("button", name=name)).first


@dataclass(frozen=True)
class Walk:
    """A walk with its hands and its folder; every page that is reached is looked at."""

    hands: Hands
    folder: Path
    title: str

    def look(self, one: Watched, name: str) -> None:
        one.expect_well_made()
        one.page.screenshot(path=self.folder / f"{name}.png", full_page=True)

    def draft(self, one: Watched, letter: Path) -> str:
        """Upload the letter, compose its route and start it; return the address of the route."""
        page, hands = one.page, self.hands
        page.goto("/documents")
        self.look(one, "01-documents")
        hands.follow(page, "Tải văn bản lên")
        hands.write(page, "Tên văn bản", self.title)
        hands.choose_file(page, "Tệp", letter)
        self.look(one, "02-upload")
        hands.follow(page, "Tải lên")
        expect(page.get_by_role("heading", level=1)).to_have_text(self.title)
        self.look(one, "03-document")
        hands.follow(page, "Trình ký, hoặc xem")
        self.look(one, "04-new-route")
        hands.follow(page, "Tiếp tục")
        for who, name, down in (("minh", "Trần Văn Minh", 0), ("hanh", "Lê Thị Mỹ Hạnh", 2)):
            hands.search(page, "Tên, cơ quan hoặc chức vụ", who)
            hands.choose(page, name)
            hands.choose(page, "Ký nháy", down=down)
            hands.follow(page, "Thêm bước này")
        hands.search(page, "Cơ quan trong thành phố", "ben do")
        hands.choose(page, "Ủy ban nhân dân phường Bến Đỏ")
        hands.follow(page, "Thêm cơ quan")
        self.look(one, "05-composed")
        hands.follow(page, "Bắt đầu trình")
        expect(page.get_by_text("Đang trình").first).to_be_visible()
        self.look(one, "06-started")
        return page.url

    def sign(self, one: Watched, act: str, name: str) -> None:
        """Find the paper from the home page, read it, put the signature of the turn into it."""
        page, hands = one.page, self.hands
        page.goto("/")
        hands.follow(page, "chờ đến lượt bạn xử lý")
        hands.follow(page, self.title)
        self.look(one, f"{name}-turn")
        hands.follow(page, act)
        expect(page.locator("#sign-page-of")).to_have_text(re.compile(r"\d"))
        self.look(one, f"{name}-read")
        hands.press(page, "Tiếp tục")
        expect(page.locator("#sign-confirm")).to_be_visible(timeout=30_000)
        self.look(one, f"{name}-confirm")
        hands.press(page, "Ký số")
        expect(page.get_by_role("heading", name="Bạn đã ký văn bản")).to_be_visible(timeout=30_000)
        self.look(one, f"{name}-signed")

    def issue(self, one: Watched) -> Path:
        """Let the clerk number, date and seal the paper; return the issued file."""
        page, hands = one.page, self.hands
        page.goto("/")
        hands.follow(page, "chờ lấy số và đóng dấu")
        self.look(one, "20-waiting")
        hands.follow(page, self.title)
        if "/records/issue/" not in page.url:
            hands.follow(page, "Lấy số và đóng dấu")
        self.look(one, "21-issue")
        one.expected_statuses.add(422)
        hands.write(page, "Mật khẩu của bạn", "khong phai mat khau")
        hands.follow(page, "Lấy số, đóng dấu và ban hành")
        expect(page.locator(".govuk-error-summary")).to_be_visible()
        self.look(one, "22-wrong-password")
        hands.write(page, "Mật khẩu của bạn", PASSWORD)
        hands.follow(page, "Lấy số, đóng dấu và ban hành")
        expect(page.locator(".kv-panel")).to_be_visible(timeout=60_000)
        self.look(one, "23-issued")
        return self.download(page, self.title, "issued.pdf")

    def receive(self, one: Watched) -> Path:
        """Let the recipient's clerk find the paper in the inbox, read it and acknowledge it; return the file."""
        page, hands = one.page, self.hands
        page.goto("/")
        hands.follow(page, "văn bản đến")
        self.look(one, "30-inbox")
        hands.follow(page, self.title)
        self.look(one, "31-received")
        received = self.download(page, self.title, "received.pdf")
        hands.follow(page, "Xác nhận đã nhận")
        expect(page.get_by_text("Nơi gửi đã thấy bạn xác nhận").first).to_be_visible()
        self.look(one, "32-acknowledged")
        return received

    def check(self, one: Watched, file: Path) -> None:
        """Let anybody check the file."""
        page, hands = one.page, self.hands
        page.goto("/verify")
        hands.choose_file(page, "Tệp PDF", file)
        hands.press(page, "Kiểm tra")
        expect(page.locator(".kv-verdict__title")).to_have_text("Hợp lệ", timeout=30_000)
        for name in ("Trần Văn Minh", "Lê Thị Mỹ Hạnh", "Sở Khoa học và Công nghệ"):
            expect(page.get_by_role("heading", name=re.compile(name)).first).to_be_visible()
        self.look(one, "41-checked")

    def scan(self, one: Watched, file: Path) -> None:
        """Let anybody open the address in the paper's code and compare it with the register."""
        page, hands = one.page, self.hands
        address = urlsplit(code_on(file, self.folder))
        page.goto(f"{address.path}#{address.fragment}")

        def is_genuine() -> bool:
            page.reload()
            answer = page.locator("#code-answer .kv-verdict__title")
            expect(answer).to_have_text(re.compile("Mã thật|Chưa đủ căn cứ"), timeout=30_000)
            return answer.inner_text() == "Mã thật"

        # The first code under a seal: its key is published by a job of its own.
        wait_until(is_genuine, "the list with the key of the seal", seconds=60)
        expect(page.locator("#code-answer")).to_contain_text("Sở Khoa học và Công nghệ")
        hands.press(page, "So với bản gốc đã ban hành")
        expect(page.locator("#code-original-answer")).to_contain_text("Còn hiệu lực")
        self.look(one, "42-code")

    def download(self, page: Page, words: str, name: str) -> Path:
        with page.expect_download() as download:
            self.hands.press(page, words)
        path = self.folder / name
        download.value.save_as(path)
        return path


def code_on(file: Path, folder: Path) -> str:
    """Return what the code on the first page says, read from a picture of it as from paper."""
    subprocess.run(["pdftoppm", "-r", "200", "-png", "-singlefile", str(file), str(folder / "page")], check=True)
    with Image.open(folder / "page.png") as picture:
        (found,) = zxingcpp.read_barcodes(picture.convert("L"), formats=zxingcpp.BarcodeFormat.QRCode)
    return str(found.text)


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    path = tmp_path / "ke-hoach.pdf"
    path.write_bytes(official_letter.render(LETTER))
    return path


@pytest.mark.parametrize("hands", [Mouse(1280), Mouse(390), Keyboard(1280)], ids=["desktop", "phone", "keyboard"])
def test_a_paper_goes_from_its_drafter_to_the_head_the_clerk_the_recipient_and_anyone(
    city: City, person: Enter, letter: Path, tmp_path: Path, hands: Hands
) -> None:
    walk = Walk(hands, tmp_path, f"Kế hoạch diễn tập ({hands.width}, {type(hands).__name__})")
    minh = get_certificate(person, "minh", "Trần Văn Minh")
    hanh = get_certificate(person, "hanh", "Lê Thị Mỹ Hạnh")
    for one in (minh, hanh):
        one.page.set_viewport_size({"width": hands.width, "height": 900})
    route = walk.draft(minh, letter)
    walk.sign(minh, "Ký nháy", "10-initials")
    walk.sign(hanh, "Ký duyệt", "11-head")
    issued = walk.issue(person("thu", width=hands.width))
    received = walk.receive(person("nga", width=hands.width))
    assert received.read_bytes() == issued.read_bytes()
    anyone = person(width=hands.width)
    walk.check(anyone, received)
    walk.scan(anyone, received)

    said = subprocess.run(["pdfsig", "-nocert", str(received)], capture_output=True, text=True, check=True).stdout
    assert said.count("Signature is Valid") == 3
    assert "Total document signed" in said
    minh.page.goto(route)
    expect(minh.page.get_by_text("Đã nhận").first).to_be_visible()
    walk.look(minh, "50-the-way")
