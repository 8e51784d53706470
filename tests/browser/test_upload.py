"""Bringing a paper: its way is shown and may be stopped, a bad file is refused in the page, a dropped one is taken."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.looking import Watched
from tests.factories.documents import plain_pdf

DROP = """
async ([name, content]) => {
  const held = new DataTransfer();
  held.items.add(new File([Uint8Array.from(atob(content), (c) => c.charCodeAt(0))], name, {type: "application/pdf"}));
  document.querySelector(".kv-drop").dispatchEvent(new DragEvent("drop", {dataTransfer: held, bubbles: true}));
}
"""


def slow_down(page: Page, octets_a_second: int) -> None:
    page.context.new_cdp_session(page).send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": octets_a_second},
    )


def test_a_paper_on_its_way_is_shown_stopped_refused_and_taken(person: Callable[..., Watched], tmp_path: Path) -> None:
    one = person("minh", width=390)
    one.expected_statuses.add(422)
    page = one.page
    page.goto("/documents/new")
    scan = tmp_path / "Bản_quét lớn.pdf"
    scan.write_bytes(plain_pdf() + b"%" * 20_000_000)
    page.get_by_label("Tệp PDF").set_input_files(scan)
    expect(page.get_by_label("Tên văn bản")).to_have_value("Bản quét lớn")
    slow_down(page, 4_000_000)
    page.get_by_role("button", name="Tải lên").click()
    expect(page.get_by_text("Đã gửi 10 phần trăm.")).to_be_visible(timeout=15_000)
    one.expect_well_made()
    page.get_by_role("button", name="Dừng").click()
    expect(page.get_by_text("Đã dừng. Chưa lưu gì cả.")).to_be_visible()
    slow_down(page, -1)

    wrong = tmp_path / "tranh.pdf"
    wrong.write_bytes(b"not a paper")
    page.get_by_label("Tệp PDF").set_input_files(wrong)
    page.get_by_role("button", name="Tải lên").click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Tên văn bản")).to_have_value("Bản quét lớn")
    one.expect_well_made()

    page.evaluate(DROP, ["kế hoạch.pdf", base64.b64encode(plain_pdf()).decode()])
    page.get_by_label("Tên văn bản").fill("Kế hoạch thả vào trang")
    page.get_by_role("button", name="Tải lên").click()
    expect(page.get_by_role("heading", level=1, name="Kế hoạch thả vào trang")).to_be_visible()
    expect(page.get_by_text("Đã lưu văn bản").first).to_be_visible()
    page.goto("/documents")
    expect(page.get_by_role("link", name="Bản quét lớn")).to_have_count(0)
    one.expect_no_errors()
