"""DOCX and ODT become PDF through LibreOffice, where it is installed, in a limited process of its own.

What comes back is a stranger's file still, and goes through `intake` like any other.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from flask_babel import lazy_gettext as _l

from app.core.errors import AppError, Invalid
from app.core.logs import log
from app.documents import conversion_process
from app.documents.places import Places
from app.documents.sandbox_process import around

# What makes a package of each kind, beside being a ZIP archive.
_MARKS: Final = {".docx": "word/document.xml", ".odt": "content.xml"}
EXTENSIONS: Final = frozenset(_MARKS)

# Codes of notices, in words in app.documents.notices.
CONVERTED: Final = "converted"
LINKS_LEFT_OUT: Final = "links_left_out"
FONTS_REPLACED: Final = "fonts_replaced"

_WALL_SECONDS: Final = 90
_AT_ONCE: Final = 2
_MOST_PARTS: Final = 5_000
_MOST_UNPACKED: Final = 600 * 1024**2
# Of one part that is looked into here.
_MOST_READ: Final = 40 * 1024**2
_MACROS: Final = re.compile(r"(^|/)vbaProject\.bin$|^Basic/|^Scripts/", re.IGNORECASE)
# Pictures that lie elsewhere: there is no network to fetch them.
_LINKS: Final = (
    re.compile(rb'TargetMode="External"[^>]*image|image[^>]*TargetMode="External"'),
    re.compile(rb'draw:image[^>]*xlink:href="https?:'),
)
_FONTS: Final = re.compile(rb'(?:w:ascii|style:font-name|svg:font-family)="&?(?:apos;)?([A-Za-z][A-Za-z0-9 -]{1,40})')
_NAMED_IN: Final = ("word/document.xml", "word/styles.xml", "content.xml", "styles.xml")
_MOST_FONTS: Final = 20

_SAVE_AS_PDF: Final = _l("Save it as a PDF in your office program, then choose the PDF.")
_places = Places(_AT_ONCE)


def is_available() -> bool:
    """Say whether DOCX and ODT can be converted on this machine."""
    return shutil.which(conversion_process.PROGRAM) is not None


def to_pdf(source: Path, *, name: str) -> tuple[IO[bytes], Sequence[str]]:
    """Return the PDF as a file without a name, which the caller closes, and the codes of notices.

    `name` is what the person called the file. Raises Invalid with what to do, Unavailable when too many wait.
    """
    if not is_available():
        raise Invalid(_l("This server cannot turn text documents into PDF. Nothing was stored."), _SAVE_AS_PDF)
    extension = Path(name).suffix.lower()
    notices = [CONVERTED, *_looked_through(source, extension)]
    with _places.one(patience=_WALL_SECONDS), tempfile.TemporaryDirectory(prefix="kyvao-office-") as folder:
        made = _convert(source, extension, Path(folder))
        output = tempfile.TemporaryFile()  # noqa: SIM115  the caller closes it
        with made.open("rb") as opened:
            shutil.copyfileobj(opened, output)
    output.seek(0)
    return output, notices


def _looked_through(source: Path, extension: str) -> list[str]:
    """Refuse what is no such document, holds macros, or would unpack into too much; return what to tell of the rest."""
    mark = _MARKS.get(extension)
    try:
        with zipfile.ZipFile(source) as package:
            parts = package.infolist()
            names = {one.filename for one in parts}
            if mark is None or mark not in names:
                raise _no_document()
            if len(parts) > _MOST_PARTS or sum(one.file_size for one in parts) > _MOST_UNPACKED:
                raise _too_much()
            if any(_MACROS.search(one) for one in names):
                raise Invalid(
                    _l("The document contains macros. Nothing was stored."),
                    _l("Save it without macros, or as a PDF, then choose the new file."),
                )
            texts = [
                _read(package, one) for one in parts if one.filename in _NAMED_IN or one.filename.endswith(".rels")
            ]
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, EOFError) as error:
        raise _no_document() from error
    found = []
    if any(link.search(text) for link in _LINKS for text in texts):
        found.append(LINKS_LEFT_OUT)
    if _fonts_replaced({font.decode() for text in texts for font in _FONTS.findall(text)}):
        found.append(FONTS_REPLACED)
    return found


def _read(package: zipfile.ZipFile, part: zipfile.ZipInfo) -> bytes:
    with package.open(part) as opened:
        return opened.read(_MOST_READ)


def _fonts_replaced(wanted: set[str]) -> bool:
    """Say whether a font that the document names is not on this machine, so that another one stands in for it."""
    program = shutil.which("fc-match")
    if program is None:
        return False
    for font in sorted(wanted)[:_MOST_FONTS]:
        said = subprocess.run(  # noqa: S603  a fixed program; the name holds letters, digits, spaces and hyphens
            [program, "--format", "%{family}", font], capture_output=True, text=True, check=False, timeout=10
        )
        if font.strip().casefold() not in said.stdout.casefold():
            return True
    return False


def _convert(source: Path, extension: str, folder: Path) -> Path:
    given = folder / f"document{extension}"
    shutil.copyfile(source, given)
    shown = ("--bind", str(folder), str(folder)) if around() else ()
    command = [*around(), *shown, sys.executable, "-P", "-m", conversion_process.__name__, str(given), str(folder)]
    process = subprocess.Popen(  # noqa: S603  our own module, our own interpreter
        command,
        cwd=folder,
        env=conversion_process.environ(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        process.wait(_WALL_SECONDS)
    except subprocess.TimeoutExpired:
        log.warning("conversion_ended", why="time")
    finally:
        _end(process)
    made = folder / "out" / "document.pdf"
    if not made.is_file() or made.stat().st_size == 0:
        log.warning("conversion_failed", code=process.returncode)
        raise _too_much()
    return made


def _end(process: subprocess.Popen[bytes]) -> None:
    """End LibreOffice and all that it started; a group that is gone is no fault."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _no_document() -> AppError:
    return Invalid(
        _l("The file is no DOCX or ODT document, is damaged or protected with a password. Nothing was stored."),
        _SAVE_AS_PDF,
    )


def _too_much() -> AppError:
    return Invalid(
        _l("The document is too large or too complicated to be turned into a PDF. Nothing was stored."),
        _SAVE_AS_PDF,
    )
