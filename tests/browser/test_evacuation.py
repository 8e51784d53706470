"""A visitor comes in; the building is evacuated, one warden's phone has no network, and both end with the same roll."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.browser.looking import Watched
from tests.browser.running import City

Enter = Callable[..., Watched]
VISITOR = "Đỗ Văn Khách"


def test_a_visitor_is_received_and_found_on_the_roll_by_two_wardens_one_without_network(
    city: City, person: Enter
) -> None:
    desk, host = person("bao"), person("minh", width=390)
    receive(desk, host)

    first, second = person("bao", width=390), person("oanh", width=390)
    for phone in (first, second):
        phone.page.goto("/reception/roll-call")
        expect(row(phone.page)).to_contain_text("Chưa điểm danh")
        phone.expect_well_made()
    wait_until_kept(first.page)

    # The first phone loses its network, and its page is opened anew without one.
    first.loses_network = True
    first.page.context.set_offline(True)
    first.page.reload()
    expect(first.page.locator("#roll-status")).to_contain_text("Mất mạng")
    first.page.get_by_label("Họ và tên").fill("do van")
    # The first mark begins the evacuation, so the phone asks.
    # Answered while it stands open: until then the press itself does not end.
    first.page.once("dialog", lambda question: question.dismiss())
    with first.page.expect_event("dialog"):
        row(first.page).get_by_role("button", name="Mất liên lạc").click()
    expect(row(first.page).locator("[data-state]")).to_have_text("Chưa điểm danh")
    for phone in (first, second):
        phone.page.on("dialog", lambda question: question.accept())
    press(first.page, "Mất liên lạc")
    expect(row(first.page).locator("[data-waits]")).to_be_visible()

    # The other has it, sees nothing of that yet, and marks the same person later: the later mark counts for both.
    press(second.page, "An toàn")
    expect(second.page.locator("#roll-status")).to_contain_text("Cập nhật lúc")
    expect(second.page.locator("#roll-state")).to_contain_text("Sơ tán từ")
    first.page.context.set_offline(False)
    expect(first.page.locator("#roll-status")).to_contain_text("Cập nhật lúc", timeout=20_000)
    expect(row(first.page).locator("[data-state]")).to_have_text("An toàn", timeout=20_000)
    expect(row(first.page).locator("[data-waits]")).to_be_hidden()

    head = person("oanh")
    head.page.goto(second.page.locator("#roll-summary").get_attribute("href") or "")
    expect(head.page.get_by_role("row", name=VISITOR)).to_contain_text("Có ý kiến khác nhau: 2 lần điểm danh")
    head.expect_well_made()
    head.page.get_by_role("button", name="Kết thúc sơ tán").click()
    expect(head.page.get_by_text("Đã kết thúc sơ tán")).to_be_visible()


def receive(desk: Watched, host: Watched) -> None:
    """Register a visitor from the card's code, let the host agree on the phone, print a badge, let the visitor in."""
    desk.page.goto("/reception/")
    desk.page.get_by_role("link").filter(has_text="Trung tâm Hành chính").first.click()
    desk.expect_well_made()
    desk.page.get_by_role("button", name="Ghi khách vãng lai").click()
    desk.page.get_by_label("Tên cán bộ").fill("minh")
    desk.page.get_by_role("button", name="Tìm").click()
    desk.page.get_by_role("link", name="Ông Minh").click()
    desk.page.get_by_label("Căn cước").fill(f"001085123456||{VISITOR}|03051985|Nam|12 Trần Phú|02092021")
    desk.page.get_by_label("Căn cước").press("Enter")
    expect(desk.page.get_by_label("Họ và tên")).to_have_value(VISITOR)
    expect(desk.page.get_by_label("Căn cước")).to_have_value("")
    desk.expect_well_made()
    desk.page.get_by_label("Việc cần gặp").fill("Nộp hồ sơ")
    desk.page.get_by_role("button", name="Ghi và báo người được gặp").click()
    visitor = desk.page.get_by_role("row", name=VISITOR)
    expect(visitor).to_contain_text("Chờ người được gặp trả lời")

    host.page.goto("/")
    host.page.get_by_role("link", name="1 khách vãng lai đang chờ bạn").click()
    host.expect_well_made()
    host.page.get_by_label("Mời khách vào").check()
    host.page.get_by_role("button", name="Trả lời quầy lễ tân").click()
    expect(host.page.get_by_text("Quầy lễ tân đã nhận câu trả lời của bạn")).to_be_visible()

    # The answer appears at the desk by itself.
    expect(visitor).to_contain_text("Người được gặp đồng ý", timeout=15_000)
    desk.page.get_by_role("link", name=VISITOR).click()
    desk.page.get_by_role("button", name="Cho vào").click()
    desk.page.get_by_role("button", name="In thẻ").click()
    expect(desk.page.locator(".kv-badge")).to_contain_text(VISITOR)
    desk.expect_well_made()


def row(page: Page) -> Locator:
    return page.locator(".kv-roll__person").filter(has_text=VISITOR)


def press(page: Page, mark: str) -> None:
    row(page).get_by_role("button", name=mark).click()
    expect(row(page).locator("[data-state]")).to_have_text(mark)


def wait_until_kept(page: Page) -> None:
    """Wait until the page and its files are kept for when there is no network."""
    page.evaluate(
        """async () => {
            await navigator.serviceWorker.ready;
            const kept = async () => (await (await caches.open('kyvao-roll-call')).keys()).length;
            while ((await kept()) < 4) await new Promise((done) => setTimeout(done, 50));
        }"""
    )
