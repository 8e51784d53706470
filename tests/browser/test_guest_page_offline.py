"""A guest's own page where no network is: the same code, the letter, and a word that it may have changed."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.looking import Watched
from tests.browser.running import City
from tests.browser.test_invitation_and_gate import add_guest, call_meeting, letter_to, page_of

Enter = Callable[..., Watched]
ADDRESS = "mat.mang@example.vn"


def test_a_guests_page_opens_without_a_network_and_is_forgotten_when_the_invitation_ends(
    city: City, person: Enter
) -> None:
    host = person("minh").page
    call_meeting(host, "Họp nơi không có sóng", days=1)
    meeting = host.url
    add_guest(host, "Trần Mất Mạng", ADDRESS)
    host.get_by_role("button", name="Gửi giấy mời").click()
    address = page_of(letter_to(city, ADDRESS))

    phone = person(width=390)
    phone.page.goto(address)
    phone.expect_well_made()
    code = phone.page.locator(".kv-pass__code path").last.get_attribute("d")
    box = phone.page.locator(".kv-pass__code svg").bounding_box()
    assert box is not None
    assert box["width"] >= 0.6 * 390
    with phone.page.expect_download() as saved:
        phone.page.get_by_role("link", name="Giấy mời để in").click()
    assert saved.value.suggested_filename == "giay-moi.pdf"
    wait_until_kept(phone.page)

    phone.loses_network = True
    phone.page.context.set_offline(True)
    phone.page.reload()
    expect(phone.page.get_by_text("Không có mạng")).to_be_visible()
    assert phone.page.locator(".kv-pass__code path").last.get_attribute("d") == code
    letter = phone.page.evaluate(
        "path => fetch(path).then(one => one.headers.get('Content-Type'))", f"{address}/letter"
    )
    assert letter == "application/pdf"
    phone.page.context.set_offline(False)
    phone.page.reload()
    expect(phone.page.get_by_text("Không có mạng")).to_be_hidden()

    host.goto(f"{meeting}/cancel")
    expect(host.get_by_role("heading", level=1)).to_contain_text("Huỷ “Họp nơi không có sóng”")
    host.get_by_role("button", name="Huỷ cuộc họp").click()
    phone.page.reload()
    expect(phone.page.get_by_text("Mã không còn dùng được")).to_be_visible()
    phone.page.wait_for_function("() => caches.keys().then(all => all.length === 0)")


def wait_until_kept(page: Page) -> None:
    """Wait until page, letter and the page's files lie on the phone."""
    page.wait_for_function(
        "async () => { const name = (await caches.keys())[0]; if (!name) return false;"
        " const paths = (await (await caches.open(name)).keys()).map(one => new URL(one.url).pathname);"
        " return paths.includes(location.pathname) && paths.includes(`${location.pathname}/letter`)"
        " && paths.some(path => path.endsWith('.css')); }"
    )
