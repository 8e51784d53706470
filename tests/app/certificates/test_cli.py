"""`kyvao ca` from an empty folder to a revoked certificate, judged by OpenSSL."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography import x509

from app.certificates.cli import ca

LAN = ("common_name=Nguyễn Thị Lan", "surname=Nguyễn Thị", "given_name=Lan")


class Laboratory:
    """A folder of authorities and the commands on it."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.folder = base / "authorities"
        self.passphrase = base / "passphrase"
        self.passphrase.write_text("mot hai ba\n")

    def run(self, command: str, *arguments: str | Path, passphrase: bool = True) -> Result:
        words = [command, str(self.folder), *map(str, arguments)]
        if passphrase:
            words += ["--passphrase-file", str(self.passphrase)]
        return CliRunner().invoke(ca, words)

    def request(self) -> Path:
        out = self.base / "lan.csr"
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", self.base / "lan.key")
        openssl("req", "-new", *key, "-subj", "/CN=Somebody else", "-out", out)
        return out

    def issue(self, *arguments: str | Path, profile: str = "citizen_signing") -> Result:
        words = [word for field in LAN for word in ("--subject", field)]
        return self.run("issue", "--profile", profile, "--csr", self.request(), *words, *arguments)

    def pem(self, name: str, kind: str = "certificate") -> Path:
        out = self.base / f"{name}-{kind}.pem"
        load = "x509" if kind == "certificate" else "crl"
        openssl(load, "-inform", "DER", "-in", self.folder / name / f"{kind}.der", "-out", out)
        return out


def openssl(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=True)


@pytest.fixture
def laboratory(tmp_path: Path) -> Laboratory:
    made = Laboratory(tmp_path)
    answer = made.run("init", "--organization", "Thành phố Sông Biếc", "--url", "http://pki.example.com")
    assert answer.exit_code == 0, answer.output
    return made


def verify(laboratory: Laboratory, certificate: Path) -> subprocess.CompletedProcess[str]:
    words = ["openssl", "verify", "-x509_strict", "-crl_check_all", "-extended_crl", "-CAfile", laboratory.pem("root")]
    words += ["-untrusted", laboratory.pem("issuing_citizens")]
    words += ["-CRLfile", laboratory.pem("root", "crl"), "-CRLfile", laboratory.pem("issuing_citizens", "crl")]
    return subprocess.run([*map(str, words), str(certificate)], capture_output=True, text=True, check=False)


def test_a_certificate_holds_until_its_revocation_is_published(laboratory: Laboratory):
    out = laboratory.base / "lan.pem"
    assert laboratory.issue("--out", out).exit_code == 0
    certificate = x509.load_pem_x509_certificate(out.read_bytes())
    assert "CN=Nguyễn Thị Lan" in certificate.subject.rfc4514_string()
    assert verify(laboratory, out).returncode == 0

    serial = f"{certificate.serial_number:X}"
    assert laboratory.run("revoke", serial, "--reason", "key-compromise", passphrase=False).exit_code == 0
    published = laboratory.run("crl", "--authority", "issuing_citizens")
    assert "1 revoked" in published.output
    answer = verify(laboratory, out)
    assert answer.returncode != 0
    assert "certificate revoked" in answer.stderr


def test_the_certificate_goes_to_the_terminal_without_a_file(laboratory: Laboratory):
    answer = laboratory.issue()
    assert x509.load_pem_x509_certificate(answer.output.encode())


def test_every_list_gets_the_next_number(laboratory: Laboratory):
    assert laboratory.run("crl").exit_code == 0
    shown = openssl("crl", "-in", laboratory.pem("tsa_authority", "crl"), "-noout", "-crlnumber").stdout
    assert shown.strip() == "crlNumber=0x02"


def test_a_folder_that_is_not_empty_is_left_alone(laboratory: Laboratory):
    before = (laboratory.folder / "root" / "key.pem").read_bytes()
    answer = laboratory.run("init", "--organization", "X", "--url", "http://pki.example.com")
    assert answer.exit_code == 1
    assert "not empty" in answer.output
    assert (laboratory.folder / "root" / "key.pem").read_bytes() == before


def test_a_wrong_passphrase_issues_nothing(laboratory: Laboratory):
    laboratory.passphrase.write_text("bon nam sau\n")
    answer = laboratory.issue()
    assert answer.exit_code == 1
    assert not (laboratory.folder / "issuing_citizens" / "issued").exists()


def test_the_passphrase_is_asked_for_when_no_file_is_named(laboratory: Laboratory):
    answer = CliRunner().invoke(ca, ["crl", str(laboratory.folder), "--authority", "root"], input="mot hai ba\n")
    assert answer.exit_code == 0
    assert "mot hai ba" not in answer.output


def test_a_certificate_is_revoked_once(laboratory: Laboratory):
    laboratory.issue()
    serial = next((laboratory.folder / "issuing_citizens" / "issued").iterdir()).stem
    first = laboratory.run("revoke", serial, "--reason", "superseded", passphrase=False)
    second = laboratory.run("revoke", serial, "--reason", "key-compromise", passphrase=False)
    assert (first.exit_code, second.exit_code) == (0, 1)
    assert "revoked already" in second.output


@pytest.mark.parametrize(("serial", "code"), [("1234", 1), ("Lan", 2)])
def test_what_was_never_issued_cannot_be_revoked(laboratory: Laboratory, serial: str, code: int):
    assert laboratory.run("revoke", serial, "--reason", "superseded", passphrase=False).exit_code == code


def test_a_folder_without_authorities_says_so(tmp_path: Path):
    answer = Laboratory(tmp_path).issue()
    assert answer.exit_code == 1
    assert "no authorities" in answer.output


@pytest.mark.parametrize("arguments", [("--subject", "colour=green"), ("--subject", "common_name")])
def test_a_name_that_the_profile_does_not_have_is_refused(laboratory: Laboratory, arguments: tuple[str, str]):
    answer = laboratory.run("issue", "--profile", "citizen_signing", "--csr", laboratory.request(), *arguments)
    assert answer.exit_code == 2
    assert "given_name" in answer.output


def test_a_responder_needs_the_name_of_its_authority(laboratory: Laboratory):
    words = ("--profile", "ocsp_responder", "--csr", laboratory.request())
    words += ("--subject", "common_name=OCSP 1", "--subject", "organization=Thành phố Sông Biếc")
    assert laboratory.run("issue", *words).exit_code == 2
    assert laboratory.run("issue", *words, "--issuer", "issuing_seals").exit_code == 0


def test_an_authority_that_may_not_issue_a_profile_does_not(laboratory: Laboratory):
    answer = laboratory.issue("--issuer", "issuing_seals")
    assert answer.exit_code == 1
    assert "does not issue" in answer.output


def test_show_describes_certificates_lists_and_requests(laboratory: Laboratory):
    def shown(path: Path) -> str:
        return CliRunner().invoke(ca, ["show", str(path)]).output

    assert "Thành phố Sông Biếc Root G1" in shown(laboratory.folder / "root" / "certificate.der")
    assert "Subject" in shown(laboratory.pem("root"))
    assert "Revoked" in shown(laboratory.folder / "root" / "crl.der")
    assert "256 bits" in shown(laboratory.request())
    assert "it is damaged" in shown(laboratory.passphrase)
