"""Every page that needs no object of its own fits a phone and a desktop, and axe-core finds nothing serious on it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.looking import Watched
from tests.browser.running import City

Enter = Callable[..., Watched]
TWO_PEOPLE = ("/approvals/", "/approvals/?view=decided", "/alarms/", "/accounts/", "/authority/profiles/")
ROUTES = ("/routes", "/routes/new", "/routes/templates", "/routes?q=nothing", "/inbox", "/deputies")
LIVES = ("/certificates/lists", "/certificates/lists/new", "/certificates/proposals", "/certificates/posts?q=tran")
PAGES = {
    None: ("/", "/sign-in", "/verify", "/D", "/forms/"),
    "lan": ("/", "/certificates/", "/certificates/new", "/certificates/history"),
    "minh": (
        "/",
        "/documents",
        "/documents/new",
        "/marks/signature",
        "/meetings/",
        "/meetings/new",
        "/outbox/",
        *ROUTES,
    ),
    "thu": ("/", "/meetings/", "/routes", "/inbox"),
    "dung": (
        "/",
        "/campaigns/",
        "/campaigns/new",
        "/certificates/requests",
        "/certificates/register",
        "/account/tokens",
        "/account/tokens/new",
    ),
    "bao": ("/", "/gate/enrol", "/reception/", "/reception/roll-call"),
    "oanh": (
        "/",
        "/authority",
        "/certificates/register",
        "/certificates/register?q=nguyen&state=in_force&ends_from=2026-01-01",
        "/certificates/register?q=nobody",
        "/certificates/register/searches",
        "/gate/devices/",
        "/gate/devices/new",
        "/log/",
        "/outbox/",
        "/deputies?q=tran",
        "/archive/",
        "/archive/documents?shown=failed&q=nothing",
        "/trust",
        "/trust/roots/new",
        "/trust/hosts/new",
        *TWO_PEOPLE,
        *LIVES,
    ),
    "khoa": ("/", "/log/", "/authority", "/certificates/register", "/approvals/?view=all", "/alarms/"),
}


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("login", PAGES)
def test_a_persons_pages_are_well_made(person: Enter, login: str | None, width: int) -> None:
    one = person(login, width=width)
    for path in PAGES[login]:
        answer = one.page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        assert one.page.title(), path
        one.expect_well_made()


@pytest.mark.parametrize("path", ["/", "/identifiers"])
def test_the_pages_of_status_are_well_made(city: City, person: Enter, path: str) -> None:
    anyone = person(width=390)
    anyone.page.goto(f"{city.status}{path}")
    anyone.expect_well_made()


def test_every_page_is_there_in_english_too(person: Enter) -> None:
    one = person("minh")
    one.page.goto("/language/en?next=/documents")
    assert one.page.get_attribute("html", "lang") == "en"
    assert "Documents" in one.page.title()
    for path in PAGES["minh"]:
        one.page.goto(path)
        one.expect_well_made()
