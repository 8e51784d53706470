"""A paper signed under a root of another organisation, from unknown to valid, to revoked, and back to unknown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app.core import db
from app.core.settings import Settings
from app.trust import acts, evidence
from app.trust import service as trusted
from app.trust.models import TrustAnchor
from app.verification import service as verification
from pki.pades.report import Reason, Report, Verdict
from pki.status_evidence import StatusEvidence
from tests.factories.certificates import actor
from tests.factories.forms import csrf_token
from tests.factories.outside import Held, OutsideAuthority, Server, allow, decide, signed_outside, trust

UNKNOWN = (Verdict.INDETERMINATE, Reason.UNTRUSTED)


@pytest.fixture
def fishers(city: Settings, outside: Server, tmp_path: Path) -> OutsideAuthority:
    del city
    made = OutsideAuthority(tmp_path / "fishers", crl=outside.url("/list.crl"))
    outside.answers["/list.crl"] = made.crl()
    return made


@pytest.fixture
def binh(fishers: OutsideAuthority) -> Held:
    return fishers.issue("Ngư dân Bình")


def report(pdf: bytes) -> Report:
    now = datetime.now(UTC)
    with db.transaction() as session:
        known = verification.wider_evidence(session, pdf, now=now)
    return verification.check(pdf, known, now=now)


def verdict(pdf: bytes) -> tuple[Verdict, Reason]:
    found = report(pdf)
    return found.verdict, found.reason


def forget() -> None:
    """Let an hour pass for what was answered."""
    with db.transaction() as session:
        evidence.forget_old(session, before=datetime.max.replace(tzinfo=UTC))


def remove(anchor: TrustAnchor) -> None:
    with db.transaction() as session:
        act = acts.ask_to_remove(session, actor("oanh"), anchor.id, reason="Khoá bị lộ", now=datetime.now(UTC))
    decide(act)


def test_a_paper_is_unknown_then_valid_then_revoked_then_unknown_again(
    fishers: OutsideAuthority, binh: Held, outside: Server
) -> None:
    pdf = signed_outside(binh)
    assert verdict(pdf) == UNKNOWN
    anchor = trust(fishers)
    assert verdict(pdf) == (Verdict.INDETERMINATE, Reason.STATUS_UNKNOWN)
    assert outside.asked == []
    allow(port=outside.port)
    assert verdict(pdf) == (Verdict.VALID, Reason.OK)
    fishers.revoke(binh)
    outside.answers["/list.crl"] = fishers.crl()
    forget()
    # Nothing proves that the signature is older than the revocation.
    assert report(pdf).verdict is not Verdict.VALID
    assert report(pdf).signatures[0].revoked_at is not None
    remove(anchor)
    assert verdict(pdf) == UNKNOWN


def test_a_paper_with_a_timestamp_of_their_own_stays_valid_when_the_certificate_is_revoked_later(
    fishers: OutsideAuthority, binh: Held, outside: Server
) -> None:
    """The certificate of the timestamp unit is asked about as well."""
    trust(fishers)
    allow(port=outside.port)
    pdf = signed_outside(binh, clock=fishers.issue("Đồng hồ của Hội Nghề cá", section="clock"))
    assert verdict(pdf) == (Verdict.VALID, Reason.OK)
    assert report(pdf).signatures[0].proven_at is not None
    fishers.revoke(binh)
    outside.answers["/list.crl"] = fishers.crl()
    forget()
    found = report(pdf)
    assert (found.verdict, found.reason) == (Verdict.VALID, Reason.OK)
    assert found.signatures[0].revoked_at is not None


def test_a_silent_host_leaves_not_enough_evidence(fishers: OutsideAuthority, binh: Held, outside: Server) -> None:
    trust(fishers)
    allow(port=outside.port)
    outside.answers.clear()
    assert verdict(signed_outside(binh)) == (Verdict.INDETERMINATE, Reason.STATUS_UNKNOWN)


def test_an_authority_below_a_root_is_reached_and_asked_about(city: Settings, outside: Server, tmp_path: Path) -> None:
    root = OutsideAuthority(tmp_path / "root", crl=outside.url("/root.crl"))
    below = OutsideAuthority(
        tmp_path / "below", name="Cấp chứng thư 1", crl=outside.url("/below.crl"), ocsp=outside.url("/ocsp"), under=root
    )
    outside.answers |= {"/root.crl": root.crl(), "/ocsp": below.answer}
    trust(root)
    allow(port=outside.port)
    assert verdict(signed_outside(below.issue("Ngư dân Bình"), below)) == (Verdict.VALID, Reason.OK)


def test_the_page_says_so_to_anybody_and_administrators_see_who_was_asked(
    client: FlaskClient,
    sign_in: Callable[[str], FlaskClient],
    fishers: OutsideAuthority,
    binh: Held,
    outside: Server,
) -> None:
    trust(fishers)
    allow(port=outside.port)
    file = (BytesIO(signed_outside(binh)), "a.pdf")
    answer = client.post(
        "/verify", data={"csrf_token": csrf_token(client, "/verify"), "file": file}, content_type="multipart/form-data"
    )
    page = answer.get_data(as_text=True)
    assert "Hợp lệ" in page[page.index("kv-verdict__title") :][:60]
    assert "Ngư dân Bình" in page
    # Nobody reads that the city stands behind it.
    assert "Chữ ký điện tử của tổ chức khác" in page
    assert "chuyên dùng của thành phố" not in page
    asked = sign_in("oanh").get("/trust").get_data(as_text=True)
    assert asked.count(f"127.0.0.1:{outside.port}") == 2
    assert "Đã trả lời" in asked


def test_a_file_is_not_even_opened_where_no_root_or_no_host_is_listed(
    fishers: OutsideAuthority, binh: Held, outside: Server, tmp_path: Path
) -> None:
    """A check then costs nothing more than before; this file could not be opened."""
    for prepare in (lambda: None, lambda: trust(fishers)):
        prepare()
        with db.transaction() as session:
            nowhere = tmp_path / "nowhere.pdf"
            assert trusted.evidence_of_pdf(session, nowhere, now=datetime.now(UTC)) == StatusEvidence()
    allow(port=outside.port)
    with db.transaction() as session, pytest.raises(FileNotFoundError):
        trusted.evidence_of_pdf(session, nowhere, now=datetime.now(UTC))


def test_what_must_be_signed_under_the_city_is_not_valid_under_another_root(
    fishers: OutsideAuthority, binh: Held, outside: Server
) -> None:
    """A citizen's form is accepted with a certificate of this city alone."""
    trust(fishers)
    allow(port=outside.port)
    pdf, now = signed_outside(binh), datetime.now(UTC)
    with db.transaction() as session:
        known = verification.evidence(session, pdf)
    found = verification.check(pdf, known, now=now)
    assert (found.verdict, found.reason) == UNKNOWN


def test_a_file_that_cannot_be_read_asks_nobody(fishers: OutsideAuthority, outside: Server) -> None:
    trust(fishers)
    allow(port=outside.port)
    with db.transaction() as session:
        known = verification.wider_evidence(session, b"%PDF-1.7 nothing", now=datetime.now(UTC))
    assert (known.ocsps, outside.asked) == ((), [])
