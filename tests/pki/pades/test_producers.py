"""What other programs write is taken in, signed, and judged by a program that is not ours."""

from __future__ import annotations

import subprocess
from io import BytesIO
from pathlib import Path

import pytest

from pki.pades.intake import normalise
from scripts.bench.sign import Desk
from tests.factories import producers


@pytest.mark.parametrize("name", sorted(producers.ODD))
def test_an_odd_but_legal_file_is_taken_in_and_its_signature_is_valid(tmp_path: Path, name: str) -> None:
    taken = normalise(producers.ODD[name]())
    path = tmp_path / "signed.pdf"
    path.write_bytes(taken + Desk.arranged().sign(BytesIO(taken), "B-B"))
    said = subprocess.run(["pdfsig", "-nocert", str(path)], capture_output=True, text=True, check=False)
    assert "Signature is Valid" in said.stdout
    assert "Total document signed" in said.stdout
