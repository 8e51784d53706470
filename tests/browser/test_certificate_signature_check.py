"""Journeys 1, 2, 3 and 6: a certificate, two signatures, the check by anyone, and a revocation that is obeyed."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.looking import Watched
from tests.browser.running import City
from tests.browser.waiting import wait_until

Enter = Callable[..., Watched]


@pytest.fixture
def paper(browser: Browser, tmp_path: Path) -> Path:
    """Two pages with Vietnamese text, printed to PDF as people do it."""
    path = tmp_path / "to-trinh.pdf"
    page = browser.new_page()
    page.set_content(
        "<h1>Tờ trình về chuyển đổi số</h1><p>Kính gửi Ủy ban nhân dân Thành phố Sông Biếc.</p>"
        "<h1 style='break-before: page'>Phụ lục</h1><p>Danh sách đơn vị thực hiện.</p>"
    )
    page.pdf(path=path, format="A4")
    page.close()
    return path


def ask_for_certificate(one: Watched) -> None:
    one.page.goto("/certificates/new")
    one.expect_well_made()
    one.page.get_by_role("button", name="Tạo khoá và gửi yêu cầu").click()
    expect(one.page.get_by_role("heading", level=1)).to_have_text("Yêu cầu cấp chứng thư số của bạn")


def approve(enter: Enter, name: str) -> None:
    officer = enter("dung")
    officer.page.goto("/certificates/requests")
    officer.expect_well_made()
    officer.page.get_by_role("link", name=name).first.click()
    officer.expect_well_made()
    officer.page.get_by_role("button", name="Duyệt").click()
    expect(officer.page.get_by_role("heading", level=1)).to_be_visible()


def get_certificate(enter: Enter, login: str, name: str) -> Watched:
    """Let a person ask and an officer approve; the person's page then shows the certificate by itself."""
    one = enter(login)
    ask_for_certificate(one)
    approve(enter, name)
    expect(one.page.get_by_text("Chứng thư số của bạn đã sẵn sàng")).to_be_visible(timeout=30_000)
    one.expect_well_made()
    return one


def upload(one: Watched, title: str, path: Path) -> str:
    """Upload a paper and return the address of its page."""
    one.page.goto("/documents/new")
    one.page.get_by_label("Tên văn bản").fill(title)
    one.page.get_by_label("Tệp PDF").set_input_files(path)
    one.expect_well_made()
    one.page.get_by_role("button", name="Tải lên").click()
    expect(one.page.get_by_role("heading", level=1)).to_have_text(title)
    return one.page.url


def sign(page: Page, address: str, *, left: int, to: Path) -> Path:
    """Sign by keyboard: page, corner and millimetres; return the downloaded file."""
    page.goto(f"{address}/sign")
    expect(page.locator("#sign-page-of")).to_have_text(re.compile(r"\d"))
    page.locator("#sign-page").fill("1")
    page.locator("#sign-corner").select_option("bottom_left")
    page.locator("#sign-x").fill(str(left))
    page.locator("#sign-y").fill("30")
    page.get_by_role("button", name="Tiếp tục").click()
    page.get_by_role("button", name="Ký số", exact=True).click()
    expect(page.get_by_role("heading", name="Bạn đã ký văn bản")).to_be_visible(timeout=30_000)
    with page.expect_download() as download:
        page.get_by_role("button", name="Tải tệp đã ký").click()
    download.value.save_as(to)
    return to


def judge(path: Path) -> str:
    return subprocess.run(["pdfsig", "-nocert", str(path)], capture_output=True, text=True, check=False).stdout


def check(one: Watched, path: Path) -> str:
    """Drop a file on the public page and return its one sentence."""
    one.page.goto("/verify")
    one.page.locator("input[type=file]").set_input_files(path)
    one.page.get_by_role("button", name="Kiểm tra", exact=True).click()
    expect(one.page.locator(".kv-verdict__title")).to_be_visible(timeout=30_000)
    one.expect_well_made()
    return one.page.locator(".kv-verdict__title").inner_text()


