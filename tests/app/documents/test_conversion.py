"""Text documents become PDF: the words arrive, and what is hostile or too large is refused in a sentence."""

from __future__ import annotations

import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

from app.core.errors import Invalid
from app.documents import conversion
from tests.factories.office import docx, odt

needs_office = pytest.mark.skipif(not conversion.is_available(), reason="LibreOffice is not installed here")
TEXT = "Quyết định số 12/QĐ-SNV: ếỗựữ – Trần Thị Bích"


def convert(folder: Path, content: bytes, name: str) -> tuple[str, list[str]]:
    """Return the words of the PDF, as poppler reads them, and the notices."""
    source = folder / "upload"
    source.write_bytes(content)
    made, notices = conversion.to_pdf(source, name=name)
    with made:
        (folder / "made.pdf").write_bytes(made.read())
    said = subprocess.run(["pdftotext", str(folder / "made.pdf"), "-"], capture_output=True, text=True, check=True)
    return said.stdout, list(notices)


@pytest.fixture(autouse=True)
def own_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files that no other test looks into."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@needs_office
@pytest.mark.parametrize(("content", "name"), [(docx(TEXT), "Quyết định.DOCX"), (odt(TEXT), "a.odt")])
def test_the_words_of_a_document_arrive_and_nothing_is_left_behind(
    tmp_path: Path, own_tmp: Path, content: bytes, name: str
) -> None:
    text, notices = convert(tmp_path, content, name)
    assert TEXT in " ".join(text.split())
    assert notices == [conversion.CONVERTED]
    assert list(own_tmp.iterdir()) == []


@needs_office
def test_a_font_that_is_not_here_and_a_picture_from_elsewhere_are_told(tmp_path: Path) -> None:
    elsewhere = (
        b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r9"'
        b' Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/image"'
        b' Target="http://127.0.0.1:9/a.png" TargetMode="External"/></Relationships>'
    )
    content = docx(TEXT, font="Chu Nom Khong Co", more={"word/_rels/document.xml.rels": elsewhere})
    _, notices = convert(tmp_path, content, "a.docx")
    assert notices == [conversion.CONVERTED, conversion.LINKS_LEFT_OUT, conversion.FONTS_REPLACED]


@needs_office
def test_a_picture_that_lies_elsewhere_is_not_fetched(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.setblocking(False)
        _, notices = convert(tmp_path, odt(TEXT, picture=f"http://127.0.0.1:{elsewhere.getsockname()[1]}/a"), "a.odt")
        with pytest.raises(BlockingIOError):
            elsewhere.accept()
    assert conversion.LINKS_LEFT_OUT in notices


@needs_office
def test_a_document_that_takes_too_long_is_refused_and_its_processes_end(
    tmp_path: Path, own_tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversion, "_WALL_SECONDS", 0.05)
    with pytest.raises(Invalid, match="too large or too complicated"):
        convert(tmp_path, docx(TEXT), "a.docx")
    assert list(own_tmp.iterdir()) == []


@needs_office
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "no DOCX or ODT"),
        (b"PK\x03\x04 cut off", "no DOCX or ODT"),
        # What Word writes when a password is set is no ZIP archive.
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(2000), "no DOCX or ODT"),
        (odt(TEXT), "no DOCX or ODT"),
        (docx(TEXT, more={"word/vbaProject.bin": b"macro"}), "macros"),
        (docx(TEXT, more={f"word/{n}.xml": b"" for n in range(5_001)}), "too large"),
        (docx(TEXT, more={f"word/media/{n}": bytes(70 * 1024**2) for n in range(9)}), "too large"),
        (docx(TEXT).replace(b"<w:t>", b"<w:t>") + b"tail" * 70_000, "no DOCX or ODT"),
    ],
    ids=["empty", "cut off", "password", "another kind", "macros", "many parts", "bomb", "tail"],
)
def test_what_is_no_document_or_hostile_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence):
        convert(tmp_path, content, "a.docx")


def test_without_libreoffice_the_answer_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not conversion.is_available()
    with pytest.raises(Invalid, match="cannot turn") as refused:
        convert(tmp_path, docx(TEXT), "a.docx")
    assert "PDF" in str(refused.value.next_step)
