"""Revocation lists and certificates over HTTP, and the page for people."""

from __future__ import annotations

import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from sqlalchemy import select

from app.certificates import crls, revocations
from app.certificates.models import Authority
from app.core import db
from app.core.settings import Settings
from pki.revocation import RevocationReason
from tests.app.status.conftest import HOUSE, Running, eventually


def fetch(running: Running, path: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    request = urllib.request.Request(f"{running.url}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.read(), dict(answer.headers)
    except urllib.error.HTTPError as error:
        return error.code, error.read(), dict(error.headers)


def test_openssl_verifies_every_first_list(running: Running) -> None:
    with db.transaction() as session:
        shards = [(one.name, shard) for one in session.scalars(select(Authority)) for shard in range(one.shards)]
    assert len(shards) > 6
    for name, shard in shards:
        status, body, headers = fetch(running, f"/crl/{name}/{shard}.crl")
        assert status == 200
        assert headers["Content-Type"] == "application/pkix-crl"
        (running.folder / "list.crl").write_bytes(body)
        done = running.run("crl", "-in", "list.crl", "-inform", "DER", "-CAfile", f"{name}.pem", "-noout", "-crlnumber")
        assert "verify OK" in done.stderr, (name, done.stderr)


def test_openssl_refuses_the_list_of_another_authority(running: Running) -> None:
    _, body, _ = fetch(running, "/crl/issuing_services/0.crl")
    (running.folder / "list.crl").write_bytes(body)
    done = running.run("crl", "-in", "list.crl", "-inform", "DER", "-CAfile", "issuing_seals.pem", "-noout")
    assert "verify OK" not in done.stderr


def test_openssl_finds_a_revoked_certificate_in_the_next_list(running: Running, settings: Settings) -> None:
    now = datetime.now(UTC)
    check = ("verify", "-CAfile", "root.pem", "-untrusted", "issuing_services.pem", "-crl_check", "-CRLfile", "l.pem")
    for expected in ("ee.pem: OK", "certificate revoked"):
        with db.transaction() as session:
            authority = session.scalars(select(Authority).where(Authority.name == "issuing_services")).one()
            made = crls.publish(session, settings, authority, running.certificate.shard, now=now).der
        address = f"/crl/issuing_services/{running.certificate.shard}.crl"
        eventually(lambda: fetch(running, address)[1] == made)  # noqa: B023  called before the next round
        body = made
        (running.folder / "l.crl").write_bytes(body)
        running.run("crl", "-in", "l.crl", "-inform", "DER", "-out", "l.pem")
        done = running.run(*check, "ee.pem")
        assert expected in done.stdout + done.stderr
        with db.transaction() as session:
            revocations.revoke(session, HOUSE, running.certificate.id, reason=RevocationReason.SUPERSEDED, now=now)


def test_the_addresses_in_a_certificate_lead_to_its_list_and_its_issuer(running: Running) -> None:
    assert running.certificate.der is not None
    certificate = x509.load_der_x509_certificate(running.certificate.der)
    points = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    address = points[0].full_name[0].value  # type: ignore[index]  # our profile always has one
    status, body, _ = fetch(running, "/" + address.split("/", 3)[3])
    assert status == 200
    assert x509.load_der_x509_crl(body).issuer == certificate.issuer
    status, body, headers = fetch(running, "/ca/issuing_services.cer")
    assert headers["Content-Type"] == "application/pkix-cert"
    certificate.verify_directly_issued_by(x509.load_der_x509_certificate(body))


def test_a_list_that_the_client_has_is_not_sent_again(running: Running) -> None:
    _, _, headers = fetch(running, "/crl/issuing_services/0.crl")
    status, body, _ = fetch(running, "/crl/issuing_services/0.crl", **{"If-None-Match": headers["ETag"]})
    assert (status, body) == (304, b"")


@pytest.mark.parametrize(
    "path", ["/crl/issuing_services/9.crl", "/crl/nobody/0.crl", "/ca/nobody.cer", "/crl/../x.crl"]
)
def test_what_does_not_exist_is_not_found(running: Running, path: str) -> None:
    assert fetch(running, path)[0] == 404


def test_the_page_shows_the_fingerprint_of_the_root_in_vietnamese(running: Running) -> None:
    shown = running.run("x509", "-in", "root.pem", "-noout", "-fingerprint", "-sha256").stdout
    fingerprint = shown.strip().partition("=")[2].replace(":", "")
    status, body, headers = fetch(running, "/")
    page = body.decode()
    assert status == 200
    assert fingerprint in page.replace(" ", "")
    assert "Chứng thư số của cơ quan chứng thực" in page
    assert "Content-Security-Policy" in headers


def test_the_address_of_the_identifiers_in_a_certificate_explains_them(running: Running) -> None:
    status, body, _ = fetch(running, "/identifiers")
    assert status == 200
    assert "XX:VN-" in body.decode()


def test_it_is_healthy_until_a_list_runs_out(running: Running) -> None:
    assert fetch(running, "/healthz")[:2] == (200, b"ok")
    running.clock.moved = datetime.now(UTC) + timedelta(hours=47)
    assert fetch(running, "/healthz")[0] == 200
    running.clock.moved = datetime.now(UTC) + timedelta(hours=48, seconds=1)
    assert fetch(running, "/healthz")[:2] == (503, b"lists")


def test_it_says_so_when_its_keys_are_missing(running: Running, settings: Settings) -> None:
    for path in (settings.data_dir / "keys" / "status").glob("ocsp_*.pem"):
        path.unlink()
    running.clock.moved = datetime.now(UTC) + timedelta(hours=2)
    assert fetch(running, "/healthz")[:2] == (503, b"keys")
