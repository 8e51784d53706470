"""The Vietnamese catalogues, one for each capability: `update`, `check` and `compile`.

    scripts/translations.py update [capability …]  extract sentences, keep what is translated
    scripts/translations.py check                   name every sentence that is missing, fuzzy or unused
    scripts/translations.py compile                 write the .mo files that the application loads

Source sentences are English. Templates of a capability lie in `app/templates/<capability>`; those of the frame
(base, components, errors) belong to `core`.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT: Final = Path(__file__).parent.parent
APP: Final = ROOT / "app"
CATALOGUES: Final = APP / "translations"
FRAME: Final = ("components", "errors")
# What stands beside the capabilities and holds no sentences of its own.
OTHER: Final = frozenset({"frontend", "migrations", "static", "templates", "translations", "__pycache__"})
# Header lines that say nothing here: dates, and people who are in the history already.
DROPPED: Final = (
    '"POT-Creation-Date',
    '"PO-Revision-Date',
    '"Generated-By',
    '"Project-Id-Version',
    '"Report-Msgid-Bugs-To',
    '"Last-Translator',
    '"Language-Team',
)
KEYWORDS: Final = {**DEFAULT_KEYWORDS, "_l": None, "lazy_gettext": None, "lazy_ngettext": (1, 2)}


def capabilities() -> list[str]:
    return sorted(path.name for path in APP.iterdir() if path.is_dir() and path.name not in OTHER)


def sources(capability: str) -> Iterator[tuple[Path, str]]:
    """Yield the folders to read for `capability`, each with its extraction method."""
    yield APP / capability, "python"
    templates = [APP / "templates" / capability]
    if capability == "core":
        templates += [APP / "templates" / name for name in FRAME]
    for folder in templates:
        if folder.is_dir():
            yield folder, "jinja2"


def extract(capability: str) -> Catalog:
    """Return the sentences that `capability` uses now."""
    found = Catalog()
    for folder, method in sources(capability):
        pattern = "**.py" if method == "python" else "**.html"
        options = {pattern: {"trimmed": "true", "silent": "false"}} if method == "jinja2" else {}
        for name, line, sentence, comments, context in extract_from_dir(
            str(folder), [(pattern, method)], options, KEYWORDS
        ):
            # Sorted out below: a line number would change the file with every edit above it.
            del line
            found.add(
                sentence, None, [(f"{folder.relative_to(ROOT)}/{name}", 0)], auto_comments=comments, context=context
            )
    if capability == "core":
        _extract_page_frame(found)
    return found


def _extract_page_frame(found: Catalog) -> None:
    folder = APP / "templates"
    for page in sorted(folder.glob("*.html")):
        for _, sentence, comments, context in _read_template(page):
            found.add(sentence, None, [(str(page.relative_to(ROOT)), 0)], auto_comments=comments, context=context)


def _read_template(page: Path) -> Iterator[tuple[int, str | tuple[str, ...], list[str], str | None]]:
    from babel.messages.extract import extract as extract_from_file

    with page.open("rb") as file:
        yield from extract_from_file("jinja2", file, KEYWORDS, (), {"trimmed": "true", "silent": "false"})


def path_of(capability: str) -> Path:
    return CATALOGUES / capability / "vi" / "LC_MESSAGES" / "messages.po"


def read(capability: str) -> Catalog:
    path = path_of(capability)
    catalog = Catalog(locale="vi")
    if path.exists():
        with path.open("rb") as file:
            catalog = read_po(file, locale="vi")
    catalog.header_comment = f"# The Vietnamese sentences of app/{capability}."
    catalog.fuzzy = False
    return catalog


def render(catalog: Catalog) -> bytes:
    """Return the catalogue as text without a date, a line number or an old sentence: it changes only when words do."""
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=120, no_location=True, omit_header=False, sort_output=True, ignore_obsolete=True)
    lines = buffer.getvalue().decode().splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(DROPPED)).encode()


def update(names: list[str]) -> None:
    for capability in names:
        catalog, wanted = read(capability), extract(capability)
        if not len(wanted) and not path_of(capability).exists():
            continue
        catalog.update(wanted, no_fuzzy_matching=True)
        path_of(capability).parent.mkdir(parents=True, exist_ok=True)
        path_of(capability).write_bytes(render(catalog))
        missing = sum(1 for message in catalog if message.id and not is_translated(message))
        print(f"{capability}: {len(catalog)} sentences, {missing} to translate")


def is_translated(message: Message) -> bool:
    strings = message.string if isinstance(message.string, list | tuple) else (message.string,)
    # Vietnamese has one plural form; Babel still keeps a tuple for it.
    return bool(strings) and bool(strings[0]) and not message.fuzzy


def check(names: list[str]) -> list[str]:
    """Return one line for each sentence that is missing, fuzzy, broken or no longer used."""
    problems: list[str] = []
    for capability in names:
        catalog, wanted = read(capability), extract(capability)
        for message in wanted:
            if not message.id:
                continue
            have = catalog.get(message.id, message.context)
            if have is None or not is_translated(have):
                problems.append(f"{capability}: not translated: {message.id!r}")
            else:
                problems.extend(f"{capability}: {error}: {message.id!r}" for error in have.check(catalog))
        problems.extend(
            f"{capability}: no longer used: {message.id!r}"
            for message in catalog
            if message.id and wanted.get(message.id, message.context) is None
        )
    return problems


def compile_all(names: list[str]) -> None:
    for capability in names:
        path = path_of(capability)
        if path.exists():
            with path.with_suffix(".mo").open("wb") as file:
                write_mo(file, read(capability))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("act", choices=("update", "check", "compile"))
    parser.add_argument("capability", nargs="*")
    chosen = parser.parse_args()
    names = chosen.capability or capabilities()
    if chosen.act == "update":
        update(names)
    elif chosen.act == "compile":
        compile_all(names)
    else:
        problems = check(names)
        print("\n".join(problems) or "Every sentence is translated.")
        return 1 if problems else 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
