"""Proofs appended to signed files: what is added, what is not added twice, and what is refused."""

from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from pyhanko.pdf_utils.reader import PdfFileReader

from pki import tsa
from pki.errors import PdfRefused, TimestampRefused
from pki.pades import augment, dss
from pki.pades.augment import PreparedTimestamp
from pki.pades.dss import Material
from pki.pades.faults import PdfFault
from pki.pades.report import Verdict
from pki.pades.verify import verify
from pki.tsa import TimestampFailure, refuse
from tests.factories import pdfs, proofs
from tests.factories import pki as factory


def held(pdf: bytes) -> Material:
    return dss.read(PdfFileReader(BytesIO(pdf), strict=False))


def test_a_renewed_file_begins_with_the_file_it_was() -> None:
    base = proofs.b_t()
    renewed = proofs.b_lta(base)
    assert renewed.startswith(base)
    assert PdfFileReader(BytesIO(renewed)).total_revisions == PdfFileReader(BytesIO(base)).total_revisions + 1


def test_the_store_holds_each_object_once_however_often_it_is_added() -> None:
    material = proofs.material()
    once = proofs.b_lt()
    assert held(once) == material
    assert augment.add_validation_material(BytesIO(once), material.joined(material)) == b""


def test_what_is_new_joins_what_the_store_had() -> None:
    once = proofs.b_lt()
    more = Material(certificates_der=(pdfs.signer().certificate_der,), ocsps_der=(b"\x30\x00",))
    twice = once + augment.add_validation_material(BytesIO(once), more)
    assert held(twice) == held(once).joined(more)


def test_a_file_without_a_store_holds_nothing() -> None:
    assert not held(proofs.b_t())
    assert proofs.material()


def test_the_timestamp_is_over_every_byte_but_its_own_place() -> None:
    pdf = proofs.b_lta()
    stamp = PdfFileReader(BytesIO(pdf)).embedded_timestamp_signatures[-1]
    start, gap_start, gap_end, tail = list(map(int, stamp.byte_range))
    assert (start, gap_end + tail) == (0, len(pdf))
    padded = bytes(stamp.pkcs7_content)
    token = tsa.read_token(padded[: 4 + int.from_bytes(padded[2:4], "big")])
    assert token.imprint == hashlib.sha256(pdf[:gap_start] + pdf[gap_end:]).digest()


def test_every_renewal_has_a_field_of_its_own_and_our_check_finds_all_valid() -> None:
    pdf = proofs.b_lta()
    for _ in range(3):
        pdf += augment.renew(BytesIO(pdf), proofs.material(), pdfs.timestamping(proofs.STAMPED_AT))
    names = [one.field_name for one in PdfFileReader(BytesIO(pdf)).embedded_timestamp_signatures]
    assert names == [f"dau_thoi_gian_{number}" for number in (1, 2, 3, 4)]
    report = verify(pdf, trust=pdfs.trust(), evidence=pdfs.evidence(), now=proofs.STAMPED_AT)
    assert report.verdict is Verdict.VALID


def test_a_timestamp_alone_adds_no_store() -> None:
    base = proofs.b_b()
    pdf = base + augment.add_document_timestamp(BytesIO(base), timestamp=pdfs.timestamping(proofs.STAMPED_AT))
    assert not held(pdf)
    assert len(PdfFileReader(BytesIO(pdf)).embedded_timestamp_signatures) == 1


def test_a_newer_kind_of_pdf_needs_no_word_about_extensions() -> None:
    base = pdfs.signed(pdfs.plain().replace(b"%PDF-1.7", b"%PDF-2.0", 1))
    assert b"/ESIC" not in augment.add_validation_material(BytesIO(base), proofs.material())
    assert b"/ESIC" in augment.add_validation_material(BytesIO(proofs.b_b()), proofs.material())


