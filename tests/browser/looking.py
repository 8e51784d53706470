"""A page that is watched: its console, its width, and what axe-core says of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import ConsoleMessage, Page

AXE = Path(__file__).parent.parent.parent / "app/frontend/node_modules/axe-core/axe.min.js"
GRAVE = ("serious", "critical")


@dataclass
class Watched:
    """A page whose errors are collected from the moment it was opened."""

    page: Page
    errors: list[str] = field(default_factory=list)
    # Statuses that the walk expects, such as 409 when two people act at once.
    expected_statuses: set[int] = field(default_factory=set)
    # The walk takes the network away: the browser itself then notes what it could not reach, sooner or later.
    loses_network: bool = False

    def __post_init__(self) -> None:
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.errors.append(f"{self.page.url}: {error}"))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type != "error":
            return
        if any(f"status of {status}" in message.text for status in self.expected_statuses):
            return
        if self.loses_network and "net::ERR_" in message.text:
            return
        self.errors.append(f"{self.page.url}: {message.text}")

    def expect_no_errors(self) -> None:
        assert self.errors == []

    def expect_well_made(self) -> None:
        """The page fits its screen and axe-core finds nothing serious on it."""
        page = self.page
        page.wait_for_load_state()
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, f"{page.url} is {overflow} px too wide"
        # Evaluated through the debugger, which the content policy does not touch: the policy stays on.
        page.evaluate(AXE.read_text())
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(r => r.violations)")
        grave = [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found if one["impact"] in GRAVE]
        assert grave == [], f"{page.url}: {grave}"
