"""A gate whose cable is pulled: it goes on, admits once what it holds the right to, and tells what it did."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.cable import Cable, Relay
from tests.browser.conftest import FLAGS, chromium, sign_in
from tests.browser.looking import Watched
from tests.browser.running import City
from tests.browser.test_invitation_and_gate import (
    add_guest,
    call_meeting,
    digits_in,
    end_shift,
    enrol_tablet,
    enter_code,
    expect_verdict,
    letter_to,
    new_code,
    type_as_scanner,
)
from tests.browser.two_networks import Wire, may_part
from tests.browser.waiting import wait_until

Enter = Callable[..., Watched]
ROOM = "Trụ sở Sở Khoa học và Công nghệ – Phòng 302"
GATE = "Trụ sở Sở Khoa học và Công nghệ – Cổng A"
# A record without a portrait has about 800 octets (pki/passes/roster.py).
HAS_ROSTER = """(records) => new Promise((tell) => {
    const request = indexedDB.open("kyvao-gate");
    request.onsuccess = () => {
        const asked = request.result.transaction("facts").objectStore("facts").get("roster");
        asked.onsuccess = () => { request.result.close(); tell((asked.result?.body.length ?? 0) > 768 * records); };
    };
})"""


@pytest.fixture
def cable(city: City) -> Iterator[Relay]:
    """The wire between two network namespaces; a relay on loopback where the machine permits none."""
    cable = Wire(city.web) if may_part() else Cable(city.web)
    yield cable
    cable.close()


def test_a_gate_goes_on_without_a_network_nobody_enters_twice_and_a_copy_admits_nobody(
    city: City, person: Enter, browser: Browser, cable: Relay, tmp_path: Path
) -> None:
    original, copy = tmp_path / "original", tmp_path / "copy"
    administrator = person("oanh").page
    code = new_code(person, "Máy không mạng", GATE)
    with opened(browser, original, city, cable) as page:
        sign_in(page, "bao")
        enter_code(page, code)
        expect_installable(page)
        first, second = invited(city, person, "hai@example.vn", "ba@example.vn")
        wait_for_rights(page, 2)
        cable.pull()
        shutil.copytree(original, copy, ignore=shutil.ignore_patterns("Singleton*"))

        reopen(page)
        type_as_scanner(page, first)
        expect_verdict(page, "admit", "MỜI VÀO")
        expect(page.locator("[data-name]")).to_have_text("hai")
        expect(page.locator("[data-note]")).to_have_text("Khách này cần giúp khi vào cửa.")
        Watched(page).expect_well_made()
        next_guest(page)
        type_as_scanner(page, first)
        expect_verdict(page, "refuse", "ĐÃ VÀO LÚC")
        next_guest(page)
        expect(page.locator("[data-lists]")).to_contain_text("chờ gửi", timeout=15_000)

        with opened(browser, copy, city, cable) as stolen:
            reopen(stolen)
            type_as_scanner(stolen, second)
            expect_verdict(stolen, "look_again", "XEM LẠI")

        elsewhere = enrol_tablet(person, browser, "Máy có mạng", GATE).page
        type_as_scanner(elsewhere, first)
        expect_verdict(elsewhere, "look_again", "MỜI ĐẾN")
        next_guest(elsewhere)
        cable.mend()
        expect(page.locator("[data-lists]")).not_to_contain_text("chờ gửi", timeout=30_000)
        type_as_scanner(elsewhere, first)
        expect_verdict(elsewhere, "refuse", "ĐÃ VÀO LÚC")
        next_guest(elsewhere)
        type_as_scanner(page, second)
        expect_verdict(page, "admit", "MỜI VÀO")
        next_guest(page)
        end_shift(elsewhere)

        with opened(browser, copy, city, cable) as stolen:
            reopen(stolen)
            wait_until(lambda: has_incident(administrator, "Máy không mạng"), "an incident of the copied tablet")
        revoke(administrator, "Máy không mạng")
        expect(page.locator("[data-lists]")).to_contain_text("đã bị thu hồi", timeout=30_000)
        assert page.evaluate("indexedDB.databases().then((all) => all.length)") == 0
        assert page.evaluate("caches.keys().then((all) => all.length)") == 0


def expect_installable(page: Page) -> None:
    """The browser itself says that the page can be put on the tablet's home screen as an app."""
    devtools = page.context.new_cdp_session(page)
    assert devtools.send("Page.getAppManifest")["errors"] == []
    assert devtools.send("Page.getInstallabilityErrors")["installabilityErrors"] == []


def reopen(page: Page) -> None:
    page.goto("/gate/")
    expect(page.locator("[data-lists]")).to_contain_text("Danh sách lúc")


def invited(city: City, person: Enter, *addresses: str) -> tuple[str, ...]:
    """Invite guests, named as their addresses are, to a meeting now; return their codes. Each letter names a gate."""
    organiser = person("minh").page
    call_meeting(organiser, "Họp khi mất mạng", room=ROOM)
    for address in addresses:
        organiser.get_by_text("Chức danh, chỗ ngồi, hỗ trợ khi đến").click()
        organiser.get_by_label("Hỗ trợ khi đến").fill("xe lăn")
        add_guest(organiser, address.partition("@")[0], address)
    organiser.get_by_role("button", name="Gửi giấy mời").click()
    letters = [letter_to(city, address) for address in addresses]
    for letter in letters:
        text = letter.get_body(("plain",))
        assert text is not None
        assert "Vào cổng: Cổng A" in text.get_content()
    return tuple(digits_in(letter) for letter in letters)


def wait_for_rights(page: Page, count: int) -> None:
    """Wait until the tablet holds the rights, and a roster with everybody on it: worker makes both within a minute."""
    expect(page.locator("[data-lists]")).to_contain_text(f"{count} khách vào được khi mất mạng", timeout=120_000)
    wait_until(lambda: bool(page.evaluate(HAS_ROSTER, count)), "a roster with everybody on it", seconds=150)


def next_guest(page: Page) -> None:
    page.get_by_role("button", name="Khách tiếp theo").click()


def revoke(administrator: Page, label: str) -> None:
    administrator.goto("/gate/devices")
    administrator.get_by_role("link", name=f"Thu hồi – {label}").click()
    administrator.locator("main form button").click()


def has_incident(administrator: Page, label: str) -> bool:
    administrator.goto("/gate/incidents")
    return administrator.locator(".kv-alarm").filter(has_text=label).count() > 0


@contextmanager
def opened(browser: Browser, profile: Path, city: City, cable: Relay) -> Iterator[Page]:
    """Open a Chromium that keeps its profile in a folder, as the one of a tablet does."""
    context = browser.browser_type.launch_persistent_context(
        profile,
        executable_path=cable.browser(chromium(), profile.parent),
        args=[*FLAGS, *cable.flags],
        base_url=city.web,
        locale="vi-VN",
    )
    try:
        yield context.pages[0]
    finally:
        context.close()
