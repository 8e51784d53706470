"""`kyvao pass decode`: what it says and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.cli import main
from pki.keys import Curve
from pki.passes import digits
from pki.profiles import ProfileName
from tests.factories import pki
from tests.factories.passes import CLAIMS, token

GOOD = digits.encode(token())
LOADED = """
import sys
from app.cli import PARTS
PARTS["pass"].load()
print(*{"flask", "sqlalchemy", "psycopg", "procrastinate"} & set(sys.modules))
"""


def key_file(folder: Path, name: str = "agency", curve: Curve = Curve.P256) -> str:
    path = folder / f"{name}.pem"
    public = pki.key(name, curve).public_key
    path.write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return str(path)


def decode(*words: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(main, ["pass", "decode", *words], input=typed)


def test_a_good_pass_shows_its_claims_in_the_time_of_the_city(tmp_path: Path) -> None:
    answer = decode(GOOD, "--key", key_file(tmp_path))
    assert answer.exit_code == 0, answer.output
    for shown in ("The signature holds.", "23/11/2026 08:00", "23/11/2026 10:30", "17"):
        assert shown in answer.stdout


def test_the_answer_in_json_has_every_claim_but_the_secret(tmp_path: Path) -> None:
    answer = decode(GOOD, "--json", "--key", key_file(tmp_path))
    assert json.loads(answer.stdout) == {
        "valid": True,
        "meeting": 17,
        "not_before": "2026-11-23T01:00:00+00:00",
        "not_after": "2026-11-23T03:30:00+00:00",
        "status_index": 4242,
        "zones": 2,
        "flags": 0,
        "slot": 0,
    }
    assert CLAIMS.pass_id.hex() not in answer.stdout


def test_digits_come_from_standard_input_too(tmp_path: Path) -> None:
    assert decode("-", "--key", key_file(tmp_path), typed=f"{GOOD}\n").exit_code == 0


def test_the_certificate_of_a_pass_signer_serves_as_its_key(tmp_path: Path) -> None:
    leaf = pki.certify(ProfileName.PASS_SIGNER, pki.OFFICE, key_name="agency")
    path = tmp_path / "signer.pem"
    path.write_bytes(leaf.certificate.public_bytes(Encoding.PEM))
    assert decode(GOOD, "--key", str(path)).exit_code == 0


@pytest.mark.parametrize(
    ("written", "key", "code", "fault"),
    [
        (GOOD, "stranger", 1, "bad_signature"),
        (GOOD[:-1], "agency", 2, "malformed"),
        ("https://songbiec.example/", "agency", 2, "not_ours"),
    ],
)
def test_a_pass_that_does_not_hold_says_why_and_what_to_do(
    tmp_path: Path, written: str, key: str, code: int, fault: str
) -> None:
    answer = decode(written, "--key", key_file(tmp_path, key))
    assert answer.exit_code == code
    assert answer.stdout == ""
    assert answer.stderr.strip().endswith(".")
    in_json = decode(written, "--json", "--key", key_file(tmp_path, key))
    assert (in_json.exit_code, json.loads(in_json.stdout)) == (code, {"valid": False, "fault": fault})


def test_a_key_that_is_none_or_of_another_kind_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    for path in (str(tmp_path / "empty.pem"), key_file(tmp_path, "wide", Curve.P384), str(tmp_path / "absent.pem")):
        answer = decode(GOOD, "--key", path)
        assert answer.exit_code == 2
        assert Path(path).name in answer.stderr


def test_reading_a_pass_loads_neither_the_web_nor_a_database() -> None:
    loaded = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == ""
