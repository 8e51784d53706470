"""Text as pages: another program reads it back whole, in order, inside the margins, with its letters embedded."""

from __future__ import annotations

import subprocess
from pathlib import Path

from pki.pades.text_pages import Paragraph, render


def read_back(pdf: bytes, folder: Path) -> str:
    path = folder / "text.pdf"
    path.write_bytes(pdf)
    return subprocess.run(["pdftotext", "-layout", path, "-"], check=True, capture_output=True, text=True).stdout


def made(*paragraphs: Paragraph) -> bytes:
    return render(paragraphs, title="Báo cáo", language="vi")


def test_vietnamese_text_is_read_back_by_another_program(tmp_path: Path) -> None:
    text = "Người ký: Trần Văn Minh, Sở Khoa học và Công nghệ. Chữ ký số hợp lệ."
    found = read_back(made(Paragraph("Kết quả", bold=True, size=18), Paragraph(text)), tmp_path)
    assert [line.strip() for line in found.splitlines() if line.strip()] == ["Kết quả", text]


def test_all_fonts_are_embedded(tmp_path: Path) -> None:
    path = tmp_path / "text.pdf"
    path.write_bytes(made(Paragraph("Ký"), Paragraph("Vào", bold=True)))
    listed = subprocess.run(["pdffonts", path], check=True, capture_output=True, text=True).stdout.splitlines()[2:]
    assert len(listed) == 2
    assert all(" yes yes yes " in line for line in listed)


def test_long_text_goes_on_over_lines_and_pages_without_losing_a_word(tmp_path: Path) -> None:
    words = [f"từ{number}" for number in range(3000)]
    found = read_back(made(Paragraph(" ".join(words))), tmp_path)
    assert found.split() == words
    assert found.count("\f") > 2


def test_a_word_longer_than_a_line_is_cut(tmp_path: Path) -> None:
    found = read_back(made(Paragraph("SHA-256 " + "0123456789abcdef" * 20)), tmp_path)
    assert "".join(found.split()) == "SHA-256" + "0123456789abcdef" * 20
    assert len(found.strip().splitlines()) > 2
    # Also at the beginning, where no empty line stands before it.
    assert read_back(made(Paragraph("f" * 300)), tmp_path).splitlines()[0].strip().startswith("ff")


def test_what_the_font_lacks_is_a_question_mark(tmp_path: Path) -> None:
    assert read_back(made(Paragraph("a\U0001f600b\u0627")), tmp_path).strip() == "a?b?"


def test_text_in_pieces_is_composed_and_nothing_at_all_is_one_empty_page(tmp_path: Path) -> None:
    assert read_back(made(Paragraph("Tra\u0302\u0300n")), tmp_path).strip() == "Trần"
    assert read_back(made(), tmp_path).strip() == ""


def test_the_same_text_gives_the_same_bytes_that_qpdf_accepts(tmp_path: Path) -> None:
    path = tmp_path / "text.pdf"
    path.write_bytes(made(Paragraph("Ký Vào")))
    assert path.read_bytes() == made(Paragraph("Ký Vào"))
    subprocess.run(["qpdf", "--check", path], check=True, capture_output=True)