@pytest.mark.parametrize(
    "act", [lambda pdf: augment.prepare(pdf, Material()), lambda pdf: augment.add_validation_material(pdf, Material())]
)
@pytest.mark.parametrize(
    ("pdf", "fault"), [(pdfs.encrypted(), PdfFault.ENCRYPTED), (b"%PDF-1.7 nothing", PdfFault.DAMAGED)]
)
def test_what_cannot_be_added_to_is_refused(act: Callable[[BytesIO], object], pdf: bytes, fault: PdfFault) -> None:
    with pytest.raises(PdfRefused) as caught:
        act(BytesIO(pdf))
    assert caught.value.fault is fault


def test_a_silent_timestamp_service_adds_nothing() -> None:
    with pytest.raises(TimestampRefused):
        augment.renew(BytesIO(proofs.b_t()), proofs.material(), lambda _: refuse(TimestampFailure.SYSTEM_FAILURE))


def test_a_token_over_another_file_is_refused() -> None:
    other = augment.request_for(augment.prepare(BytesIO(proofs.b_b()), Material()))
    answer = pdfs.timestamping(proofs.STAMPED_AT)
    with pytest.raises(TimestampRefused):
        augment.renew(BytesIO(proofs.b_t()), proofs.material(), lambda _: answer(other))


def test_a_token_larger_than_the_room_is_asked_for_again_with_room_for_it() -> None:
    leaf = pdfs.timestamp_leaf()
    chain = (
        leaf.issuer.certificate_der,
        *(factory.authority(one).certificate_der for one in factory.ISSUER_OF.values()),
    )
    unit = tsa.TsaUnit(leaf.certificate_der, leaf.key, chain * 2, pdfs.POLICY)
    asked: list[bytes] = []

    def answer(request_der: bytes) -> bytes:
        asked.append(request_der)
        return tsa.respond(tsa.parse_request(request_der), unit=unit, serial_number=9, now=proofs.STAMPED_AT)

    base = proofs.b_t()
    pdf = base + augment.renew(BytesIO(base), Material(), answer)
    assert len(asked) == 2
    assert verify(pdf, trust=pdfs.trust(), evidence=pdfs.evidence(), now=proofs.STAMPED_AT).verdict is Verdict.VALID


def test_a_token_that_does_not_fit_is_not_written() -> None:
    prepared = augment.prepare(BytesIO(proofs.b_t()), Material(), room=10)
    with pytest.raises(PdfRefused) as caught:
        augment.fill(prepared, bytes(11))
    assert caught.value.fault is PdfFault.SIGNATURE_TOO_LARGE


def test_what_was_prepared_goes_through_json_and_its_digest_can_be_worked_out_again() -> None:
    base = BytesIO(proofs.b_t())
    prepared = augment.prepare(base, proofs.material())
    assert PreparedTimestamp.from_json(prepared.to_json(), prepared.appended) == prepared
    assert augment.digest_of(base, prepared) == prepared.document_digest
    assert augment.digest_of(BytesIO(pdfs.flipped(proofs.b_t(), 40)), prepared) != prepared.document_digest


@pytest.mark.parametrize("gap", ["[1, 5]", "[99999999, 99999999]"])
def test_json_with_a_place_that_is_not_there_is_refused(gap: str) -> None:
    prepared = augment.prepare(BytesIO(proofs.b_t()), Material())
    wrong = prepared.to_json().replace(str(list(prepared.gap)), gap)
    with pytest.raises(PdfRefused) as caught:
        PreparedTimestamp.from_json(wrong, prepared.appended)
    assert caught.value.fault is PdfFault.BYTE_RANGE


def test_a_large_file_is_never_held_in_memory(tmp_path: Path) -> None:
    size = 100 * 1024 * 1024
    path = tmp_path / "large.pdf"
    with path.open("wb") as file:
        base = proofs.b_t()
        # A comment behind the end: the offsets of the file stay right, and its end mark moves to the end.
        trailer = base[base.rindex(b"startxref") :]
        file.write(base)
        for _ in range(100):
            file.write(b"\n%" + b" " * (size // 100 - 2))
        file.write(b"\n" + trailer)
    tracemalloc.start()
    with path.open("rb") as file:
        appended = augment.renew(file, proofs.material(), pdfs.timestamping(proofs.STAMPED_AT))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(appended) < 64 * 1024
    assert most < 16 * 1024 * 1024
