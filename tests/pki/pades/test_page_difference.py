"""Two revisions held side by side: what changed on a page, where, and whether something explains it."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
from PIL import Image
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from pki.errors import PdfRefused
from pki.pades import page_check, poppler
from pki.pades.faults import PdfFault
from pki.pades.page_check import with_pages_compared
from pki.pades.page_difference import LONGER_SIDE, compare
from pki.pades.page_print import prints_of
from pki.pades.report import PageDifference, Reason, Report, Verdict
from tests.factories import pdfs, proofs
from tests.pki.pades.test_fields import issued
from tests.pki.pades.test_verify import check

MANY = 20
TEXT = "Quyet dinh so 12"


def differences(one: bytes, other: bytes, *, most_pages: int = MANY, **details: object) -> tuple[PageDifference, ...]:
    return compare(BytesIO(one), BytesIO(other), most_pages=most_pages, **details)


def with_page(pdf: bytes, number: int, text: str = "Quyet dinh so 99") -> bytes:
    """Return the PDF of `plain` with another text on one page."""
    with pikepdf.open(BytesIO(pdf)) as opened:
        page = opened.pages[number - 1]
        page.obj.Contents = opened.make_stream(f"BT /F1 14 Tf 80 740 Td ({text}) Tj ET".encode())
        return pdfs.saved(opened)


def judged(pdf: bytes) -> Report:
    return with_pages_compared(check(pdf), pdf)


def test_the_same_pages_do_not_differ() -> None:
    assert differences(pdfs.plain(pages=3), pdfs.plain(pages=3)) == ()


def test_a_changed_number_is_found_where_it_stands() -> None:
    (one,) = differences(pdfs.plain(pages=2), with_page(pdfs.plain(pages=2), 2))
    ((x0, y0, x1, y1),) = one.boxes
    assert one.page == 2
    assert 165 < x0 < x1 < 190
    assert 735 < y0 < y1 < 755
    assert one.unexplained == one.boxes


def test_what_changed_is_outlined_in_red_and_what_was_foreseen_in_blue() -> None:
    before, after = pdfs.plain(pages=1), with_page(pdfs.plain(pages=1), 1)
    (bare,) = differences(before, after)
    (open_question,) = differences(before, after, with_pictures=True)
    (explained,) = differences(before, after, with_pictures=True, foreseen={1: bare.boxes})
    for found, colour in ((open_question, (166, 27, 27)), (explained, (29, 78, 137))):
        for png in (found.signed_png, found.received_png):
            assert png is not None
            with Image.open(BytesIO(png)) as picture:
                colours = {one[1] for one in picture.convert("RGB").getcolors(1 << 20) or ()}
            assert any(max(abs(a - b) for a, b in zip(one, colour, strict=True)) < 24 for one in colours), colours


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_areas_are_told_in_the_space_of_the_page_however_it_is_turned(rotation: int) -> None:
    turned = pdfs.plain(rotation=rotation, box=(10, 20, 605, 862))
    (one,) = differences(turned, with_page(turned, 1))
    ((x0, y0, x1, y1),) = one.boxes
    assert 165 < x0 < x1 < 190
    assert 735 < y0 < y1 < 755


def test_a_change_where_one_was_foreseen_is_told_and_explained() -> None:
    foreseen = {1: [(160.0, 730.0, 200.0, 760.0)]}
    (one,) = differences(pdfs.plain(), with_page(pdfs.plain(), 1), foreseen=foreseen)
    assert one.boxes
    assert one.unexplained == ()
    (other,) = differences(pdfs.plain(), with_page(pdfs.plain(), 1, "Ouyet dinh so 99"), foreseen=foreseen)
    assert len(other.boxes) == 2
    assert len(other.unexplained) == 1


def test_changes_far_apart_are_areas_of_their_own_and_very_many_are_one() -> None:
    content = b" ".join(b"%d %d 3 3 re f" % (x, y) for x in range(20, 560, 40) for y in range(20, 700, 40))
    with pikepdf.open(BytesIO(pdfs.plain())) as opened:
        opened.pages[0].obj.Contents = opened.make_stream(content)
        dotted = pdfs.saved(opened)
    (one,) = differences(pdfs.plain(" "), dotted)
    assert len(one.boxes) == 1
    assert one.boxes[0][2] - one.boxes[0][0] > 500


def test_a_page_that_came_or_went_differs_as_a_whole() -> None:
    for one, other in ((1, 2), (2, 1), (poppler.MOST_AT_ONCE, poppler.MOST_AT_ONCE + 1)):
        (found,) = differences(pdfs.plain(pages=one), pdfs.plain(pages=other))
        assert (found.page, found.unexplained) == (max(one, other), ((0.0, 0.0, 595.0, 842.0),))


def test_pictures_are_made_when_asked_for_and_only_of_what_changed() -> None:
    one, other = pdfs.plain(pages=2), with_page(pdfs.plain(), 1)
    changed, gone = differences(one, other, with_pictures=True)
    assert changed.signed_png is not None
    assert changed.received_png is not None
    with Image.open(BytesIO(changed.received_png)) as picture:
        assert max(picture.size) == LONGER_SIDE
    assert gone.received_png is None
    assert [differences(one, other)[0].signed_png, gone.signed_png is None] == [None, False]
    assert PageDifference.from_json(changed.to_json()) == changed
    assert PageDifference.from_json(gone.to_json()) == gone


def test_behind_the_first_pages_only_those_of_other_objects_are_drawn() -> None:
    long = pdfs.plain(pages=12)
    (one,) = differences(long, with_page(long, 9), most_pages=2)
    assert one.page == 9
    with pytest.raises(PdfRefused) as caught:
        differences(long, pdfs.plain("Another", pages=12), most_pages=2)
    assert caught.value.fault is PdfFault.TOO_MANY_PAGES


def test_a_file_that_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(PdfRefused) as caught:
        differences(pdfs.plain(), b"%PDF-1.7 nothing")
    assert caught.value.fault is PdfFault.DAMAGED


def test_a_page_print_tells_what_is_seen_and_not_what_is_not() -> None:
    before = prints_of(BytesIO(pdfs.with_text_field()))
    with pikepdf.open(BytesIO(pdfs.with_text_field())) as opened:
        (field,) = opened.Root.AcroForm.Fields
        field.V = "900"
        assert prints_of(BytesIO(pdfs.saved(opened))) == before
        field.AP.N.write(b"0 0 200 20 re f")
        assert prints_of(BytesIO(pdfs.saved(opened))) != before
    assert prints_of(BytesIO(pdfs.plain(rotation=90))) != prints_of(BytesIO(pdfs.plain()))


def test_a_page_that_is_its_own_parent_has_a_print() -> None:
    with pikepdf.open(BytesIO(pdfs.plain())) as opened:
        page = opened.pages[0].obj
        assert len(prints_of(BytesIO(pdfs.saved(opened)))) == 1
        page.Parent = page
        output = BytesIO()
        opened.save(output)
    assert len(prints_of(output)) == 1


def test_poppler_draws_every_page_or_gives_no_opinion(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = poppler.draw(BytesIO(pdfs.plain(pages=3)), 2, 3, LONGER_SIDE)
    assert pages is not None
    assert [max(one.size) for one in pages] == [LONGER_SIDE] * 2
    assert poppler.draw(BytesIO(pdfs.plain()), 1, 2, LONGER_SIDE) is None
    monkeypatch.setattr(poppler, "_PATIENCE_SECONDS", 0)
    assert poppler.draw(BytesIO(pdfs.plain()), 1, 1, LONGER_SIDE) is None
    monkeypatch.setenv("PATH", "/nowhere")
    assert poppler.draw(BytesIO(pdfs.plain()), 1, 1, LONGER_SIDE) is None
    (one,) = differences(pdfs.plain(), with_page(pdfs.plain(), 1))
    assert one.unexplained


def put_poppler(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Let another program stand where poppler's is looked for."""
    program = folder / "pdftoppm"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_what_only_the_second_program_sees_is_a_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = r'/usr/bin/grep -q -a 99 && printf "P5\n2 2\n255\nABCD" || printf "P5\n2 2\n255\nABAA"'
    put_poppler(tmp_path, monkeypatch, drawn)
    # A shade that nobody sees.
    assert differences(pdfs.plain(), pdfs.plain() + b"% 99\n") == ()
    drawn = r'/usr/bin/grep -q -a 99 && printf "P5\n2 2\n255\nABzz" || printf "P5\n2 2\n255\nABAA"'
    put_poppler(tmp_path, monkeypatch, drawn)
    assert differences(pdfs.plain(), pdfs.plain() + b"% 99\n")[0].unexplained


