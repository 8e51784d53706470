"""A page used by the keyboard alone: Tab to where one is going, then Enter, Space or arrows."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

# No page has more places to stop at than this.
STOPS = 160
# Only what the keyboard can use has a name here. At the end of a page, and where a link has led into the middle of one,
# the focus is on the page itself or on a part of it, whose words are those of everything in it.
_FOCUSED = """() => {
  const one = document.activeElement;
  if (!one?.matches("a[href], button, input, select, textarea, summary")) return "";
  const labels = [...(one.labels ?? [])].map((label) => label.innerText);
  const words = [one.innerText ?? "", one.getAttribute("aria-label") ?? "", ...labels];
  return words.join(" ").replaceAll(/\\s+/g, " ").trim();
}"""

# Tab stops at one answer of a group; the arrows reach the others. How far below it the wanted one is, null elsewhere.
_BELOW = """(words) => {
  const one = document.activeElement;
  if (!one?.matches("input[type=radio], input[type=checkbox]")) return null;
  const alone = one.type === "checkbox" || !one.name;
  const all = alone ? [one] : [...document.querySelectorAll(`input[type=radio][name="${one.name}"]`)];
  const called = (each) => [...(each.labels ?? [])].some((label) => label.innerText.includes(words));
  const at = all.findIndex(called);
  return at < 0 ? null : at - all.indexOf(one);
}"""


def tab_to(page: Page, words: str) -> None:
    """Press Tab until what has the focus is called so."""
    for _ in range(STOPS):
        page.keyboard.press("Tab")
        if words in page.evaluate(_FOCUSED):
            return
    raise AssertionError(f"nothing on {page.url} that the keyboard reaches is called {words!r}")


def press(page: Page, words: str) -> None:
    """Reach a link or a button by keyboard and use it; another page comes."""
    tab_to(page, words)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def press_here(page: Page, words: str) -> None:
    """Reach a button by keyboard and use it; the page stays."""
    tab_to(page, words)
    page.keyboard.press("Enter")


def search(page: Page, field: str, text: str) -> None:
    tab_to(page, field)
    page.keyboard.type(text)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def write(page: Page, field: str, text: str) -> None:
    tab_to(page, field)
    page.keyboard.press("Control+a")
    page.keyboard.type(text)


def choose(page: Page, words: str, *, down: int = 0) -> None:
    """Reach a group of answers by keyboard and choose one, or the one so many below it."""
    for _ in range(STOPS):
        page.keyboard.press("Tab")
        below = page.evaluate(_BELOW, words)
        if below is None:
            continue
        if below + down == 0:
            page.keyboard.press("Space")
        for _step in range(below + down):
            page.keyboard.press("ArrowDown")
        return
    raise AssertionError(f"no answer on {page.url} that the keyboard reaches is called {words!r}")


def choose_file(page: Page, field: str, path: Path) -> None:
    """Open the browser's own choice of files from the field; what happens in it is not the page's."""
    # Listened for before the way to the field begins: the browser takes a moment to hand the choice over.
    with page.expect_file_chooser() as chooser:
        tab_to(page, field)
        page.keyboard.press("Enter")
    chooser.value.set_files(path)
