"""Running the programs of others on what we make: arrangements, no tests."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

PKILINT = Path(__file__).resolve().parents[2] / ".venv-interop" / "bin"


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a program to its end; what it says and its exit code are for the test to judge."""
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, timeout=60)


def lint(program: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run one of pkilint's programs; its exit code is the number of findings at WARNING and above."""
    path = PKILINT / program
    if not path.exists():
        pytest.fail("pkilint is missing: run scripts/setup --test")
    return run(path, "lint", "-s", "WARNING", *words)


def certificate_file(path: Path, *certificates_der: bytes) -> Path:
    """Write certificates in PEM, in this order."""
    path.write_bytes(
        b"".join(x509.load_der_x509_certificate(one).public_bytes(Encoding.PEM) for one in certificates_der)
    )
    return path


def crl_file(path: Path, crl_der: bytes) -> Path:
    path.write_bytes(x509.load_der_x509_crl(crl_der).public_bytes(Encoding.PEM))
    return path
