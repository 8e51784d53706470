"""The answer of a check as people read it: changed pages side by side, the standard below, and reports to keep."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.app.verification.test_check import foreign_pdf
from tests.browser.keyboard import press_here
from tests.browser.looking import Watched
from tests.browser.test_certificate_signature_check import check, get_certificate, judge, sign, upload
from tests.factories.attacks import with_annotation
from tests.factories.documents import plain_pdf

Enter = Callable[..., Watched]
# A folder for pictures to look at; none are taken without it.
PICTURES = os.environ.get("KYVAO_PICTURES")


def test_a_changed_file_is_shown_beside_the_signed_one_and_its_report_can_be_kept(
    person: Enter, tmp_path: Path
) -> None:
    paper = tmp_path / "paper.pdf"
    paper.write_bytes(plain_pdf())
    minh = get_certificate(person, "minh", "Trần Văn Minh")
    signed = sign(minh.page, upload(minh, "Tờ trình số 2", paper), left=20, to=tmp_path / "signed.pdf")
    changed = tmp_path / "changed.pdf"
    changed.write_bytes(with_annotation(signed.read_bytes()))
    strange = tmp_path / "strange.pdf"
    strange.write_bytes(foreign_pdf())
    for width in (390, 1280):
        anyone = person(width=width)
        assert check(anyone, signed) == "Hợp lệ"
        expect(anyone.page.locator("main img")).to_have_count(0)
        look(anyone.page, f"valid-{width}")
        assert check(anyone, changed) == "Không hợp lệ"
        expect(anyone.page.get_by_role("img", name=re.compile("^Trang 1 "))).to_have_count(2)
        open_by_keyboard(anyone.page)
        look(anyone.page, f"changed-{width}")
        anyone.expect_well_made()
        keep(anyone.page, tmp_path)
        assert check(anyone, strange) == "Chưa đủ căn cứ"
        expect(anyone.page.get_by_text("số điện thoại của cơ quan họ")).to_be_visible()
        look(anyone.page, f"strange-{width}")
        report = sealed_report(anyone, tmp_path)
        assert "Signature is Valid" in judge(report)
        assert check(anyone, report) == "Hợp lệ"
        look(anyone.page, f"report-checked-{width}")


def open_by_keyboard(page: Page) -> None:
    """Open what the standard says as somebody without a mouse does."""
    press_here(page, "Dành cho người có chuyên môn")
    expect(page.get_by_text("TOTAL-FAILED")).to_be_visible()


def keep(page: Page, folder: Path) -> None:
    """Save the reports for programs."""
    for name, ending in (("Báo cáo dạng JSON", "json"), ("Báo cáo dạng XML", "xml")):
        path = save(page, name, folder)
        assert path.suffix == f".{ending}"
        assert path.stat().st_size > 300
        if ending == "json":
            assert json.loads(path.read_text())["verdict"] == "not_valid"


def save(page: Page, name: str, folder: Path) -> Path:
    with page.expect_download() as download:
        page.locator("a, button").filter(has_text=name).press("Enter")
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def sealed_report(anyone: Watched, folder: Path) -> Path:
    """Ask for the report under the city's seal by the keyboard, wait for it, and save it."""
    page = anyone.page
    # The page still holds the file: nobody is asked for it twice.
    expect(page.get_by_label("Chính tệp PDF đó")).to_be_hidden()
    press_here(page, "Lập báo cáo có dấu của thành phố")
    expect(page.get_by_role("heading", name="Báo cáo đã xong")).to_be_visible(timeout=60_000)
    anyone.expect_well_made()
    look(page, f"report-ready-{page.viewport_size['width'] if page.viewport_size else 0}")
    return save(page, "Lưu báo cáo (PDF)", folder)


def look(page: Page, name: str) -> None:
    if PICTURES is not None:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)
