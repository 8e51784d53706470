"""Passes before a second COSE library, zxing, and OpenSSL; each with twins that must fail."""

from __future__ import annotations

import io
import json
import subprocess
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from PIL import Image, ImageFilter

from pki.errors import PassRejected
from pki.passes import claims as pass_claims
from pki.passes import cose, digits, qr
from pki.passes.claims import PassClaims, PassFlags
from pki.passes.qr import Level
from tests.factories.passes import CLAIMS, KID, LONGEST, public, token
from tests.factories.pki import key

HERE = Path(__file__).resolve()
JUDGE = HERE.parents[2] / ".venv-interop/bin/python"
PASSES = [CLAIMS, LONGEST, replace(CLAIMS, validity=timedelta(minutes=1), flags=PassFlags.COMPANION, slot=5)]
SPOILED = {
    "payload": lambda good: good[:30] + bytes([good[30] ^ 1]) + good[31:],
    "signature": lambda good: good[:-1] + bytes([good[-1] ^ 1]),
    "algorithm": lambda good: good.replace(b"\x01\x26", b"\x01\x27", 1),
    "another signer": lambda good: token(key="stranger"),
}


@cache
def judgement() -> dict[str, Any]:
    """Ask once about everything: starting the other library takes longer than its answers."""
    if not JUDGE.exists():
        pytest.fail("the second COSE library is missing: run scripts/setup --test")
    secret = key("agency").private_key
    asked = {
        "kid": KID.hex(),
        "public": public().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        "private": secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        "messages": [token(one).hex() for one in PASSES] + [spoil(token()).hex() for spoil in SPOILED.values()],
        "payload": CLAIMS.encode().hex(),
    }
    done = subprocess.run(
        [JUDGE, HERE.parent / "cose_judge.py"], input=json.dumps(asked), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize("at", range(len(PASSES)))
def test_a_second_cose_library_verifies_our_pass_and_reads_its_claims(at: int) -> None:
    claims = PASSES[at]
    assert judgement()["verified"][at] == {
        "nbf": int(claims.not_before.timestamp()),
        "cti": claims.pass_id.hex(),
        "private": [
            claims.validity // timedelta(minutes=1),
            claims.meeting,
            claims.status_index,
            claims.zones,
            int(claims.flags),
            claims.slot,
        ],
    }


@pytest.mark.parametrize("at", range(len(SPOILED)), ids=list(SPOILED))
def test_what_we_refuse_the_second_cose_library_refuses_too(at: int) -> None:
    assert "refused" in judgement()["verified"][len(PASSES) + at]
    with pytest.raises(PassRejected):
        pass_claims.verify(list(SPOILED.values())[at](token()), public())


def test_we_read_a_pass_that_the_second_cose_library_signed() -> None:
    message = bytes.fromhex(judgement()["signed"])
    assert pass_claims.verify(message, public()) == CLAIMS
    with pytest.raises(PassRejected):
        pass_claims.verify(message, public("stranger"))


def test_openssl_verifies_the_signature_over_the_structure_of_rfc_9052(tmp_path: Path) -> None:
    signed = cose.parse(token())
    r, s = (int.from_bytes(half, "big") for half in (signed.signature[:32], signed.signature[32:]))
    # Sig_structure written by hand: four items, "Signature1", protected, no external data, payload.
    structure = b"\x84\x6aSignature1" + bytes([0x40 + len(signed.protected)]) + signed.protected + b"\x40"
    structure += b"\x58" + bytes([len(signed.payload)]) + signed.payload
    files = {"key.pem": public().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)}
    files |= {"signature": encode_dss_signature(r, s), "good": structure, "bad": structure[:-1] + b"\x01"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    for name, code in (("good", 0), ("bad", 1)):
        command = ["openssl", "dgst", "-sha256", "-verify", "key.pem", "-signature", "signature", name]
        assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == code


def scan(picture: Image.Image) -> zxingcpp.Barcode | None:
    return zxingcpp.read_barcode(picture.convert("L"))


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("claims", PASSES)
def test_zxing_reads_our_png_at_the_level_we_asked_for(claims: PassClaims, level: Level) -> None:
    written = digits.encode(token(claims))
    found = scan(Image.open(io.BytesIO(qr.render_png(written, level))))
    assert found is not None
    assert found.text == written
    assert found.format == zxingcpp.BarcodeFormat.QRCode
    assert found.ec_level == level


def test_zxing_reads_our_svg_as_another_program_draws_it(tmp_path: Path) -> None:
    written = digits.encode(token())
    (tmp_path / "pass.svg").write_text(qr.render_svg(written))
    command = ["ffmpeg", "-v", "error", "-i", "pass.svg", "-vf", "scale=570:570:flags=neighbor", "pass.png"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=60)
    found = scan(Image.open(tmp_path / "pass.png"))
    assert found is not None
    assert found.text == written


def test_zxing_still_reads_a_dim_blurred_tilted_pass_and_nothing_on_a_blank_page() -> None:
    written = digits.encode(token(LONGEST))
    picture = Image.open(io.BytesIO(qr.render_png(written, Level.PAPER, scale=6))).convert("L")
    dim = picture.point(lambda value: 90 + value * 90 // 255).rotate(17, expand=True, fillcolor=180)
    found = scan(dim.filter(ImageFilter.GaussianBlur(1.5)))
    assert found is not None
    assert found.text == written
    assert scan(Image.new("L", picture.size, 255)) is None


def test_a_scratched_paper_pass_survives() -> None:
    written = digits.encode(token())
    picture = Image.open(io.BytesIO(qr.render_png(written, Level.PAPER))).convert("L")
    size = picture.size[0]
    picture.paste(255, (size // 2, size // 2, size // 2 + size // 6, size // 2 + size // 6))
    found = scan(picture)
    assert found is not None
    assert found.text == written


def test_a_pass_read_from_its_picture_opens_to_the_claims_that_were_signed() -> None:
    found = scan(Image.open(io.BytesIO(qr.render_png(digits.encode(token())))))
    assert found is not None
    assert pass_claims.verify(digits.decode(found.text), public()) == CLAIMS
