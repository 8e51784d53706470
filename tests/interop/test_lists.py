"""Sharded, whole and delta lists before OpenSSL, GnuTLS and pkilint, each with a twin that must fail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from pki.crl import build_crl, delta_entries
from pki.profiles import ProfileName
from pki.revocation import RevocationReason, RevokedEntry, encode_entry
from tests.factories.pki import LAN, Leaf, authority, certify, root, urls
from tests.interop.judges import certificate_file, crl_file, lint, run

# Other programs read the clock of the machine; what is judged here must hold now.
NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
CITIZENS = ProfileName.ISSUING_CITIZENS
POINT = urls(CITIZENS).crl or ""
DELTA = POINT.replace(".crl", "-delta.crl")


@pytest.fixture
def lan() -> Leaf:
    return certify(ProfileName.CITIZEN_SIGNING, LAN, now=NOW - DAY)


def held(leaf: Leaf) -> bytes:
    return encode_entry(RevokedEntry(leaf.certificate.serial_number, NOW, RevocationReason.CERTIFICATE_HOLD))


def complete(entries: bytes, number: int, *, whole: bool = False, now: datetime = NOW) -> bytes:
    return build_crl(
        entries,
        issuer=authority(CITIZENS),
        number=number,
        now=now,
        lifetime=2 * DAY,
        distribution_point=None if whole else POINT,
        whole=whole,
        freshest=None if whole else DELTA,
    )


def delta(base: bytes, following: bytes, number: int, *, base_number: int, point: str = POINT) -> bytes:
    return build_crl(
        delta_entries(base, following, now=NOW),
        issuer=authority(CITIZENS),
        number=number,
        now=NOW,
        lifetime=2 * DAY,
        distribution_point=point,
        base_number=base_number,
    )


def openssl(folder: Path, leaf: Leaf, *lists: bytes) -> str:
    """Let OpenSSL judge the end-entity certificate with these lists."""
    files = [word for n, one in enumerate(lists) for word in ("-CRLfile", crl_file(folder / f"{n}.crl", one))]
    done = run(
        *("openssl", "verify", "-x509_strict", "-crl_check", "-extended_crl", "-use_deltas", *files),
        *("-CAfile", certificate_file(folder / "root.pem", root().certificate_der)),
        *("-untrusted", certificate_file(folder / "ca.pem", leaf.issuer.certificate_der)),
        certificate_file(folder / "leaf.pem", leaf.certificate_der),
    )
    return done.stdout + done.stderr


def test_openssl_finds_in_a_delta_what_its_base_does_not_hold_yet(tmp_path: Path, lan: Leaf):
    base, following = complete(b"", 7), complete(held(lan), 8)
    assert "leaf.pem: OK" in openssl(tmp_path, lan, base)
    assert "certificate revoked" in openssl(tmp_path, lan, base, delta(base, following, 8, base_number=7))


def test_openssl_takes_a_released_certificate_off_by_a_delta(tmp_path: Path, lan: Leaf):
    base, following = complete(held(lan), 7), complete(b"", 8)
    assert "certificate revoked" in openssl(tmp_path, lan, base)
    assert "leaf.pem: OK" in openssl(tmp_path, lan, base, delta(base, following, 8, base_number=7))


def test_openssl_does_not_use_a_delta_to_a_later_list_nor_one_of_another_shard(tmp_path: Path, lan: Leaf):
    base, following = complete(b"", 7), complete(held(lan), 9)
    assert "leaf.pem: OK" in openssl(tmp_path, lan, base, delta(base, following, 9, base_number=8))
    other = delta(base, following, 9, base_number=7, point=POINT.replace("/0.", "/1."))
    assert "leaf.pem: OK" in openssl(tmp_path, lan, base, other)


def test_openssl_judges_by_the_list_of_everything(tmp_path: Path, lan: Leaf):
    assert "leaf.pem: OK" in openssl(tmp_path, lan, complete(b"", 1, whole=True))
    assert "certificate revoked" in openssl(tmp_path, lan, complete(held(lan), 1, whole=True))


def test_openssl_refuses_a_list_that_has_run_out(tmp_path: Path, lan: Leaf):
    assert "CRL has expired" in openssl(tmp_path, lan, complete(b"", 1, now=NOW - 3 * DAY))


def test_gnutls_finds_who_is_on_a_list_and_whose_it_is(tmp_path: Path, lan: Leaf):
    chain = certificate_file(tmp_path / "chain.pem", lan.certificate_der, lan.issuer.certificate_der)
    anchor = certificate_file(tmp_path / "root.pem", root().certificate_der)
    ours = certificate_file(tmp_path / "ca.pem", lan.issuer.certificate_der)
    for whole in (False, True):
        for entries, expected in ((b"", 0), (held(lan), 1)):
            listed = crl_file(tmp_path / "one.crl", complete(entries, 1, whole=whole))
            assert run("certtool", "--verify-crl", "--infile", listed, "--load-ca-certificate", ours).returncode == 0
            words = ("certtool", "--verify", "--infile", chain, "--load-ca-certificate", anchor, "--load-crl", listed)
            assert run(*words).returncode == expected


def test_pkilint_finds_nothing_in_any_kind_of_list(tmp_path: Path, lan: Leaf):
    base, following = complete(b"", 7), complete(held(lan), 8)
    removing = delta(following, complete(b"", 9), 9, base_number=8)
    of_root = build_crl(
        encode_entry(RevokedEntry(5, NOW, RevocationReason.CA_COMPROMISE)),
        issuer=root(), number=1, now=NOW, lifetime=180 * DAY, distribution_point=None, only_ca=True,
    )  # fmt: skip
    for kind, listed in (
        ("CRL", base),
        ("CRL", following),
        ("CRL", delta(base, following, 8, base_number=7)),
        ("CRL", removing),
        ("CRL", complete(held(lan), 1, whole=True)),
        ("ARL", of_root),
    ):
        (tmp_path / "one.crl").write_bytes(listed)
        answer = lint("lint_crl", "-t", kind, "-p", "PKIX", tmp_path / "one.crl")
        assert (answer.returncode, answer.stdout.strip()) == (0, ""), answer.stdout


def test_pkilint_finds_a_list_that_does_not_say_whose_key_signed_it(tmp_path: Path, lan: Leaf):
    # The authorityKeyIdentifier becomes an extension that nobody knows.
    listed = complete(held(lan), 1).replace(b"\x06\x03\x55\x1d\x23", b"\x06\x03\x55\x1d\x7f")
    (tmp_path / "one.crl").write_bytes(listed)
    assert lint("lint_crl", "-t", "CRL", "-p", "PKIX", tmp_path / "one.crl").returncode > 0


def test_ten_thousand_entries_are_read_by_openssl(tmp_path: Path, lan: Leaf):
    entries = b"".join(
        encode_entry(RevokedEntry(number, NOW, RevocationReason.SUPERSEDED)) for number in range(1, 10_001)
    )
    assert "certificate revoked" in openssl(tmp_path, lan, complete(entries + held(lan), 1))
    assert len(x509.load_der_x509_crl(complete(entries, 1))) == 10_000
