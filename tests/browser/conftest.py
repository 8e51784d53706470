"""A running city and a Chromium for each pytest process; a person is a browser context of their own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.looking import Watched
from tests.browser.running import City, running_city

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser" in str(item.path):
            item.add_marker(pytest.mark.browser)
            # One city and one browser for them all, however many processes pytest runs.
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="package")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with running_city(tmp_path_factory.mktemp("city") / "data") as running:
        yield running


def chromium() -> str:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    assert path, "Chromium is not installed; scripts/setup --test says how"
    return path


@pytest.fixture(scope="package")
def launch() -> Iterator[Callable[..., Browser]]:
    """Return a function that starts a Chromium with extra flags; all are closed when the run ends."""
    with sync_playwright() as playwright:
        opened: list[Browser] = []

        def start(*extra: str) -> Browser:
            browser = playwright.chromium.launch(executable_path=chromium(), args=[*FLAGS, *extra])
            opened.append(browser)
            return browser

        yield start
        for browser in opened:
            browser.close()


@pytest.fixture(scope="package")
def browser(launch: Callable[..., Browser]) -> Browser:
    return launch()


@pytest.fixture
def person(city: City, browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Watched]]:
    """Return a function that opens a browser for a person of the demonstration, signed in by one click."""
    contexts: list[BrowserContext] = []
    watched: list[Watched] = []

    def enter(login: str | None = None, *, width: int = 1280, using: Browser | None = None) -> Watched:
        context = (using or browser).new_context(
            base_url=city.web, viewport={"width": width, "height": 900}, locale="vi-VN", accept_downloads=True
        )
        contexts.append(context)
        page = context.new_page()
        if login is not None:
            sign_in(page, login)
        seen = Watched(page)
        watched.append(seen)
        return seen

    yield enter
    for seen in watched:
        seen.expect_no_errors()
    for context in contexts:
        context.close()


def sign_in(page: Page, login: str) -> None:
    page.goto("/")
    page.locator(f'form[action="/demo/sign-in/{login}"] button').click()
    page.wait_for_url("**/")
