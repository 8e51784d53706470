"""Proofs that we append, before `pdfsig`, `qpdf`, `openssl ts` and pyHanko's own check; with manipulated twins."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from asn1crypto import x509 as asn1_x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESPassed, AdESSubIndic
from pyhanko.sign.validation.ades import ades_lta_validation
from pyhanko.sign.validation.policy_decl import (
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.policy_decl import CertRevTrustPolicy, RevocationCheckingPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager

from tests.factories import pdfs
from tests.factories import pki as factory
from tests.factories import proofs as files
from tests.interop.judges import certificate_file, run

VALID = "Signature is Valid"
WHOLE = "Total document signed"


def renewed(times: int) -> bytes:
    """Return a file of level B-LTA that was renewed so many times, an hour apart."""
    pdf = files.b_lta()
    for number in range(1, times + 1):
        pdf = files.b_lta(pdf, at=files.STAMPED_AT + timedelta(hours=number))
    return pdf


def stamps(pdf: bytes) -> list[tuple[bytes, bytes]]:
    """Return what each document timestamp covers and its token, found without our own code."""
    found = []
    # The first range is the signature's.
    for numbers in list(re.finditer(rb"/ByteRange \[(\d+) (\d+) (\d+) (\d+) *\]", pdf))[1:]:
        _, start, end, tail = (int(number) for number in numbers.groups())
        padded = bytes.fromhex(pdf[start + 1 : end - 1].decode())
        found.append((pdf[:start] + pdf[end : end + tail], padded[: 4 + int.from_bytes(padded[2:4], "big")]))
    return found


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("times", [0, 1, 4])
def test_poppler_finds_the_signature_valid_and_the_newest_timestamp_over_the_whole_file(
    tmp_path: Path, times: int
) -> None:
    said = run("pdfsig", "-nocert", written(tmp_path / "lta.pdf", renewed(times))).stdout
    assert said.count(VALID) == 1
    assert said.count("Signature #") == times + 2
    assert WHOLE in said.split("Signature #")[-1]


def test_poppler_finds_a_changed_file_not_valid(tmp_path: Path) -> None:
    changed = pdfs.flipped(renewed(0), 12)
    assert VALID not in run("pdfsig", "-nocert", written(tmp_path / "changed.pdf", changed)).stdout


@pytest.mark.parametrize("pdf", [files.b_lt(), renewed(0), renewed(3)], ids=["B-LT", "B-LTA", "renewed"])
def test_qpdf_has_nothing_to_say(tmp_path: Path, pdf: bytes) -> None:
    whole = run("qpdf", "--check", written(tmp_path / "lta.pdf", pdf))
    assert whole.returncode == 0, whole.stdout + whole.stderr


@pytest.mark.parametrize("change", ["nothing", "one bit"])
def test_openssl_verifies_every_document_timestamp_over_what_it_covers(tmp_path: Path, change: str) -> None:
    found = stamps(renewed(2))
    assert len(found) == 3
    unit = files.unit()
    trusted = certificate_file(tmp_path / "root.pem", factory.root().certificate_der)
    between = certificate_file(tmp_path / "tsa.pem", unit.issuer.certificate_der)
    for number, (covered, token) in enumerate(found):
        judged = run(
            *("openssl", "ts", "-verify", "-token_in", "-attime", str(int(factory.NOW.timestamp()))),
            *("-in", written(tmp_path / f"{number}.der", token)),
            *("-data", written(tmp_path / f"{number}", covered if change == "nothing" else pdfs.flipped(covered, 12))),
            *("-CAfile", trusted, "-untrusted", between),
        )
        assert (judged.returncode == 0) is (change == "nothing"), judged.stderr


def judged_by_pyhanko(pdf: bytes, root_der: bytes, at: datetime) -> AdESSubIndic:
    policy = CertValidationPolicySpec(
        trust_manager=SimpleTrustManager.build(trust_roots=[asn1_x509.Certificate.load(root_der)]),
        revinfo_policy=CertRevTrustPolicy(RevocationCheckingPolicy.from_legacy("require")),
    )
    spec = SignatureValidationSpec(
        cert_validation_policy=policy,
        revinfo_gathering_policy=RevocationInfoGatheringSpec(RevinfoOnlineFetchingRule.LOCAL_ONLY),
    )
    (signature,) = PdfFileReader(BytesIO(pdf)).embedded_regular_signatures
    timing = ValidationTimingInfo(validation_time=at, best_signature_time=at, point_in_time_validation=True)
    return asyncio.run(
        ades_lta_validation(signature, PdfSignatureValidationSpec(spec), timing_info=timing)
    ).ades_subindic


@pytest.mark.parametrize("times", [0, 2])
def test_pyhanko_passes_the_file_by_what_it_holds_alone(times: int) -> None:
    at = files.STAMPED_AT + timedelta(hours=times, minutes=5)
    assert judged_by_pyhanko(renewed(times), factory.root().certificate_der, at) is AdESPassed.OK


def test_pyhanko_does_not_pass_it_under_another_root() -> None:
    at = files.STAMPED_AT + timedelta(minutes=5)
    assert judged_by_pyhanko(renewed(0), factory.root("foreign").certificate_der, at) is not AdESPassed.OK
