"""`kyvao pdf verify` with several files, a folder, and reports for programs."""

from __future__ import annotations

import json
from shutil import copy
from xml.etree import ElementTree

import pytest

from tests.app.signing.test_pdf_commands import Desk, desk

__all__ = ["desk"]


def test_several_files_are_named_and_the_worst_decides(desk: Desk) -> None:
    desk.sign()
    good = desk.check("signed.pdf", desk.path("signed.pdf"))
    assert (good.exit_code, good.output.count("signed.pdf:")) == (0, 2)
    mixed = desk.check("signed.pdf", desk.path("paper.pdf"))
    assert mixed.exit_code == 1
    assert "paper.pdf:\nindeterminate: unsigned" in mixed.output
    unreadable = desk.check("signed.pdf", desk.path("key.pem"), desk.path("paper.pdf"))
    assert unreadable.exit_code == 2
    assert "key.pem: The file was refused" in unreadable.output


def test_a_folder_is_checked_with_every_pdf_below_it(desk: Desk) -> None:
    desk.sign()
    inner = desk.path("folder") / "year"
    inner.mkdir(parents=True)
    for name in ("a.pdf", "B.PDF"):
        copy(desk.path("signed.pdf"), inner / name)
    (inner / "notes.txt").write_text("no PDF")
    lines = [json.loads(line) for line in desk.check("folder", "--json").output.splitlines()]
    assert [(line["file"].rsplit("/", 1)[1], line["verdict"]) for line in lines] == [
        ("B.PDF", "valid"),
        ("a.pdf", "valid"),
    ]


def test_a_folder_without_pdfs_is_named(desk: Desk) -> None:
    desk.path("empty").mkdir()
    answer = desk.check("empty")
    assert answer.exit_code == 1
    assert "holds no PDF files" in answer.output


def test_a_file_that_cannot_be_read_has_its_line_of_json_too(desk: Desk) -> None:
    answer = desk.check("key.pem", "--json")
    assert answer.exit_code == 2
    assert "refused" in json.loads(answer.output)


def test_the_report_of_the_standard_is_printed_for_one_file(desk: Desk) -> None:
    desk.sign()
    answer = desk.check("signed.pdf", "--xml")
    assert answer.exit_code == 0
    assert ElementTree.fromstring(answer.output).tag == "{http://uri.etsi.org/19102/v1.2.1#}ValidationReport"


def test_an_unsigned_file_has_no_report_of_the_standard(desk: Desk) -> None:
    answer = desk.check("paper.pdf", "--xml")
    assert answer.exit_code == 1
    assert "<" not in answer.output


@pytest.mark.parametrize("more", [("--json",), ("paper.pdf",)])
def test_the_report_of_the_standard_stands_alone(desk: Desk, more: tuple[str, ...]) -> None:
    words = [desk.path(word) if word.endswith("pdf") else word for word in more]
    assert desk.check("paper.pdf", "--xml", *words).exit_code == 2