def test_a_paper_is_signed_twice_checked_by_anyone_and_outlives_a_revocation(
    city: City, person: Enter, paper: Path, tmp_path: Path
) -> None:
    minh = get_certificate(person, "minh", "Trần Văn Minh")
    address = upload(minh, "Tờ trình số 1", paper)
    once = sign(minh.page, address, left=20, to=tmp_path / "once.pdf")
    minh.expect_well_made()
    verdict = judge(once)
    assert "Signature is Valid" in verdict
    assert "Total document signed" in verdict

    minh.page.goto(f"{address}/ask?q=hanh")
    minh.page.get_by_label(re.compile("Hạnh")).check()
    minh.page.get_by_role("button", name="Trình ký").last.click()
    hanh = get_certificate(person, "hanh", "Lê Thị Mỹ Hạnh")
    hanh.page.goto("/")
    expect(hanh.page.get_by_role("link", name=re.compile("ký"))).not_to_have_count(0)
    twice = sign(hanh.page, address, left=110, to=tmp_path / "twice.pdf")
    assert judge(twice).count("Signature is Valid") == 2

    anyone = person(width=390)
    assert check(anyone, twice) == "Hợp lệ"
    expect(anyone.page.get_by_role("heading", name=re.compile("Lê Thị Mỹ Hạnh"))).to_be_visible()
    assert check(anyone, paper) == "Không có chữ ký"
    flipped = bytearray(once.read_bytes())
    flipped[200] ^= 1
    for name, content in (("flipped", bytes(flipped)), ("appended", once.read_bytes() + b"\n% more\n")):
        changed = tmp_path / f"{name}.pdf"
        changed.write_bytes(content)
        assert check(anyone, changed) == "Không hợp lệ"

    oanh = person("oanh")
    revoke_all(oanh, "tran van minh", "Trần Văn Minh")
    wait_until(lambda: crl_names_a_revoked(city, tmp_path), "the list with the revoked certificate")
    # Signed with a timestamp before: still good, and the page says since when the certificate is not.
    assert check(anyone, once) == "Hợp lệ"
    expect(anyone.page.locator("main")).to_contain_text("thu hồi")
    minh.page.goto(f"{address}/sign")
    expect(minh.page.get_by_text("Bạn chưa có chứng thư số còn hiệu lực")).to_be_visible()


def revoke_all(one: Watched, search: str, name: str) -> None:
    """Revoke what a person holds: other walks in the same city may have given them more than one."""
    page = one.page
    page.goto("/certificates/register")
    page.get_by_label("Họ tên, số hoặc mã định danh").fill(search)
    page.get_by_role("button", name="Tìm").click()
    page.wait_for_url("**/register?q=*")
    one.expect_well_made()
    expect(page.get_by_role("link", name=name)).not_to_have_count(0)
    while True:
        # Citizens of the city have names that begin so, too.
        page.goto(f"/certificates/register?q={search}&state=in_force&use=official_signing")
        if page.get_by_role("link", name=name, exact=True).count() == 0:
            return
        page.get_by_role("link", name=name, exact=True).first.click()
        revoke(one, name)


def revoke(one: Watched, name: str) -> None:
    page = one.page
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    one.expect_well_made()
    page.get_by_role("button", name="Thu hồi…").click()
    one.expect_well_made()
    page.get_by_role("radio").first.check()
    page.get_by_label("Gõ tên ghi trên chứng thư số").fill(name)
    page.get_by_role("button", name="Thu hồi hẳn").click()
    expect(page.get_by_text("Đã thu hồi").first).to_be_visible()


def crl_names_a_revoked(city: City, folder: Path) -> bool:
    """Let OpenSSL read all lists of the officials' authority, as anyone would fetch them."""
    texts = []
    for shard in range(16):
        path = folder / f"{shard}.crl"
        fetched = subprocess.run(
            ["curl", "-sf", "-o", str(path), f"{city.status}/crl/issuing_officials/{shard}.crl"], check=False
        )
        assert fetched.returncode == 0
        command = ["openssl", "crl", "-inform", "DER", "-in", str(path), "-noout", "-text"]
        texts.append(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return any("Serial Number" in text for text in texts)


def test_a_file_that_cannot_be_signed_is_refused_with_what_to_do(person: Enter, tmp_path: Path, paper: Path) -> None:
    minh = person("minh")
    minh.expected_statuses |= {413, 422}
    locked = tmp_path / "locked.pdf"
    with pikepdf.open(paper) as opened:
        opened.save(locked, encryption=pikepdf.Encryption(owner="a", user="b"))
    text = tmp_path / "text.pdf"
    text.write_bytes(b"Xin chao")
    for path, words in ((locked, "mật khẩu"), (text, "không phải là PDF")):
        minh.page.goto("/documents/new")
        minh.page.get_by_label("Tên văn bản").fill("Không ký được")
        minh.page.get_by_label("Tệp PDF").set_input_files(path)
        minh.page.get_by_role("button", name="Tải lên").click()
        expect(minh.page.locator(".govuk-error-summary")).to_contain_text(words)
        minh.expect_well_made()


def test_a_lost_key_is_explained_and_replaced_by_a_new_certificate(person: Enter) -> None:
    lan = get_certificate(person, "lan", "Nguyễn Thị Lan")
    # Another browser of the same person: it has no key.
    elsewhere = person("lan", width=390)
    elsewhere.page.goto("/certificates")
    elsewhere.expect_well_made()
    ask_for_certificate(elsewhere)
    approve(person, "Nguyễn Thị Lan")
    expect(elsewhere.page.get_by_text("Chứng thư số của bạn đã sẵn sàng")).to_be_visible(timeout=30_000)
    lan.page.goto("/certificates")
    expect(lan.page.get_by_text("Đã thu hồi").first).to_be_visible()
