"""Claims of documents before a second COSE library and zxing; each with twins that must fail."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from PIL import Image, ImageFilter

from pki.claim_mark import MM_PER_POINT
from pki.document_claim import DocumentClaim
from pki.passes import digits
from pki.passes.digits import Form
from tests.factories.claims import CLAIM, KID, code, mark, picture
from tests.factories.passes import public, token

HERE = Path(__file__).resolve()
JUDGE = HERE.parents[2] / ".venv-interop/bin/python"
LONGEST = replace(CLAIM, number="0" * 48)


@cache
def judgement() -> list[dict[str, Any]]:
    if not JUDGE.exists():
        pytest.fail("the second COSE library is missing: run scripts/setup --test")
    good = digits.decode(code(), Form.CLAIM)
    messages = [good, good[:-1] + bytes([good[-1] ^ 1]), token(key="seal", kid=KID)]
    asked = {
        "kid": KID.hex(),
        "public": public("seal").public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        "context": b"kyvao document claim 1".hex(),
        "messages": [one.hex() for one in messages],
    }
    done = subprocess.run(
        [JUDGE, HERE.parent / "cose_claim_judge.py"],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_a_second_cose_library_verifies_our_claim_under_its_context_and_not_without() -> None:
    assert judgement()[0]["payload"] == CLAIM.encode().hex()
    assert "refused" in judgement()[0]["without"]


def test_what_we_refuse_the_second_cose_library_refuses_too() -> None:
    assert "refused" in judgement()[1]
    # A pass of the same key: its signature is good, under the context of passes.
    assert "refused" in judgement()[2]


def printed(claim: DocumentClaim, *, rotation: int = 0) -> Image.Image:
    """The code as an office printer's page scanned at 200 dpi, at the side we ask for."""
    shown = mark(claim)
    side = shown.side_mm / MM_PER_POINT
    return picture(shown.render(width=side, height=side, rotation=rotation), dpi=200)


def scan(image: Image.Image) -> str | None:
    found = zxingcpp.read_barcode(image)
    return found.text if found is not None else None


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("claim", [CLAIM, LONGEST], ids=["usual", "longest"])
def test_zxing_reads_the_printed_code(claim: DocumentClaim, rotation: int) -> None:
    text = scan(printed(claim, rotation=rotation))
    assert text is not None
    address, _, written = text.partition("#")
    assert address == "HTTPS://KYVAO.SONGBIEC.GOV.VN/D"
    assert digits.decode(written, Form.CLAIM)


@pytest.mark.parametrize("claim", [CLAIM, LONGEST], ids=["usual", "longest"])
def test_zxing_still_reads_it_blurred_tilted_and_pale(claim: DocumentClaim) -> None:
    image = printed(claim)
    page = Image.new("L", (image.width * 2, image.height * 2), 255)
    page.paste(image, (image.width // 2, image.height // 2))
    pale = page.point(lambda value: 70 + value * 150 // 255).rotate(
        11, fillcolor=220, resample=Image.Resampling.BICUBIC
    )
    assert scan(pale.filter(ImageFilter.GaussianBlur(0.8))) == scan(image) is not None
    assert scan(Image.new("L", page.size, 255)) is None