def test_a_file_that_the_second_program_cannot_draw_any_more_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_poppler(tmp_path, monkeypatch, r'/usr/bin/grep -q -a 99 || printf "P5\n2 2\n255\nABCD"')
    with pytest.raises(PdfRefused):
        differences(pdfs.plain(), pdfs.plain() + b"% 99\n")
    put_poppler(tmp_path, monkeypatch, r'printf "P5\n9 9\n255\nABCD"')
    assert differences(pdfs.plain(), pdfs.plain() + b"% 99\n") == ()


def test_marks_numbers_and_proofs_of_an_issued_document_are_explained() -> None:
    for pdf in (issued(), proofs.b_lta()):
        report = judged(pdf)
        assert report.verdict is Verdict.VALID
        assert not any(one.unexplained for one in report.page_differences)
    assert judged(issued()).page_differences[0].boxes


def test_nothing_is_compared_where_nothing_follows_a_signature() -> None:
    for pdf in (pdfs.signed(), pdfs.plain()):
        assert judged(pdf) == check(pdf)


def test_a_page_that_changed_though_no_rule_saw_it_is_not_enough_evidence() -> None:
    clean = pdfs.signed()
    changed = pdfs.with_other_text(clean)
    blind = with_pages_compared(Report(Verdict.VALID, Reason.OK, check(changed).signatures), changed)
    assert (blind.verdict, blind.reason) == (Verdict.INDETERMINATE, Reason.PAGES_DIFFER)
    assert judged(changed).reason is Reason.CHANGED_AFTER_SIGNING


