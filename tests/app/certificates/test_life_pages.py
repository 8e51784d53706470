"""Pages of the life of a certificate: renewing, what was done in my name, lists, posts that were left."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from flask.testing import FlaskClient
from sqlalchemy import select, update

from app.approvals import service as approvals
from app.approvals.models import Act, ActState
from app.certificates import tasks
from app.certificates.life_models import Proposal
from app.certificates.models import Certificate
from app.core import db
from app.core.settings import Settings
from app.registry.models import Post
from pki import renewal
from pki.keys import Curve, SoftwareKey
from tests.app.certificates.test_pages import configuration, page, post
from tests.factories.certificates import actor, another_administrator, issued_to
from tests.factories.csrs import csr_der

SignIn = Callable[[str], FlaskClient]
OLD = SoftwareKey.generate(Curve.P256)


@pytest.fixture
def minhs(city: Settings) -> Certificate:
    return issued_to("minh", OLD)


def near_its_end(certificate: Certificate) -> None:
    with db.transaction() as session:
        soon = datetime.now(UTC) + timedelta(days=9)
        session.execute(update(Certificate).where(Certificate.id == certificate.id).values(not_after=soon))


def test_a_holder_renews_as_the_script_does(minhs: Certificate, sign_in: SignIn) -> None:
    minh, path = sign_in("minh"), f"/certificates/{minhs.id}/renew"
    assert "Bạn gia hạn được từ ngày" in page(minh, path)
    near_its_end(minhs)
    assert "Hãy gia hạn ngay" in page(minh, "/")
    assert path in page(minh, "/certificates/")
    given = configuration(page(minh, path), "certificate-request")
    assert given["old"] == minhs.spki_sha256
    csr = csr_der(SoftwareKey.generate(Curve.P256), given["challenge"])
    key = OLD.private_key
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    r, s = decode_dss_signature(key.sign(renewal.signed_content(csr), ec.ECDSA(hashes.SHA256())))
    proof = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    sent = {"csr": base64.b64encode(csr).decode(), "challenge": given["challenge"]}
    headers = {"X-CSRFToken": given["token"], "Accept": "application/json"}
    assert minh.post(given["submit"], json=sent, headers=headers).status_code == 422
    answer = minh.post(given["submit"], json=sent | {"proof": base64.b64encode(proof).decode()}, headers=headers)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    href = answer.get_json()["href"]
    tasks.issue.func(href.rsplit("/", 1)[1])
    assert "Chứng thư số của bạn đã sẵn sàng" in page(minh, href)
    assert "Đã có chứng thư số mới thay thế" in page(minh, "/certificates/")


def test_nobody_renews_or_reads_for_another(minhs: Certificate, sign_in: SignIn) -> None:
    lan = sign_in("lan")
    assert lan.get(f"/certificates/{minhs.id}/renew").status_code == 404
    assert minhs.serial_hex not in page(lan, "/certificates/history")


def test_a_holder_reads_what_was_done_in_their_name(minhs: Certificate, sign_in: SignIn) -> None:
    shown = page(sign_in("minh"), "/certificates/history")
    assert minhs.serial_hex in shown
    for word in ("Yêu cầu", "Cấp chứng thư số", "Hệ thống tự làm", "Bạn"):
        assert word in shown, word


def test_an_administrator_walks_a_list_from_the_file_to_the_results(minhs: Certificate, sign_in: SignIn) -> None:
    oanh = sign_in("oanh")
    for fields in ({"kind": "revoke"}, {"kind": "revoke", "serials": "ff"}, {"kind": "suspend"}, {"serials": "ff"}):
        assert post(oanh, "/certificates/lists/new", "/certificates/lists/new", **fields) == 422, fields
    file = (io.BytesIO(f"Số;Tên\n{minhs.serial_hex};Minh\nffffffff;?\n".encode()), "list.csv")
    form = {"kind": "revoke", "reason": "1", "file": file}
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page(oanh, "/certificates/lists/new"))
    assert token
    answer = oanh.post("/certificates/lists/new", data=form | {"csrf_token": token.group(1)})
    assert answer.status_code == 302, answer.get_data(as_text=True)
    path = answer.location
    shown = page(oanh, path)
    assert "Trần Văn Minh" in shown
    assert "Không tìm thấy trong phạm vi của bạn" in shown
    assert "Không hoàn lại được" in shown
    assert post(oanh, f"{path}/submit", path) == 302
    assert "Chờ người thứ hai duyệt" in page(oanh, f"{path}/progress")
    with db.transaction() as session:
        act = session.scalars(select(Act).where(Act.kind == "bulk_revocation")).one()
        done = approvals.approve(session, another_administrator(), act.id, digest=act.digest_hex, now=datetime.now(UTC))
        assert done.state == ActState.EXECUTED
    tasks.work_off_list.func(path.rsplit("/", 1)[1])
    assert "Đã xong 1 trên 1" in page(oanh, path)
    results = page(oanh, f"{path}/results.csv")
    assert f"{minhs.serial_hex},Sẽ được xử lý,đã đổi" in results
    assert "ffffffff" in results
    assert path in page(oanh, "/certificates/lists")


def test_a_search_of_the_register_becomes_a_list(minhs: Certificate, sign_in: SignIn) -> None:
    oanh, path = sign_in("oanh"), "/certificates/lists/new?q=tran+van+minh"
    assert "tran van minh" in page(oanh, path)
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page(oanh, path))
    assert token
    answer = oanh.post(path, data={"kind": "suspend", "csrf_token": token.group(1)})
    assert answer.status_code == 302
    assert "Trần Văn Minh" in page(oanh, answer.location)


def test_who_leaves_a_post_is_proposed_and_decided_on(minhs: Certificate, sign_in: SignIn) -> None:
    oanh = sign_in("oanh")
    found = page(oanh, "/certificates/posts?q=tran van minh")
    end = re.search(r'action="(/certificates/posts/[0-9a-f-]{36}/end)"', found)
    assert end
    assert post(oanh, end.group(1), "/certificates/posts?q=tran van minh") == 302
    assert "1 chứng thư số gắn với chức vụ đã thôi" in page(oanh, "/")
    shown = page(oanh, "/certificates/proposals")
    assert "Trần Văn Minh" in shown
    decide = re.search(r'action="(/certificates/proposals/[0-9a-f-]{36})"', shown)
    assert decide
    assert post(oanh, decide.group(1), "/certificates/proposals", decision="suspend") == 302
    assert "Đang tạm dừng" in page(oanh, f"/certificates/register/{minhs.id}")
    assert "Không có chứng thư số nào chờ" in page(oanh, "/certificates/proposals")


def test_all_proposals_become_one_list(minhs: Certificate, sign_in: SignIn) -> None:
    oanh = sign_in("oanh")
    with db.transaction() as session:
        session.execute(update(Post).values(ended_at=datetime.now(UTC)))
    tasks.propose.func(0)
    path = "/certificates/lists/new?from=proposals"
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page(oanh, path))
    assert token
    answer = oanh.post(path, data={"kind": "suspend", "csrf_token": token.group(1)})
    assert "Trần Văn Minh" in page(oanh, answer.location)
    with db.transaction() as session:
        assert session.scalars(select(Proposal.certificate_id)).all() == [minhs.id]


def test_only_administrators_open_lists_and_posts(minhs: Certificate, sign_in: SignIn) -> None:
    for login in ("lan", "khoa", "dung"):
        browser = sign_in(login)
        for path in (
            "/certificates/lists",
            "/certificates/lists/new",
            "/certificates/proposals",
            "/certificates/posts",
        ):
            assert browser.get(path).status_code == 403, (login, path)
    assert actor("minh").person_id is not None
