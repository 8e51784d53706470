"""Journeys 4 and 5: an official invites, the guest opens letter and page, the guard scans with a real camera."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.camera import film
from tests.browser.looking import Watched
from tests.browser.running import City
from tests.browser.waiting import wait_until

Enter = Callable[..., Watched]
CAMERA = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")


def call_meeting(page: Page, title: str, *, room: str = "Trung tâm Hành chính – Phòng họp A1", days: int = 0) -> None:
    """Fill in the form for a meeting that runs now, or at this hour some days later."""
    page.goto("/meetings/new")
    page.get_by_label("Nội dung cuộc họp").fill(title)
    page.get_by_label("Người chủ trì").fill("Ông Trần Văn Minh, Chuyên viên")
    page.get_by_label("Phòng", exact=True).select_option(label=room)
    city_now = page.evaluate("() => new Date().toLocaleString('sv', {timeZone: 'Asia/Ho_Chi_Minh'})")
    starts = datetime.fromisoformat(city_now) + timedelta(days=days)
    ends = min(starts + timedelta(hours=2), starts.replace(hour=23, minute=59))
    page.get_by_label("Ngày", exact=True).fill(starts.strftime("%Y-%m-%d"))
    page.get_by_label("Bắt đầu lúc").fill(starts.strftime("%H:%M"))
    page.get_by_label("Kết thúc lúc").fill(ends.strftime("%H:%M"))
    page.get_by_role("button", name="Lưu").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def add_guest(page: Page, name: str, email: str) -> None:
    page.get_by_label("Họ và tên").fill(name)
    page.get_by_label("E-mail", exact=True).fill(email)
    page.get_by_role("button", name="Thêm", exact=True).click()
    expect(page.get_by_role("rowheader", name=name)).to_be_visible()


def letter_to(city: City, address: str, count: int = 1) -> EmailMessage:
    wait_until(lambda: len(city.letters_to(address)) >= count, f"a letter to {address}")
    return city.letters_to(address)[-1]


def digits_in(letter: EmailMessage) -> str:
    picture = next(part for part in letter.walk() if part.get_content_type() == "image/png")
    found = zxingcpp.read_barcode(Image.open(io.BytesIO(picture.get_content())).convert("L"))
    assert found is not None
    return str(found.text)


def page_of(letter: EmailMessage) -> str:
    text = letter.get_body(("plain",))
    assert text is not None
    found = re.search(r"http://\S+/p/\S+", text.get_content())
    assert found
    return found.group(0)


def new_code(enter: Enter, label: str, place: str) -> str:
    """Let an administrator add a tablet; return the code that enrols it."""
    administrator = enter("oanh").page
    administrator.goto("/gate/devices/new")
    administrator.get_by_label("Tên máy").fill(label)
    administrator.get_by_label("Đặt ở đâu").select_option(label=place)
    administrator.get_by_role("button", name="Thêm và xem mã").click()
    return administrator.locator(".kv-panel__reference strong").inner_text()


def enter_code(page: Page, code: str) -> None:
    """Enrol the tablet that a guard is signed in on."""
    page.goto("/gate/enrol")
    page.get_by_label("Mã dùng một lần").fill(code)
    page.get_by_role("button", name="Đăng ký máy").click()
    page.wait_for_url("**/gate/")
    expect(page.locator("[data-lists]")).to_contain_text("Danh sách lúc")


def enrol_tablet(enter: Enter, browser: Browser, label: str, place: str) -> Watched:
    """Let an administrator make a code and a guard enter it on the tablet."""
    code = new_code(enter, label, place)
    tablet = enter("bao", using=browser)
    enter_code(tablet.page, code)
    return tablet


def end_shift(page: Page) -> None:
    """End the shift in order, so that the rights of this gate go back at once."""
    page.get_by_role("button", name="Kết thúc ca").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Kết thúc ca").click()
    expect(page.get_by_text("Ca trực trên máy này đã kết thúc.")).to_be_visible(timeout=15_000)


def type_as_scanner(page: Page, digits: str) -> None:
    """Press the keys as a keyboard scanner does: the whole code within milliseconds."""
    page.evaluate(
        """(digits) => {
            let at = performance.now();
            const press = (code) => {
                const event = new KeyboardEvent("keydown", {code, bubbles: true});
                // The time is the keyboard's: a busy machine that handles the keys late does not change it.
                Object.defineProperty(event, "timeStamp", {value: at += 2});
                document.dispatchEvent(event);
            };
            for (const digit of digits) press(`Digit${digit}`);
            press("Enter");
        }""",
        digits,
    )


def expect_verdict(page: Page, state: str, words: str) -> None:
    expect(page.locator(f".kv-gate[data-state={state}] [data-large]")).to_contain_text(words, timeout=15_000)


@pytest.fixture
def portrait(tmp_path: Path) -> Path:
    path = tmp_path / "chan-dung.jpg"
    Image.radial_gradient("L").resize((600, 800)).convert("RGB").save(path)
    return path


def test_a_guest_is_invited_scanned_by_camera_and_admitted_once(
    city: City, person: Enter, launch: Callable[..., Browser], tmp_path: Path, portrait: Path
) -> None:
    organiser = person("minh")
    call_meeting(organiser.page, "Họp bàn chuyển đổi số")
    organiser.expect_well_made()
    add_guest(organiser.page, "Nguyễn Thị Lan", "lan.khach@example.vn")
    organiser.page.get_by_role("button", name="Gửi giấy mời").click()
    letter = letter_to(city, "lan.khach@example.vn")
    digits = digits_in(letter)

    guest = person(width=390)
    guest.page.goto(page_of(letter))
    guest.expect_well_made()
    guest.page.get_by_label("Ảnh chân dung").set_input_files(portrait)
    guest.page.get_by_role("button", name="Lưu ảnh").click()
    expect(guest.page.get_by_role("img", name="Ảnh chân dung của bạn")).to_be_visible()
    shown = zxingcpp.read_barcode(Image.open(io.BytesIO(guest.page.locator(".kv-pass__code").screenshot())))
    assert shown is not None
    assert shown.text == digits

    with_camera = launch(*CAMERA, f"--use-file-for-fake-video-capture={film(tmp_path / 'camera.y4m', digits)}")
    tablet = enrol_tablet(person, with_camera, "Máy A1", "Trung tâm Hành chính – Cổng A")
    expect_verdict(tablet.page, "admit", "MỜI VÀO")
    expect(tablet.page.locator("[data-name]")).to_have_text("Nguyễn Thị Lan")
    face = tablet.page.locator("[data-portrait]")
    expect(face).to_be_visible()
    assert face.evaluate("image => image.complete && image.naturalHeight") == 480
    assert (face.bounding_box() or {"height": 0})["height"] >= 200
    tablet.expect_well_made()
    tablet.page.get_by_role("button", name="Không chắc").click()
    expect_verdict(tablet.page, "look_again", "XEM CĂN CƯỚC")
    expect(tablet.page.get_by_role("button", name="Không chắc")).to_be_hidden()
    tablet.page.get_by_role("button", name="Đúng người", exact=True).click()
    expect_verdict(tablet.page, "refuse", "ĐÃ VÀO LÚC")
    expect(tablet.page.locator("[data-large]")).to_contain_text("Cổng A")
    tablet.page.get_by_role("button", name="Khách tiếp theo").click()
    end_shift(tablet.page)


def test_each_pass_that_must_not_enter_is_refused_in_its_own_words(city: City, person: Enter, browser: Browser) -> None:
    organiser = person("minh")
    page = organiser.page
    call_meeting(page, "Họp giao ban", room="Trung tâm Hành chính – Hội trường B")
    add_guest(page, "Lê Văn Tám", "tam@example.vn")
    add_guest(page, "Phạm Thị Chín", "chin@example.vn")
    page.get_by_role("button", name="Gửi giấy mời").click()
    good = digits_in(letter_to(city, "tam@example.vn"))
    withdrawn = digits_in(letter_to(city, "chin@example.vn"))
    page.get_by_role("row", name="Phạm Thị Chín").get_by_role("link", name="Thu hồi").click()
    organiser.expect_well_made()
    page.get_by_role("button", name="Thu hồi giấy mời").click()
    taken_back = letter_to(city, "chin@example.vn", 2)
    assert "Huỷ" in str(taken_back["Subject"])
    call_meeting(page, "Họp tuần sau", room="Trung tâm Hành chính – Hội trường B", days=3)
    add_guest(page, "Ngô Thị Mười", "muoi@example.vn")
    page.get_by_role("button", name="Gửi giấy mời").click()
    another_day = digits_in(letter_to(city, "muoi@example.vn"))

    tablet = enrol_tablet(person, browser, "Máy B1", "Trung tâm Hành chính – Cổng B").page
    elsewhere = enrol_tablet(person, browser, "Máy C1", "Trụ sở Sở Khoa học và Công nghệ – Cổng A").page
    forged = good[:-1] + str((int(good[-1]) + 1) % 10)
    for where, digits, words in (
        (elsewhere, good, "SAI TOÀ NHÀ"),
        (tablet, withdrawn, "GIẤY MỜI ĐÃ THU HỒI"),
        (tablet, another_day, "SAI NGÀY"),
        (tablet, forged, "KHÔNG PHẢI GIẤY MỜI THẬT"),
        (tablet, "0123456789012", "KHÔNG PHẢI GIẤY MỜI CỦA THÀNH PHỐ"),
    ):
        type_as_scanner(where, digits)
        expect_verdict(where, "refuse", words)
        where.get_by_role("button", name="Khách tiếp theo").click()
    type_as_scanner(tablet, good)
    expect_verdict(tablet, "admit", "MỜI VÀO")
    tablet.get_by_role("button", name="Khách tiếp theo").click()
    for one in (tablet, elsewhere):
        end_shift(one)


def test_guests_come_from_a_file_only_after_its_bad_rows_were_shown(person: Enter, tmp_path: Path) -> None:
    organiser = person("thu")
    page = organiser.page
    call_meeting(page, "Tập huấn", room="Trụ sở Sở Khoa học và Công nghệ – Phòng 201")
    table = tmp_path / "khach.csv"
    table.write_text(
        "Họ tên;E-mail;Cơ quan\n"
        "Trần Bình;binh@example.vn;Công ty B\n"
        "Không Thư;khong-phai-thu;X\n"
        "Trần Bình;BINH@example.vn;\n",
        encoding="utf-8-sig",
    )
    page.get_by_role("link", name="Thêm nhiều khách từ tệp").click()
    page.get_by_label("Tệp khách mời").set_input_files(table)
    page.get_by_role("button", name="Kiểm tra tệp").click()
    organiser.expect_well_made()
    expect(page.get_by_text("Địa chỉ e-mail chưa đúng.")).to_be_visible()
    expect(page.get_by_text("đã có trong danh sách")).to_be_visible()
    page.get_by_role("button", name="Thêm 1 khách").click()
    expect(page.get_by_role("rowheader", name="Trần Bình")).to_be_visible()

    # On the same list: who comes along, what the meeting is about, and how guests come in.
    page.get_by_role("link", name="Thêm người đi cùng – Trần Bình").click()
    organiser.expect_well_made()
    page.get_by_label("Lái xe").check()
    page.get_by_label("Họ và tên").fill("Phạm Văn Lái")
    page.get_by_role("button", name="Thêm").click()
    expect(page.get_by_role("rowheader", name="Phạm Văn Lái")).to_contain_text("Lái xe")
    page.get_by_role("link", name="Soạn chương trình").click()
    page.get_by_label("Các mục").fill("Khai mạc | Bà Thu\nThảo luận")
    organiser.expect_well_made()
    page.get_by_role("button", name="Lưu").click()
    expect(page.get_by_role("listitem").filter(has_text="Khai mạc – Bà Thu")).to_be_visible()
    page.get_by_role("link", name="Kèm tài liệu đã ký").click()
    organiser.expect_well_made()
    page.get_by_role("link", name="Về cuộc họp").click()
    page.get_by_role("link", name="Sửa cuộc họp").click()
    page.get_by_label("Mã đổi mỗi nửa phút").check()
    organiser.expect_well_made()
    page.get_by_role("button", name="Lưu").click()
    expect(page.get_by_text("mã đổi mỗi nửa phút")).to_be_visible()
    organiser.expect_well_made()
