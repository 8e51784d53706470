"""The public page of a document's code on a phone: checked there, compared when asked, and read without a network."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, expect
from werkzeug.serving import make_server

from app.claims import tasks
from app.core.settings import Settings
from pki.document_claim import DocumentClass
from tests.browser.looking import Watched
from tests.factories.certificates import create_city
from tests.factories.issued_claims import IssuedDocument, issue


@pytest.fixture
def town(settings: Settings, database: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("KYVAO_DATA", str(settings.data_dir))
    monkeypatch.setenv("KYVAO_DATABASE_URL", database)
    create_city(settings)
    return settings


@pytest.fixture
def address(web: Flask, town: Settings) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, web, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


@pytest.fixture
def public_document(town: Settings) -> IssuedDocument:
    made = issue(town, document_class=DocumentClass.PUBLIC)
    tasks.publish_keys.func(0)
    return made


@pytest.fixture
def phone(browser: Browser, address: str) -> Iterator[Watched]:
    context = browser.new_context(base_url=address, viewport={"width": 390, "height": 844}, locale="vi-VN")
    one = Watched(context.new_page())
    yield one
    one.expect_no_errors()
    context.close()


def test_a_scanned_code_is_checked_on_the_phone_and_compared_when_asked(
    phone: Watched, public_document: IssuedDocument, tmp_path: Path
) -> None:
    asked: list[str] = []
    phone.page.on("request", lambda request: asked.append(f"{request.url} {request.post_data or ''}"))
    phone.page.goto(f"/D#{public_document.code}")
    answer = phone.page.locator("#code-answer")
    expect(answer).to_contain_text("Mã thật")
    expect(phone.page.locator("#code-keys")).to_have_text(re.compile(r"\d\d/\d\d/20\d\d \d\d:\d\d\.$"))
    expect(phone.page.get_by_label("Hoặc dán mã vào đây")).to_be_hidden()
    expect(answer).to_contain_text("Sở Khoa học và Công nghệ đã ký mã này: số 123/QĐ-SKHCN")
    phone.expect_well_made()
    assert not any(public_document.code in one for one in asked)

    signed, other = tmp_path / "signed.pdf", tmp_path / "other.pdf"
    signed.write_bytes(public_document.signed)
    other.write_bytes(public_document.signed[:-1] + b"?")
    phone.page.set_input_files("#code-file-field", signed)
    expect(phone.page.locator("#code-file-answer")).to_contain_text("Có phần đầu là văn bản đã ký")
    phone.page.set_input_files("#code-file-field", other)
    expect(phone.page.locator("#code-file-answer")).to_contain_text("Tệp khác")

    phone.page.get_by_role("button", name="So với bản gốc đã ban hành").press("Enter")
    expect(phone.page.locator("#code-original-answer")).to_contain_text("Còn hiệu lực")
    expect(phone.page.locator("#code-original-facts")).to_contain_text("Trần Văn Minh")
    with phone.page.expect_download() as download:
        phone.page.get_by_role("link", name="Tải văn bản đã ban hành").click()
    assert Path(download.value.path()).read_bytes() == public_document.issued
    phone.page.set_input_files("#code-file-field", str(download.value.path()))
    expect(phone.page.locator("#code-file-answer")).to_contain_text("Đúng tệp đã ban hành")
    phone.expect_well_made()


def test_a_forged_code_is_called_forged(phone: Watched, public_document: IssuedDocument) -> None:
    # The last digits are of the signature's end.
    forged = public_document.code[:-1] + str((int(public_document.code[-1]) + 1) % 10)
    phone.page.goto("/D")
    expect(phone.page.get_by_role("button", name="Kiểm tra mã khác")).to_be_hidden()
    phone.page.get_by_label("Hoặc dán mã vào đây").fill(f"HTTPS://KYVAO.VN/D#{forged}")
    phone.page.get_by_role("button", name="Kiểm tra", exact=True).click()
    expect(phone.page.locator("#code-answer")).to_contain_text("Mã giả")
    phone.expect_well_made()


def test_the_page_opens_and_checks_without_a_network(phone: Watched, public_document: IssuedDocument) -> None:
    phone.page.goto("/D")
    kept = """async () => {
        await navigator.serviceWorker.ready;
        const paths = async () => (await (await caches.open('kyvao-document-code')).keys()).map((one) => one.url);
        for (;;) {
            const found = await paths();
            if (found.some((url) => url.endsWith('/D/keys')) && found.length > 6) return found.length;
            await new Promise((done) => setTimeout(done, 50));
        }
    }"""
    assert phone.page.evaluate(kept) > 6
    phone.loses_network = True
    phone.page.context.set_offline(True)
    phone.page.goto(f"/D#{public_document.code}")
    phone.page.reload()
    expect(phone.page.locator("#code-answer")).to_contain_text("Mã thật")
    phone.page.get_by_role("button", name="So với bản gốc đã ban hành").click()
    expect(phone.page.locator("#code-original-answer")).to_contain_text("Không có mạng")
