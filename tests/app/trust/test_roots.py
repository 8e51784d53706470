"""A root is trusted when two administrators decided on that very certificate, and no longer when two decided that."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Final
from uuid import UUID

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from flask.testing import FlaskClient
from sqlalchemy import select, text, update
from sqlalchemy.exc import ProgrammingError
from werkzeug.test import TestResponse

from app.approvals import service as approvals
from app.approvals.models import Act, ActState
from app.audit.models import AuditEntry
from app.cli import main
from app.core import db
from app.core.errors import AppError, Conflict, Forbidden, Invalid, NotFound, TooLarge
from app.core.permissions import house
from app.core.settings import Settings
from app.trust import acts, evidence, service, tasks, words
from app.trust.models import Kind, TrustAnchor, TrustEvidence, TrustHost
from pki.trust_list import RootFault
from tests.factories.certificates import actor
from tests.factories.forms import csrf_token
from tests.factories.outside import OutsideAuthority, allow, decide, trust

REASON: Final = "Thoả thuận 12/2026"


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def fishers(city: Settings, tmp_path: Path) -> OutsideAuthority:
    del city
    return OutsideAuthority(tmp_path / "fishers")


def ask(content: bytes, login: str = "oanh", *, kind: Kind = Kind.ORGANISATION, reason: str = REASON) -> Act:
    with db.transaction() as session:
        return acts.ask_to_import(session, actor(login), content, kind=kind, reason=reason, now=now())


def roots() -> tuple[bytes, ...]:
    with db.transaction() as session:
        return service.store(session).roots_der


def recorded(act: str) -> list[AuditEntry]:
    with db.transaction() as session:
        return list(session.scalars(select(AuditEntry).where(AuditEntry.act == act)))


def page(answer: TestResponse) -> str:
    text = answer.get_data(as_text=True)
    return text[text.index("<main") : text.index("</main>")]


def test_a_root_is_trusted_once_a_second_administrator_approved_and_not_before(fishers: OutsideAuthority) -> None:
    act = ask(fishers.pem)
    assert fishers.der not in roots()
    with db.transaction() as session, pytest.raises(Forbidden):
        approvals.approve(session, actor("oanh"), act.id, digest=act.digest_hex, now=now())
    assert decide(act).state == ActState.EXECUTED
    assert fishers.der in roots()
    assert len(recorded("trust_anchor_imported")) == 1
    with db.transaction() as session:
        assert service.kind_of(session, fishers.der) is Kind.ORGANISATION


def test_the_city_trusts_its_own_roots_first_and_always(fishers: OutsideAuthority) -> None:
    own = roots()
    assert own
    trust(fishers)
    assert roots() == (*own, fishers.der)
    with db.transaction() as session:
        assert service.kind_of(session, own[0]) is Kind.OWN
        assert service.kind_of(session, b"nothing") is None


def test_the_digest_that_is_approved_is_of_the_very_certificate(fishers: OutsideAuthority, tmp_path: Path) -> None:
    """A namesake with the same words and another key is another act."""
    namesake = OutsideAuthority(tmp_path / "namesake")
    first, second = ask(fishers.pem), ask(namesake.pem)
    assert first.digest != second.digest
    with db.transaction() as session, pytest.raises(Conflict):
        approvals.approve(session, actor("ngan"), second.id, digest=first.digest_hex, now=now())
    decide(second)
    assert (namesake.der in roots(), fishers.der in roots()) == (True, False)


def test_asking_again_while_it_waits_gives_the_same_request(fishers: OutsideAuthority) -> None:
    assert ask(fishers.pem).id == ask(fishers.pem).id


@pytest.mark.parametrize("login", ["dung", "khoa", "minh", "lan"])
def test_nobody_but_an_administrator_of_the_whole_city_asks(fishers: OutsideAuthority, login: str) -> None:
    with pytest.raises(Forbidden):
        ask(fishers.pem, login)


def test_the_house_itself_asks_for_no_root(fishers: OutsideAuthority) -> None:
    with db.transaction() as session, pytest.raises(Forbidden):
        acts.ask_to_import(session, house("job"), fishers.pem, kind=Kind.OWN, reason=REASON, now=now())


def test_a_root_is_not_imported_twice_nor_one_of_our_own(fishers: OutsideAuthority) -> None:
    trust(fishers)
    own = x509.load_der_x509_certificate(roots()[0]).public_bytes(Encoding.PEM)
    for content in (fishers.pem, own):
        with pytest.raises(Conflict):
            ask(content)


def test_two_requests_for_one_root_import_it_once(fishers: OutsideAuthority) -> None:
    first, second = ask(fishers.pem), ask(fishers.pem, "ngan", kind=Kind.NATIONAL)
    decide(first)
    assert decide(second, by="oanh").state == ActState.FAILED
    with db.transaction() as session:
        assert [one.kind for one in service.anchors(session)] == [Kind.ORGANISATION]


def test_a_file_that_is_no_root_is_refused_with_what_to_do(fishers: OutsideAuthority) -> None:
    held = fishers.issue("Ngư dân Bình")
    for content, error in ((b"x", Invalid), (held.certificate_file.read_bytes(), Invalid), (b"x" * 600_000, TooLarge)):
        with pytest.raises(error) as refused:
            ask(content)
        assert isinstance(refused.value, AppError)
        assert refused.value.next_step
    with pytest.raises(Invalid):
        ask(fishers.pem, reason="  ")
    with pytest.raises(Invalid):
        ask(fishers.pem, reason="x" * 501)


def test_every_fault_of_a_root_has_its_own_sentence(city: Settings) -> None:
    del city
    sentences = {str(words.refusal(fault).sentence) for fault in RootFault}
    assert len(sentences) == len(RootFault)


def test_authorities_in_the_file_help_to_reach_the_root(fishers: OutsideAuthority, tmp_path: Path) -> None:
    below = OutsideAuthority(tmp_path / "below", name="Cấp chứng thư 1", under=fishers)
    decide(ask(fishers.pem + below.pem))
    with db.transaction() as session:
        assert below.der in service.store(session).intermediates_der
        assert below.der not in service.store(session).roots_der


def test_a_root_is_removed_by_two_with_a_reason_and_may_come_back(fishers: OutsideAuthority) -> None:
    anchor = trust(fishers)
    with db.transaction() as session:
        act = acts.ask_to_remove(session, actor("oanh"), anchor.id, reason="Khoá bị lộ", now=now())
        assert acts.waiting_for(session, anchor.id) is not None
    assert fishers.der in roots()
    decide(act)
    assert fishers.der not in roots()
    assert len(recorded("trust_anchor_removed")) == 1
    with db.transaction() as session:
        assert [one.removal_reason for one in service.removed_anchors(session)] == ["Khoá bị lộ"]
        with pytest.raises(Conflict):
            acts.ask_to_remove(session, actor("oanh"), anchor.id, reason="nữa", now=now())
    assert trust(fishers).id != anchor.id
    assert fishers.der in roots()


def test_what_two_people_decided_cannot_be_changed_even_in_the_database(fishers: OutsideAuthority) -> None:
    anchor, host = trust(fishers), allow("crl.example.vn", may_be_private=False)
    for statement in (
        update(TrustAnchor).where(TrustAnchor.id == anchor.id).values(kind=Kind.NATIONAL),
        update(TrustHost).where(TrustHost.id == host.id).values(may_be_private=True),
        text("DELETE FROM trust_anchor"),
        text("DELETE FROM trust_host"),
    ):
        with pytest.raises(ProgrammingError, match="as two people decided"), db.transaction() as session:
            session.execute(statement)


def test_a_host_is_listed_by_two_and_taken_off_by_one(city: Settings) -> None:
    del city
    host = allow("CRL.Example.VN.", 8080, may_be_private=False)
    assert (host.host, host.port) == ("crl.example.vn", 8080)
    with db.transaction() as session, pytest.raises(Conflict):
        acts.ask_for_host(
            session, actor("oanh"), "crl.example.vn", port=8080, may_be_private=True, reason=REASON, now=now()
        )
    with db.transaction() as session, pytest.raises(NotFound):
        service.remove_host(session, actor("dung"), host.id, reason="x", now=now())
    with db.transaction() as session, pytest.raises(Invalid):
        service.remove_host(session, actor("oanh"), host.id, reason=" ", now=now())
    for _ in range(2):
        with db.transaction() as session:
            service.remove_host(session, actor("oanh"), host.id, reason="đã đổi máy chủ", now=now())
    with db.transaction() as session:
        assert evidence.hosts(session) == []
    assert (len(recorded("trust_host_added")), len(recorded("trust_host_removed"))) == (1, 1)


@pytest.mark.parametrize(
    "host",
    ["", " ", ".", "http://crl.example.vn", "crl.example.vn/a", "a b", "a..b", "127.1", "0x7f.1", "1", "-a.vn", "a:80"],
)
def test_what_is_no_name_of_a_host_is_refused(city: Settings, host: str) -> None:
    del city
    with db.transaction() as session, pytest.raises(Invalid):
        acts.ask_for_host(session, actor("oanh"), host, port=None, may_be_private=False, reason=REASON, now=now())


@pytest.mark.parametrize(
    ("written", "kept"),
    [("máychủ.vn", "xn--mych-5na3327b.vn"), ("10.0.0.1", "10.0.0.1"), ("[::1]", "::1"), ("LOCALHOST", "localhost")],
)
def test_a_host_is_kept_as_addresses_spell_it(written: str, kept: str) -> None:
    assert acts.canonical_host(written) == kept


def test_a_port_out_of_range_is_refused(city: Settings) -> None:
    del city
    with db.transaction() as session, pytest.raises(Invalid):
        acts.ask_for_host(session, actor("oanh"), "a.vn", port=65536, may_be_private=False, reason=REASON, now=now())


def test_the_pages_lead_from_the_file_to_the_trusted_root_and_back(
    fishers: OutsideAuthority, sign_in: Callable[[str], FlaskClient]
) -> None:
    oanh, ngan = sign_in("oanh"), sign_in("ngan")
    data = {"csrf_token": csrf_token(oanh, "/trust/roots/new"), "kind": "organisation", "reason": REASON}
    wrong = oanh.post("/trust/roots/new", data=data | {"file": (BytesIO(b"x"), "a.pem")})
    assert wrong.status_code == 422
    assert "không phải chứng thư số" in page(wrong)
    asked = oanh.post("/trust/roots/new", data=data | {"file": (BytesIO(fishers.pem), "a.pem")})
    act = page(ngan.get(asked.location))
    with db.transaction() as session:
        digest = session.scalars(select(Act.digest)).one().hex()
    assert words.fingerprint(words.sha256(fishers.der)) in act
    assert "Chờ người thứ hai duyệt" in page(oanh.get("/trust"))
    ngan.post(
        f"{asked.location}/approve", data={"csrf_token": csrf_token(ngan, asked.location), "approval-digest": digest}
    )
    shown = page(oanh.get("/trust"))
    assert "Gốc của Hội Nghề cá" in shown
    with db.transaction() as session:
        anchor_id = service.anchors(session)[0].id
    one = page(oanh.get(f"/trust/roots/{anchor_id}"))
    assert "chưa đủ căn cứ" in one
    assert REASON in one
    data = {"csrf_token": csrf_token(oanh, f"/trust/roots/{anchor_id}")}
    assert oanh.post(f"/trust/roots/{anchor_id}/remove", data=data).status_code == 422
    removal = oanh.post(f"/trust/roots/{anchor_id}/remove", data=data | {"reason": "Khoá bị lộ"})
    assert removal.status_code == 302
    with db.transaction() as session:
        waits = acts.waiting_for(session, anchor_id)
        assert waits is not None
        digest = waits.digest_hex
    data = {
        "csrf_token": csrf_token(ngan, removal.location),
        "approval-digest": digest,
    }
    ngan.post(f"{removal.location}/approve", data=data)
    assert "Khoá bị lộ" in page(oanh.get(f"/trust/roots/{anchor_id}"))
    assert fishers.der not in roots()


def test_the_pages_of_hosts_list_ask_and_remove(city: Settings, sign_in: Callable[[str], FlaskClient]) -> None:
    del city
    oanh = sign_in("oanh")
    assert "Chưa có máy chủ nào" in page(oanh.get("/trust"))
    data = {"csrf_token": csrf_token(oanh, "/trust/hosts/new"), "host": "http://x", "reason": REASON}
    assert oanh.post("/trust/hosts/new", data=data).status_code == 422
    asked = oanh.post("/trust/hosts/new", data=data | {"host": "crl.example.vn"})
    with db.transaction() as session:
        act = session.get_one(Act, UUID(asked.location.rsplit("/", 1)[1]))
    decide(act)
    with db.transaction() as session:
        host_id = service.listed_hosts(session)[0].id
    assert "crl.example.vn" in page(oanh.get("/trust"))
    data = {"csrf_token": csrf_token(oanh, f"/trust/hosts/{host_id}")}
    assert oanh.post(f"/trust/hosts/{host_id}/remove", data=data).status_code == 422
    assert oanh.post(f"/trust/hosts/{host_id}/remove", data=data | {"reason": "đã đổi"}).status_code == 302
    assert "đã đổi" in page(oanh.get(f"/trust/hosts/{host_id}"))


def test_an_auditor_reads_and_may_change_nothing(
    fishers: OutsideAuthority, sign_in: Callable[[str], FlaskClient]
) -> None:
    anchor = trust(fishers)
    auditor = sign_in("khoa")
    shown = page(auditor.get("/trust"))
    assert "Gốc của Hội Nghề cá" in shown
    assert "/trust/roots/new" not in shown
    assert "/remove" not in page(auditor.get(f"/trust/roots/{anchor.id}"))
    for path in ("/trust/roots/new", "/trust/hosts/new"):
        assert auditor.get(path).status_code == 403
    token = {"csrf_token": csrf_token(auditor, "/trust"), "reason": "x"}
    assert auditor.post(f"/trust/roots/{anchor.id}/remove", data=token).status_code == 403


def test_what_is_not_there_is_not_found(city: Settings, sign_in: Callable[[str], FlaskClient]) -> None:
    del city
    nobody = "00000000-0000-4000-8000-000000000000"
    for path in (f"/trust/roots/{nobody}", f"/trust/hosts/{nobody}"):
        assert sign_in("oanh").get(path).status_code == 404


def test_all_roots_are_exported_as_pem(fishers: OutsideAuthority, sign_in: Callable[[str], FlaskClient]) -> None:
    trust(fishers)
    content = sign_in("oanh").get("/trust/roots.pem").data
    found = {one.public_bytes(Encoding.DER) for one in x509.load_pem_x509_certificates(content)}
    assert found == set(roots())


def test_the_command_lists_asks_and_exports(fishers: OutsideAuthority, city: Settings, tmp_path: Path) -> None:
    def command(*arguments: str) -> str:
        done = CliRunner().invoke(main, ["trust", *arguments])
        db.configure(city.database_url or "")
        return f"{done.exit_code} {done.output}"

    file = tmp_path / "root.pem"
    file.write_bytes(fishers.pem)
    options = ("--kind", "organisation", "--reason", REASON, "--by")
    assert command("import", str(file), *options, "nobody").startswith("1")
    assert command("import", str(file), *options, "dung").startswith("1")
    assert command("import", str(file), *options, "oanh").startswith("0 Asked.")
    with db.transaction() as session:
        act = acts.waiting(session)[0]
    assert words.sha256(fishers.der) not in command("list")
    decide(act)
    allow("crl.example.vn", may_be_private=False)
    listed = command("list")
    assert words.sha256(fishers.der) in listed
    assert "crl.example.vn" in listed
    out = tmp_path / "all.pem"
    assert command("export", "--out", str(out)).startswith("0")
    assert len(x509.load_pem_x509_certificates(out.read_bytes())) == len(roots())
    assert "BEGIN CERTIFICATE" in command("export")


def test_requests_that_wait_are_shown_until_they_expire(fishers: OutsideAuthority) -> None:
    ask(fishers.pem)
    with db.transaction() as session:
        assert len(acts.waiting(session)) == 1
        approvals.expire(session, now=now() + timedelta(days=1))
        assert acts.waiting(session) == []


def test_a_root_that_ended_before_the_approval_is_not_trusted(city: Settings) -> None:
    del city
    asked_at, key = now(), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Hội Nghề muối")])
    root = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(asked_at - timedelta(days=1))
        .not_valid_after(asked_at + timedelta(hours=1))
        .add_extension(x509.BasicConstraints(True, None), True)
        .sign(key, hashes.SHA256())
    )
    act = ask(root.public_bytes(Encoding.DER))
    with db.transaction() as session:
        later = asked_at + timedelta(hours=2)
        done = approvals.approve(session, actor("ngan"), act.id, digest=act.digest_hex, now=later)
    assert done.state == ActState.FAILED
    assert root.public_bytes(Encoding.DER) not in roots()
    assert words.name_of(name) == "Hội Nghề muối"


def test_what_is_decided_on_says_all_that_is_known_and_what_follows(
    fishers: OutsideAuthority, tmp_path: Path, sign_in: Callable[[str], FlaskClient]
) -> None:
    ngan = sign_in("ngan")
    below = OutsideAuthority(tmp_path / "below", name="Cấp chứng thư 1", under=fishers)
    imported = ask(fishers.pem + below.pem, kind=Kind.NATIONAL)
    shown = page(ngan.get(f"/approvals/{imported.id}"))
    for fact in ("Cấp chứng thư 1", "ECDSA P-256, SHA-256", REASON, "tổ chức chứng thực công cộng"):
        assert fact in shown
    decide(imported)
    with db.transaction() as session:
        anchor = service.anchors(session)[0]
        kept = {"kind": "crl", "url": "http://crl.example.vn/a", "der": b"x", "next_update": now()}
        session.add(TrustEvidence(question=b"x", anchor_id=anchor.id, asked_at=now(), again_at=now(), **kept))
        host = acts.ask_for_host(
            session, actor("oanh"), "10.1.2.3", port=8080, may_be_private=True, reason=REASON, now=now()
        )
        removal = acts.ask_to_remove(session, actor("oanh"), anchor.id, reason="Khoá bị lộ", now=now())
    shown = page(ngan.get(f"/approvals/{removal.id}"))
    for fact in ("chưa đủ căn cứ", "1 nơi cấp bên dưới", "1 câu trả lời", "Khoá bị lộ"):
        assert fact in shown
    shown = page(ngan.get(f"/approvals/{host.id}"))
    for fact in ("10.1.2.3:8080", "mạng nội bộ", REASON):
        assert fact in shown
    assert "Đã có người đề nghị bỏ" in page(ngan.get(f"/trust/roots/{anchor.id}"))
    decide(removal)
    with db.transaction() as session:
        assert session.scalars(select(TrustEvidence)).all() == []


def test_the_key_of_a_root_is_named_as_people_know_it() -> None:
    made = rsa.generate_private_key(65537, 3072)
    name = x509.Name([])
    root = (
        x509.CertificateBuilder(name, name, made.public_key(), 1)
        .not_valid_before(now())
        .not_valid_after(now() + timedelta(days=1))
        .sign(made, hashes.SHA3_256())
    )
    assert (words.key_of(root), words.digest_of(root)) == ("RSA 3072", "SHA3-256")
    assert words.name_of(name) == ""


def test_a_host_that_is_not_there_is_not_removed(city: Settings) -> None:
    del city
    with db.transaction() as session, pytest.raises(NotFound):
        service.remove_host(session, actor("oanh"), UUID(int=1), reason="x", now=now())


def test_every_night_old_answers_are_forgotten(fishers: OutsideAuthority) -> None:
    anchor, week = trust(fishers), timedelta(days=8)
    with db.transaction() as session:
        for name, age in (("old", week), ("new", timedelta())):
            moments = {"asked_at": now() - age, "again_at": now() - age}
            kept = {"kind": "crl", "url": name, "failure": "silent"}
            session.add(TrustEvidence(question=name.encode(), anchor_id=anchor.id, **moments, **kept))
    tasks.forget_old.func(0)
    with db.transaction() as session:
        assert session.scalars(select(TrustEvidence.url)).all() == ["new"]
