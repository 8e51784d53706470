"""What outside authorities answer counts as far as it proves something, is kept, and is asked at listed hosts only."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.core import db
from app.core.settings import Settings
from app.trust import evidence, service
from app.trust.fetcher import look_up
from app.trust.models import Failure, TrustEvidence
from pki.status_evidence import Good, Revocation, StatusEvidence, find_status
from tests.factories.certificates import actor
from tests.factories.outside import Held, OutsideAuthority, Server, allow, trust


@pytest.fixture
def authority(city: Settings, outside: Server, tmp_path: Path) -> OutsideAuthority:
    """A root of another organisation, trusted, at a listed host; it publishes a list and nothing else."""
    del city
    made = OutsideAuthority(tmp_path / "outside", crl=outside.url("/list.crl"))
    outside.answers["/list.crl"] = made.crl()
    trust(made)
    allow(port=outside.port)
    return made


def ask(held: Held, *more: bytes, now: datetime | None = None) -> StatusEvidence:
    with db.transaction() as session:
        return service.evidence_for(session, [held.der, *more], now=now or datetime.now(UTC))


def status(held: Held, issuer: OutsideAuthority, found: StatusEvidence) -> Good | Revocation | None:
    return find_status(held.certificate, issuer.held.certificate, found, at=datetime.now(UTC))


def failure() -> str | None:
    with db.transaction() as session:
        return session.scalars(select(TrustEvidence.failure)).one()


def test_a_list_from_a_listed_host_says_that_a_certificate_is_good(authority: OutsideAuthority) -> None:
    held = authority.issue("Ngư dân Bình")
    assert isinstance(status(held, authority, ask(held)), Good)
    assert failure() is None


def test_a_list_that_names_the_certificate_says_that_it_is_revoked(
    authority: OutsideAuthority, outside: Server
) -> None:
    held = authority.issue("Ngư dân Bình")
    authority.revoke(held)
    outside.answers["/list.crl"] = authority.crl()
    found = status(held, authority, ask(held))
    assert isinstance(found, Revocation)
    assert found.reason == "keyCompromise"


def test_an_answer_is_kept_and_asked_for_again_after_an_hour(authority: OutsideAuthority, outside: Server) -> None:
    held, now = authority.issue("Ngư dân Bình"), datetime.now(UTC)
    for after in (timedelta(), timedelta(minutes=30), evidence.FRESH - timedelta(seconds=1)):
        assert ask(held, now=now + after).crls_der
    assert len(outside.asked) == 1
    ask(held, now=now + evidence.FRESH)
    assert len(outside.asked) == 2


def test_a_kept_answer_counts_until_its_end_while_the_host_is_silent(
    authority: OutsideAuthority, outside: Server
) -> None:
    held, now = authority.issue("Ngư dân Bình"), datetime.now(UTC)
    outside.answers["/list.crl"] = authority.crl(age=timedelta(), lifetime=timedelta(hours=3))
    ask(held, now=now)
    outside.answers.clear()
    assert ask(held, now=now + timedelta(hours=2)).crls_der
    assert failure() == Failure.REFUSED
    assert not ask(held, now=now + timedelta(hours=4)).crls_der
    assert len(outside.asked) == 3


def test_a_host_that_failed_is_left_alone_for_ten_minutes(authority: OutsideAuthority, outside: Server) -> None:
    outside.answers.clear()
    held, now = authority.issue("Ngư dân Bình"), datetime.now(UTC)
    for after in (timedelta(), evidence.LEFT_ALONE - timedelta(seconds=1)):
        assert not ask(held, now=now + after).crls_der
    assert len(outside.asked) == 1
    outside.answers["/list.crl"] = authority.crl()
    assert ask(held, now=now + evidence.LEFT_ALONE).crls_der
    assert failure() is None


@pytest.mark.parametrize(
    "make",
    [
        lambda mine, other: mine.crl(age=timedelta(days=8), lifetime=timedelta(days=7)),
        lambda mine, other: other.crl(),
        lambda mine, other: mine.crl()[:-1] + b"\x00",
        lambda mine, other: b"<html>",
        lambda mine, other: b"",
    ],
    ids=["out of date", "another signer of the same name", "a bit off", "a web page", "nothing"],
)
def test_a_list_that_proves_nothing_is_no_evidence(
    authority: OutsideAuthority,
    outside: Server,
    tmp_path: Path,
    make: Callable[[OutsideAuthority, OutsideAuthority], bytes],
) -> None:
    other = OutsideAuthority(tmp_path / "namesake")
    held = authority.issue("Ngư dân Bình")
    outside.answers["/list.crl"] = make(authority, other)
    assert ask(held) == StatusEvidence()
    assert failure() == Failure.WORTHLESS


def test_the_status_is_asked_by_ocsp_first_and_by_list_where_that_fails(
    city: Settings, outside: Server, tmp_path: Path
) -> None:
    made = OutsideAuthority(tmp_path / "both", crl=outside.url("/list.crl"), ocsp=outside.url("/ocsp"))
    outside.answers |= {"/ocsp": made.answer, "/list.crl": made.crl()}
    trust(made)
    allow(port=outside.port)
    held, revoked = made.issue("Ngư dân Bình"), made.issue("Ngư dân An")
    made.revoke(revoked)
    found = ask(held)
    assert (len(found.ocsps_der), found.crls_der) == (1, ())
    assert isinstance(status(held, made, found), Good)
    assert isinstance(status(revoked, made, ask(revoked)), Revocation)
    namesake = OutsideAuthority(tmp_path / "namesake")
    outside.answers["/ocsp"] = lambda request: made.answer(request, signed_by=namesake)
    third = made.issue("Ngư dân Cường")
    assert len(ask(third).crls_der) == 1
    assert [one.partition(" ")[0] for one in outside.asked] == ["POST", "POST", "POST", "GET"]


def test_authorities_between_are_asked_about_too(city: Settings, outside: Server, tmp_path: Path) -> None:
    root = OutsideAuthority(tmp_path / "root", crl=outside.url("/root.crl"))
    below = OutsideAuthority(tmp_path / "below", name="Cấp chứng thư 1", crl=outside.url("/below.crl"), under=root)
    outside.answers |= {"/root.crl": root.crl(), "/below.crl": below.crl()}
    trust(root)
    allow(port=outside.port)
    held = below.issue("Ngư dân Bình")
    found = ask(held, below.der)
    assert len(found.crls_der) == 2
    assert isinstance(status(held, below, found), Good)


def test_an_authority_that_names_the_list_of_another_does_not_spoil_it(
    authority: OutsideAuthority, outside: Server, tmp_path: Path
) -> None:
    other = OutsideAuthority(tmp_path / "other", name="Gốc khác", crl=outside.url("/list.crl"))
    trust(other)
    assert ask(other.issue("Ai đó")) == StatusEvidence()
    assert ask(authority.issue("Ngư dân Bình")).crls_der


def test_a_list_of_two_certificates_is_fetched_once_in_a_check(authority: OutsideAuthority, outside: Server) -> None:
    one, two = authority.issue("Ngư dân Bình"), authority.issue("Ngư dân An")
    assert len(ask(one, two.der).crls_der) == 1
    assert len(outside.asked) == 1


def test_a_check_asks_no_more_than_it_may(authority: OutsideAuthority, outside: Server) -> None:
    """Whoever brings many certificates cannot make this house ask on and on."""
    outside.answers.clear()
    many = OutsideAuthority(authority.folder / "many", name="Nhiều", ocsp=outside.url("/ocsp"))
    trust(many)
    held = [many.issue(f"Người {number}") for number in range(25)]
    assert ask(*held[:1], *(one.der for one in held[1:])) == StatusEvidence()
    assert len(outside.asked) == 20


def test_what_two_checks_asked_at_once_is_kept_once(authority: OutsideAuthority) -> None:
    held, now = authority.issue("Ngư dân Bình"), datetime.now(UTC)
    with db.transaction() as first, db.transaction() as second:
        for session in (first, second):
            assert service.evidence_for(session, [held.der], now=now).crls_der
            session.commit()
    assert failure() is None


def test_nothing_is_asked_about_certificates_that_lead_to_no_trusted_root(
    authority: OutsideAuthority, outside: Server, tmp_path: Path
) -> None:
    stranger = OutsideAuthority(tmp_path / "stranger", crl=outside.url("/list.crl"))
    assert ask(stranger.issue("Ai đó"), stranger.der) == StatusEvidence()
    assert outside.asked == []


def test_nothing_is_asked_of_a_host_that_is_not_listed_or_listed_no_longer(
    city: Settings, outside: Server, tmp_path: Path
) -> None:
    made = OutsideAuthority(tmp_path / "outside", crl=outside.url("/list.crl"))
    trust(made)
    held = made.issue("Ngư dân Bình")
    other = allow("127.0.0.1", 9)
    assert ask(held) == StatusEvidence()
    assert outside.asked == []
    with db.transaction() as session:
        service.remove_host(session, actor("oanh"), other.id, reason="không dùng nữa", now=datetime.now(UTC))
        assert evidence.hosts(session) == []


def test_a_listed_name_that_leads_into_this_network_is_not_followed(
    city: Settings, outside: Server, tmp_path: Path
) -> None:
    del city
    made = OutsideAuthority(tmp_path / "outside", crl=outside.url("/list.crl", "crl.example.vn"))
    outside.answers["/list.crl"] = made.crl()
    trust(made)
    held, now = made.issue("Ngư dân Bình"), datetime.now(UTC)

    def ask_there(when: datetime) -> StatusEvidence:
        with db.transaction() as session:
            return service.evidence_for(session, [held.der], now=when, resolve=lambda host, port: ["127.0.0.1"])

    public = allow("crl.example.vn", outside.port, may_be_private=False)
    assert ask_there(now) == StatusEvidence()
    assert (failure(), outside.asked) == (Failure.PRIVATE_ADDRESS, [])
    with db.transaction() as session:
        service.remove_host(session, actor("oanh"), public.id, reason="nằm trong mạng của thành phố", now=now)
    allow("crl.example.vn", outside.port, may_be_private=True)
    assert ask_there(now + evidence.LEFT_ALONE).crls_der


def test_an_expired_certificate_is_not_asked_about(authority: OutsideAuthority, outside: Server) -> None:
    held = authority.issue("Ngư dân Bình", days=1)
    ask(held, now=datetime.now(UTC) + timedelta(days=2))
    assert outside.asked == []


def test_unreadable_certificates_are_passed_over(authority: OutsideAuthority) -> None:
    held = authority.issue("Ngư dân Bình")
    assert ask(held, b"", b"\x30\x03\x02\x01\x05").crls_der


def test_old_answers_are_forgotten(authority: OutsideAuthority) -> None:
    now = datetime.now(UTC)
    ask(authority.issue("Ngư dân Bình"), now=now)
    with db.transaction() as session:
        assert evidence.forget_old(session, before=now) == 0
        assert evidence.forget_old(session, before=now + timedelta(days=1)) == 1


def test_the_names_of_this_machine_are_looked_up_by_the_system() -> None:
    assert {"127.0.0.1", "::1"} & set(look_up("localhost", 80))
