"""The public check: each kind of file has its own honest answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.certificates import revocations, tasks
from app.certificates.models import Certificate
from app.core import db
from app.core.i18n import day, moment
from app.core.settings import Settings
from app.verification.words import NEXT_STEPS, REASONS
from pki.keys import SoftwareKey
from pki.pades.finish import finish
from pki.pades.prepare import prepare
from pki.pades.report import Reason
from pki.profiles import ProfileName
from pki.revocation import RevocationReason
from tests.app.signing.conftest import Signer
from tests.factories.certificates import actor
from tests.factories.documents import answer_of, encrypted_pdf, plain_pdf
from tests.factories.forms import csrf_token
from tests.factories.pki import MINH, certify


def check(client: FlaskClient, pdf: bytes) -> TestResponse:
    return client.post(
        "/verify",
        data={"csrf_token": csrf_token(client, "/verify"), "file": (BytesIO(pdf), "a.pdf")},
        content_type="multipart/form-data",
    )


def main_of(answer: TestResponse) -> str:
    text = answer.get_data(as_text=True)
    return text[text.index("<main") : text.index("</main>")]


def verdict_of(answer: TestResponse) -> str:
    page = main_of(answer)
    start = page.index("kv-verdict__title")
    return page[page.index(">", start) + 1 : page.index("<", start)]


def without_timestamp(certificate_der: bytes, key: SoftwareKey) -> bytes:
    """Return a paper signed with another program, which asked nobody for the time."""
    base = plain_pdf()
    prepared = prepare(BytesIO(base), certificate_der=certificate_der, now=datetime.now(UTC))
    return base + finish(
        prepared,
        signature_value=answer_of(key, prepared.signed_attributes_der),
        certificate_der=certificate_der,
        timestamp=None,
    )


def foreign_pdf() -> bytes:
    """Return a paper signed under another root, by somebody with the same name."""
    leaf = certify(ProfileName.OFFICIAL_SIGNING, MINH, under="foreign", now=datetime.now(UTC))
    return without_timestamp(leaf.certificate_der, leaf.key)


def revoke(certificate: Certificate, *, after: timedelta = timedelta()) -> None:
    """Revoke as an administrator does, and publish the lists as `worker` does."""
    now = datetime.now(UTC) + after
    with db.transaction() as session:
        revocations.revoke(session, actor("oanh"), certificate.id, reason=RevocationReason.KEY_COMPROMISE, now=now)
        authority = session.get_one(Certificate, certificate.id).authority.name
    tasks.publish_crl.func(authority, certificate.shard)


def test_a_signed_paper_is_valid_and_says_who_for_whom_and_how_the_time_is_known(
    client: FlaskClient, signed_pdf: bytes
) -> None:
    answer = check(client, signed_pdf)
    assert verdict_of(answer) == "Hợp lệ"
    page = main_of(answer)
    for fact in ("Trần Văn Minh", "Sở Khoa học và Công nghệ", "có dấu thời gian chứng minh", "chuyên dùng"):
        assert fact in page


def test_one_flipped_byte_makes_it_not_valid(client: FlaskClient, signed_pdf: bytes) -> None:
    changed = bytearray(signed_pdf)
    changed[signed_pdf.index(b"/MediaBox") + 12] ^= 1
    assert verdict_of(check(client, bytes(changed))) == "Không hợp lệ"


def test_bytes_behind_the_end_make_it_not_valid(client: FlaskClient, signed_pdf: bytes) -> None:
    answer = check(client, signed_pdf + b"\n% more\n")
    assert verdict_of(answer) == "Không hợp lệ"


def test_a_signature_timestamped_before_the_revocation_stays_valid_and_the_page_says_since_when(
    client: FlaskClient, signed_pdf: bytes, minh: Signer
) -> None:
    # Lists tell whole seconds: what was signed within the same one counts as signed after.
    revoke(minh.certificate, after=timedelta(seconds=1))
    answer = check(client, signed_pdf)
    assert verdict_of(answer) == "Hợp lệ"
    assert "bị thu hồi từ" in main_of(answer)
    assert "vẫn có giá trị" in main_of(answer)


def test_a_signature_without_a_timestamp_is_worth_nothing_once_the_certificate_is_revoked(
    client: FlaskClient, minh: Signer
) -> None:
    assert minh.certificate.der
    pdf = without_timestamp(minh.certificate.der, minh.key)
    before = check(client, pdf)
    assert verdict_of(before) == "Hợp lệ"
    assert "chỉ theo lời người ký" in main_of(before)
    revoke(minh.certificate)
    assert verdict_of(check(client, pdf)) != "Hợp lệ"


def test_a_signature_under_a_foreign_root_is_not_enough_evidence(client: FlaskClient, city: Settings) -> None:
    del city
    answer = check(client, foreign_pdf())
    assert verdict_of(answer) == "Chưa đủ căn cứ"
    assert "không biết" in main_of(answer)


def test_a_file_without_signatures_says_so(client: FlaskClient, city: Settings) -> None:
    del city
    answer = check(client, plain_pdf())
    assert verdict_of(answer) == "Không có chữ ký"


@pytest.mark.parametrize(
    ("pdf", "sentence"),
    [(b"hello", "không phải là PDF"), (encrypted_pdf(), "mật khẩu"), (b"", "Hãy chọn|không phải là PDF")],
    ids=["no pdf", "encrypted", "empty"],
)
def test_a_file_that_cannot_be_read_is_refused_in_its_own_words(
    client: FlaskClient, city: Settings, pdf: bytes, sentence: str
) -> None:
    del city
    answer = check(client, pdf)
    assert answer.status_code == 422
    assert any(part in main_of(answer) for part in sentence.split("|"))


def test_a_file_over_100_megabytes_is_refused(client: FlaskClient, city: Settings) -> None:
    del city
    answer = check(client, b"%PDF-1.7\n" + bytes(100 * 1024 * 1024))
    assert answer.status_code == 413
    assert "100 MB" in main_of(answer)


def test_nothing_that_was_checked_is_kept(client: FlaskClient, city: Settings) -> None:
    def stored() -> set[Path]:
        return {path for path in (city.data_dir / "objects").rglob("*") if path.is_file()}

    before = stored()
    check(client, plain_pdf())
    assert stored() == before


def test_the_eleventh_check_in_a_minute_is_refused(client: FlaskClient, city: Settings) -> None:
    del city
    # Without a file: the count comes first, and eleven are sent before the first place is free again.
    token = csrf_token(client, "/verify")
    answers = [client.post("/verify", data={"csrf_token": token}).status_code for _ in range(11)]
    assert answers == [422] * 10 + [429]


def test_the_page_needs_no_account(client: FlaskClient) -> None:
    assert client.get("/verify").status_code == 200


def test_every_reason_of_a_report_has_words() -> None:
    assert set(REASONS) == set(Reason)


def test_every_reason_but_a_good_one_says_what_to_do() -> None:
    assert set(NEXT_STEPS) == set(Reason) - {Reason.OK}


def test_the_page_says_until_when_a_paper_proves_itself(client: FlaskClient, signed_pdf: bytes, minh: Signer) -> None:
    assert "Tự tệp này chứng minh được điều đó đến" in main_of(check(client, signed_pdf))
    certificate = minh.certificate
    alone = main_of(check(client, without_timestamp(certificate.der or b"", minh.key)))
    assert f"sau {day(certificate.not_after)}, khi chứng thư số hết hạn" in alone
    assert f"từ {moment(certificate.not_before)} đến {moment(certificate.not_after)}" in alone


def test_a_paper_that_is_not_valid_says_what_to_do_and_nothing_of_how_long_it_holds(
    client: FlaskClient, signed_pdf: bytes
) -> None:
    page = main_of(check(client, signed_pdf + b"\n% more\n"))
    assert "hỏi người gửi" in page
    assert "chứng minh được" not in page
