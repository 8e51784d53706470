"""OpenSSL, GnuTLS and pkilint on what a city has issued: certificates, every list, and answers of the status service.

Each judge sees files; none of our code takes part in a verdict. A judge that accepts what it must refuse counts too.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

_ROOT: Final = Path(__file__).resolve().parents[2]
_PKILINT: Final = (_ROOT / ".venv-interop/bin/python", _ROOT / "scripts/bench/pkilint_many.py")


class Files:
    """PEM files of a city in one folder."""

    def __init__(self, folder: Path, root_der: bytes, issuers_der: Iterable[bytes], lists_der: Iterable[bytes]) -> None:
        self.folder = folder
        self.root = self._pem("root", [_certificate(root_der)])
        self.issuers = self._pem("issuers", [_certificate(one) for one in issuers_der])
        self.anchors = self._pem("anchors", [_certificate(root_der), *(_certificate(one) for one in issuers_der)])
        self.lists = self._pem("lists", [_list(one) for one in lists_der])

    def certificate(self, name: str, certificate_der: bytes) -> Path:
        return self._pem(name, [_certificate(certificate_der)])

    def list_(self, name: str, crl_der: bytes) -> Path:
        return self._pem(name, [_list(crl_der)])

    def _pem(self, name: str, parts: Sequence[bytes]) -> Path:
        path = self.folder / f"{name}.pem"
        path.write_bytes(b"".join(parts))
        return path


def accepted_by_openssl(files: Files, certificates: Sequence[Path], *, batch: int = 50) -> int:
    """Return how many certificates OpenSSL accepts, with every list at hand and full checks."""
    count = 0
    for start in range(0, len(certificates), batch):
        said = _run(
            "openssl", "verify", "-x509_strict", "-extended_crl", "-crl_check_all", "-CAfile", files.root,
            "-untrusted", files.issuers, "-CRLfile", files.lists, *certificates[start : start + batch],
        )  # fmt: skip
        count += said.stdout.count(": OK\n")
    return count


def refused_by_openssl(files: Files, certificate: Path) -> bool:
    """Say whether OpenSSL refuses a certificate because it is revoked."""
    said = _run(
        "openssl", "verify", "-x509_strict", "-extended_crl", "-crl_check_all", "-CAfile", files.root,
        "-untrusted", files.issuers, "-CRLfile", files.lists, certificate,
    )  # fmt: skip
    return said.returncode != 0 and "certificate revoked" in said.stderr


def accepted_by_gnutls(files: Files, certificates: Sequence[Path]) -> int:
    """Return how many certificates certtool accepts."""
    words = ("certtool", "--verify", "--verify-profile=high", "--load-ca-certificate", files.anchors, "--infile")
    return sum(_run(*words, one).returncode == 0 for one in certificates)


def lists_accepted(lists: Sequence[tuple[Path, Path]]) -> tuple[int, int]:
    """Return how many lists OpenSSL and GnuTLS accept; each comes with its issuer."""
    by_openssl = sum(
        "verify OK" in _run("openssl", "crl", "-in", one, "-CAfile", issuer, "-noout").stderr for one, issuer in lists
    )
    by_gnutls = sum(
        _run("certtool", "--verify-crl", "--load-ca-certificate", issuer, "--infile", one).returncode == 0
        for one, issuer in lists
    )
    return by_openssl, by_gnutls


def ocsp_says(files: Files, issuer: Path, certificate: Path | int, url: str, answer: Path, hash_name: str) -> str:
    """Return the status that `openssl ocsp` reads from a verified answer: good, revoked, unknown, or what went wrong.

    `certificate` is a file or a serial number.
    """
    asked = ("-serial", f"{certificate:#x}") if isinstance(certificate, int) else ("-cert", certificate)
    said = _run(
        "openssl", "ocsp", f"-{hash_name}", "-issuer", issuer, *asked, "-url", url,
        "-CAfile", files.anchors, "-respout", answer,
    )  # fmt: skip
    if "Response verify OK" not in said.stderr:
        return said.stderr.strip() or said.stdout.strip()
    first = said.stdout.splitlines()[0]
    return first.rpartition(": ")[2]


def answers_accepted_by_gnutls(answers: Sequence[Path], issuer: Path) -> int:
    """Return how many stored answers ocsptool accepts."""
    words = ("ocsptool", "--verify-response", "--load-trust", issuer, "--load-response")
    return sum("Success" in _run(*words, one).stdout for one in answers)


def clean_for_pkilint(kind: str, paths: Sequence[Path]) -> int:
    """Return in how many files pkilint finds nothing."""
    said = _run(*_PKILINT, kind, *paths, patience=1_200)
    bad = said.stdout.strip().splitlines()[-1].split()[0] if said.stdout.strip() else str(len(paths))
    return len(paths) - int(bad)


def _certificate(certificate_der: bytes) -> bytes:
    return x509.load_der_x509_certificate(certificate_der).public_bytes(Encoding.PEM)


def _list(crl_der: bytes) -> bytes:
    return x509.load_der_x509_crl(crl_der).public_bytes(Encoding.PEM)


def _run(*words: object, patience: int = 120) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  programs of the machine on files of our own
        [str(word) for word in words], capture_output=True, text=True, check=False, timeout=patience
    )