def test_pages_that_cannot_be_compared_are_not_enough_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    long = pdfs.signed(pdfs.plain(pages=4))
    other = pdfs.signed(long, leaf=pdfs.signer("second"))
    monkeypatch.setattr(page_check, "MOST_PAGES", 1)
    assert judged(other).verdict is Verdict.VALID
    with pikepdf.open(BytesIO(long)) as opened:
        for page in opened.pages:
            page.obj.Rotate = 90
        turned = pdfs.saved(opened)
    pretended = Report(Verdict.VALID, Reason.OK, check(other).signatures)
    assert with_pages_compared(pretended, other[: len(long)] + turned).reason is Reason.PAGES_NOT_COMPARED


def test_of_many_revisions_the_oldest_and_the_newest_are_compared_and_few_pages_have_pictures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(page_check, "MOST_PICTURES", 2)
    paper = pdfs.plain(pages=3)
    for number in range(6):
        paper = pdfs.signed(paper, leaf=pdfs.signer(f"many {number}"))

    def turn_all(writer: IncrementalPdfFileWriter) -> None:
        for number in range(3):
            page = writer.root["/Pages"]["/Kids"][number]
            page["/Rotate"] = generic.NumberObject(90)
            writer.update_container(page)

    changed = pdfs.updated(paper, turn_all)
    report = with_pages_compared(check(changed), changed, with_pictures=True)
    assert len(report.page_differences) == 3
    assert sum(one.signed_png is not None for one in report.page_differences) == page_check.MOST_PICTURES
