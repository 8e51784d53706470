"""Ordinary PDFs as programs of others make them, and odd ones that the standard allows or every reader forgives.

Each producer is a program that may be missing: then its files are. Nothing here is hostile (`attacks` is).
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Final

import pikepdf

from app.documents import conversion
from tests.factories import pdfs
from tests.factories.office import docx, odt

_PAGE: Final = (
    "<!doctype html><meta charset=utf-8><title>Tờ trình</title><h1>Tờ trình</h1><p>Kính gửi: Ủy ban nhân dân.</p>"
    "<a href='https://example.org'>Liên kết</a><table border=1><tr><td>Một<td>Hai</table><input value='chữ'>"
)
_PATIENCE: Final = 60
_VERSIONS: Final = ("1.3", "1.4", "1.5", "1.6", "1.7", "2.0")
_QPDF: Final = {
    "object_streams": ("--object-streams=generate",),
    "no_object_streams": ("--object-streams=disable",),
    "linearised": ("--linearize",),
    "qdf": ("--qdf",),
    "plain_streams": ("--stream-data=uncompress",),
    "owner_password": ("--encrypt", "", "owner", "256", "--"),
    "owner_password_128": ("--encrypt", "", "owner", "128", "--use-aes=y", "--"),
    "rotated": ("--rotate=90:1",),
    **{f"version_{one}": (f"--force-version={one}",) for one in _VERSIONS},
}
_PLACES: Final = (Path("/usr/share"), Path(".venv"), Path("app/frontend/node_modules"))


def ordinary(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the name and content of what programs on this machine make, without a password to open it."""
    plain = folder / "plain.pdf"
    plain.write_bytes(pdfs.plain())
    starts = {"plain": plain, **_printed(folder), **_found()}
    for name, path in starts.items():
        yield name, path.read_bytes()
        yield from _again(folder, name, path)
    for name, act in {**ODD, **MENDABLE}.items():
        yield name, act()


def many_pages(number: int) -> bytes:
    """Return a file of so many empty pages."""
    with pikepdf.new() as pdf:
        for _ in range(number):
            pdf.add_blank_page(page_size=(595, 842))
        return pdfs.saved(pdf)


def _printed(folder: Path) -> dict[str, Path]:
    made = folder / "chromium.pdf"
    page = folder / "page.html"
    page.write_text(_PAGE, encoding="utf-8")
    done = _run(
        "chromium",
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={folder / 'browser'}",
        f"--print-to-pdf={made}",
        page.as_uri(),
    )
    return _written(folder) | ({"chromium": made} if done else {})


def _written(folder: Path) -> dict[str, Path]:
    """Return what LibreOffice makes of a DOCX and an ODT."""
    if not conversion.is_available():
        return {}
    made = {}
    for name, content in (("a.docx", docx("Kính gửi: Ủy ban nhân dân")), ("a.odt", odt("Trân trọng"))):
        source = folder / name
        source.write_bytes(content)
        output, _ = conversion.to_pdf(source, name=name)
        with output:
            made[f"libreoffice_{source.suffix[1:]}"] = path = source.with_suffix(f"{source.suffix}.pdf")
            path.write_bytes(output.read())
    return made


def _found() -> dict[str, Path]:
    return {f"package_{one.stem}": one for place in _PLACES if place.is_dir() for one in sorted(place.rglob("*.pdf"))}


def _again(folder: Path, name: str, path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the file written again by other programs."""
    made = folder / "again.pdf"
    programs = {f"qpdf_{kind}": ("qpdf", *words, str(path), str(made)) for kind, words in _QPDF.items()}
    programs["pdftocairo"] = ("pdftocairo", "-pdf", str(path), str(made))
    programs["pdfunite"] = ("pdfunite", str(path), str(path), str(made))
    programs["mutool_clean"] = ("mutool", "clean", "-gggg", "-z", str(path), str(made))
    programs["mutool_convert"] = ("mutool", "convert", "-o", str(made), str(path))
    programs["ghostscript"] = ("gs", "-q", "-dBATCH", "-dNOPAUSE", "-sDEVICE=pdfwrite", f"-o{made}", str(path))
    for program, words in programs.items():
        made.unlink(missing_ok=True)
        if _run(*words) and made.is_file():
            yield f"{name}_{program}", made.read_bytes()


def _run(*words: str) -> bool:
    """Say whether the program is here and did as it was told; qpdf's 3 is a warning."""
    if shutil.which(words[0]) is None:
        return False
    return subprocess.run(words, capture_output=True, check=False, timeout=_PATIENCE).returncode in (0, 3)


def _changed(act: Callable[[pikepdf.Pdf], object]) -> bytes:
    with pikepdf.open(BytesIO(pdfs.plain())) as pdf:
        act(pdf)
        return pdfs.saved(pdf)


def _mixed(pdf: pikepdf.Pdf) -> None:
    for number, size in enumerate(((842, 595), (1191, 842), (200, 300))):
        pdf.add_blank_page(page_size=size)
        pdf.pages[-1].obj.Rotate = number * 90


def _user_unit(pdf: pikepdf.Pdf) -> None:
    pdf.pages[0].obj.UserUnit = 2


def _inherited(pdf: pikepdf.Pdf) -> None:
    page = pdf.pages[0].obj
    for key in ("/Resources", "/MediaBox"):
        if key in page:
            pdf.Root.Pages[key] = page[key]
            del page[key]


def _asking_for_appearances(pdf: pikepdf.Pdf) -> None:
    pdf.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array(), NeedAppearances=True)


def _layered(pdf: pikepdf.Pdf) -> None:
    layer = pdf.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.OCG, Name="Lớp"))
    pdf.Root.OCProperties = pikepdf.Dictionary(OCGs=[layer], D=pikepdf.Dictionary(ON=[layer]))


def _wrong_offsets() -> bytes:
    return pdfs.plain().replace(b"startxref\n", b"startxref\n9")


def _wrong_length() -> bytes:
    with pikepdf.open(BytesIO(pdfs.plain())) as pdf:
        out = BytesIO()
        pdf.save(out, qdf=True, static_id=True)
    return out.getvalue().replace(b"/Length ", b"/Length 1", 1)


# Legal, though few programs write them.
ODD: Final[dict[str, Callable[[], bytes]]] = {
    "odd_trailing_bytes": lambda: pdfs.plain() + b"\0" * 700,
    "odd_mixed_sizes": lambda: _changed(_mixed),
    "odd_user_unit": lambda: _changed(_user_unit),
    "odd_inherited": lambda: _changed(_inherited),
    "odd_need_appearances": lambda: _changed(_asking_for_appearances),
    "odd_layers": lambda: _changed(_layered),
    "odd_many_pages": lambda: many_pages(2_000),
    "odd_wrong_length": _wrong_length,
}
# Not quite legal; every reader mends them.
MENDABLE: Final[dict[str, Callable[[], bytes]]] = {
    "odd_junk_before_header": lambda: b"junk of a mail program\r\n\r\n" + pdfs.plain(),
    "odd_wrong_offsets": _wrong_offsets,
    "odd_missing_eof": lambda: pdfs.plain().rsplit(b"startxref", 1)[0],
}
