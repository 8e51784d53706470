"""Two requests make one signature: what is prepared, what is refused, what comes out."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from io import BytesIO

import pikepdf
import pytest
from asn1crypto import cms as asn1_cms
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from pyhanko.pdf_utils.misc import PdfReadError
from pyhanko.pdf_utils.reader import PdfFileReader

from pki import der
from pki.errors import PdfRefused, PkiError, SignatureMismatch, TimestampRefused
from pki.keys import Curve, SoftwareKey
from pki.pades import byte_range, cms
from pki.pades.appearance import Mark
from pki.pades.boundary import refusing
from pki.pades.cms import Commitment
from pki.pades.faults import PdfFault
from pki.pades.finish import finish
from pki.pades.later_changes import visible_fields
from pki.pades.placement import Placement
from pki.pades.prepare import PreparedSignature
from pki.tsa import TimestampFailure, refuse
from tests.factories import pdfs
from tests.factories import pki as factory
from tests.pki.test_tsa import foreign_leaf

OUTSIDE = Placement(1, (500.0, 100.0, 700.0, 160.0))


@pytest.fixture(scope="module")
def leaf() -> factory.Leaf:
    return pdfs.signer()


@pytest.fixture(scope="module")
def waiting(leaf: factory.Leaf) -> PreparedSignature:
    return pdfs.prepared(leaf=leaf, reason="Duyệt", location="Sông Biếc", signer_name="Trần Văn Minh")


def fault_of(error: pytest.ExceptionInfo[PdfRefused]) -> PdfFault:
    return PdfFault(error.value.fault)


def finished(waiting: PreparedSignature, leaf: factory.Leaf, value: bytes, **changes: object) -> bytes:
    facts = {"certificate_der": leaf.certificate_der, "timestamp": None, **changes}
    return pdfs.plain() + finish(waiting, signature_value=value, **facts)  # type: ignore[arg-type]  # a test passes what it likes


def test_the_attributes_are_exactly_type_digest_and_certificate(waiting: PreparedSignature, leaf: factory.Leaf) -> None:
    assert waiting.signed_attributes_der[0] == 0x31
    attributes = {
        one["type"].native: one["values"][0] for one in asn1_cms.CMSAttributes.load(waiting.signed_attributes_der)
    }
    assert set(attributes) == {"content_type", "message_digest", "signing_certificate_v2"}
    assert attributes["message_digest"].native == waiting.document_digest
    named = attributes["signing_certificate_v2"]["certs"][0]["cert_hash"].native
    assert named == hashlib.sha256(leaf.certificate_der).digest()


@pytest.mark.parametrize("commitment", list(Commitment))
def test_a_commitment_is_a_fourth_attribute_only_when_it_is_asked_for(
    leaf: factory.Leaf, commitment: Commitment
) -> None:
    waiting = pdfs.prepared(leaf=leaf, commitment=commitment)
    attributes = [one.children() for one in der.read(waiting.signed_attributes_der).children()]
    values = {kind.as_oid(): value for kind, value in attributes}
    assert len(values) == 4
    (indication,) = values["1.2.840.113549.1.9.16.2.16"].children()
    assert indication.children()[0].as_oid() == commitment.value
    assert finished(waiting, leaf, leaf.key.sign(waiting.signed_attributes_der)).startswith(pdfs.plain())


def test_the_message_is_der_that_another_encoder_writes_alike(leaf: factory.Leaf) -> None:
    waiting = pdfs.prepared(leaf=leaf)
    made = cms.signed_data(
        leaf.key.sign(waiting.signed_attributes_der),
        attributes_der=waiting.signed_attributes_der,
        certificate_der=leaf.certificate_der,
        chain_der=(leaf.issuer.certificate_der,),
        timestamp_token_der=None,
    )
    read = asn1_cms.ContentInfo.load(made, strict=True)
    assert read["content"]["signer_infos"][0]["signature_algorithm"]["algorithm"].native == "sha256_ecdsa"
    assert read.copy().dump(force=True) == made


def test_the_range_leaves_out_the_placeholder_alone_and_ends_at_the_end(waiting: PreparedSignature) -> None:
    start, gap_start, gap_end, tail = waiting.byte_range
    assert start == 0
    assert gap_end + tail == len(pdfs.whole(waiting))
    assert re.fullmatch(rb"<0+>", pdfs.whole(waiting)[gap_start:gap_end])
    written = re.search(rb"/ByteRange \[(\d+) (\d+) (\d+) (\d+) *\]", pdfs.whole(waiting))
    assert written is not None
    assert tuple(int(number) for number in written.groups()) == waiting.byte_range


def test_reason_place_and_name_stand_in_the_file_in_vietnamese(waiting: PreparedSignature) -> None:
    with pikepdf.open(BytesIO(pdfs.whole(waiting))) as pdf:
        value = pdf.Root.AcroForm.Fields[0].V
        assert [str(value[key]) for key in ("/Reason", "/Location", "/Name")] == [
            "Duyệt",
            "Sông Biếc",
            "Trần Văn Minh",
        ]


def test_what_was_prepared_goes_through_json(waiting: PreparedSignature) -> None:
    assert PreparedSignature.from_json(waiting.to_json(), BytesIO(pdfs.plain()), waiting.appended) == waiting


def test_json_of_one_file_does_not_fit_another(waiting: PreparedSignature) -> None:
    with pytest.raises(PdfRefused) as caught:
        PreparedSignature.from_json(waiting.to_json(), BytesIO(pdfs.flipped(pdfs.plain(), 40)), waiting.appended)
    assert fault_of(caught) is PdfFault.BYTE_RANGE


def test_json_of_a_longer_file_does_not_fit(waiting: PreparedSignature) -> None:
    with pytest.raises(PdfRefused) as caught:
        PreparedSignature.from_json(waiting.to_json(), BytesIO(pdfs.plain() + b" "), waiting.appended)
    assert fault_of(caught) is PdfFault.BYTE_RANGE


def test_a_mark_without_a_place_is_not_shown() -> None:
    with pikepdf.open(BytesIO(pdfs.signed(mark=pdfs.MARK))) as pdf:
        assert "/AP" not in pdf.Root.AcroForm.Fields[0]


def test_json_with_a_range_outside_the_file_is_refused(waiting: PreparedSignature) -> None:
    facts = {**json.loads(waiting.to_json()), "byte_range": [0, 5, 9, 3]}
    with pytest.raises(PdfRefused):
        PreparedSignature.from_json(json.dumps(facts), BytesIO(pdfs.plain()), waiting.appended)


def test_raw_and_der_values_give_the_same_file(waiting: PreparedSignature, leaf: factory.Leaf) -> None:
    der = leaf.key.sign(waiting.signed_attributes_der)
    r, s = decode_dss_signature(der)
    raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    assert finished(waiting, leaf, raw) == finished(waiting, leaf, der)


def test_nothing_outside_the_placeholder_changes_when_it_is_filled(
    waiting: PreparedSignature, leaf: factory.Leaf
) -> None:
    done = finished(waiting, leaf, leaf.key.sign(waiting.signed_attributes_der))
    _, gap_start, gap_end, _ = waiting.byte_range
    assert done[:gap_start] == pdfs.whole(waiting)[:gap_start]
    assert done[gap_end:] == pdfs.whole(waiting)[gap_end:]


@pytest.mark.parametrize("value", [b"", bytes(64), bytes(63), b"\xff" * 64, b"junk"])
def test_a_value_that_is_no_signature_is_refused(waiting: PreparedSignature, leaf: factory.Leaf, value: bytes) -> None:
    with pytest.raises(SignatureMismatch):
        finished(waiting, leaf, value)


def test_a_signature_by_another_key_is_refused(waiting: PreparedSignature, leaf: factory.Leaf) -> None:
    stranger = SoftwareKey.generate(Curve.P256).sign(waiting.signed_attributes_der)
    with pytest.raises(SignatureMismatch):
        finished(waiting, leaf, stranger)


def test_a_signature_over_other_bytes_is_refused(waiting: PreparedSignature, leaf: factory.Leaf) -> None:
    with pytest.raises(SignatureMismatch):
        finished(waiting, leaf, leaf.key.sign(waiting.signed_attributes_der + b"\0"))


def test_another_certificate_of_the_same_key_is_refused(waiting: PreparedSignature, leaf: factory.Leaf) -> None:
    other = pdfs.signer()
    assert other.certificate_der != leaf.certificate_der
    with pytest.raises(SignatureMismatch):
        finished(waiting, other, leaf.key.sign(waiting.signed_attributes_der))


def test_a_refusing_timestamp_service_leaves_no_signature_of_a_lower_level(
    waiting: PreparedSignature, leaf: factory.Leaf
) -> None:
    value = leaf.key.sign(waiting.signed_attributes_der)
    with pytest.raises(TimestampRefused):
        finished(waiting, leaf, value, timestamp=lambda _: refuse(TimestampFailure.SYSTEM_FAILURE))


def test_a_chain_too_large_for_the_room_is_refused(waiting: PreparedSignature, leaf: factory.Leaf) -> None:
    value = leaf.key.sign(waiting.signed_attributes_der)
    with pytest.raises(PdfRefused) as caught:
        finished(waiting, leaf, value, chain_der=[leaf.issuer.certificate_der + bytes([n]) for n in range(40)])
    assert fault_of(caught) is PdfFault.SIGNATURE_TOO_LARGE


def test_a_signature_by_an_rsa_key_is_accepted_and_by_an_unknown_kind_is_not() -> None:
    signed, key = b"attributes", rsa.generate_private_key(65537, 2048)
    cms.check_signature(SoftwareKey(key).sign(signed), signed, foreign_leaf(key))
    strange = ed25519.Ed25519PrivateKey.generate()
    with pytest.raises(SignatureMismatch):
        cms.check_signature(strange.sign(signed), signed, foreign_leaf(strange))


def test_a_message_of_an_rsa_signer_names_its_algorithm() -> None:
    key = rsa.generate_private_key(65537, 2048)
    made = cms.signed_data(
        b"value",
        attributes_der=cms.signed_attributes(bytes(32), foreign_leaf(key)),
        certificate_der=foreign_leaf(key),
        chain_der=(),
        timestamp_token_der=None,
    )
    (signer,) = asn1_cms.ContentInfo.load(made, strict=True)["content"]["signer_infos"]
    assert signer["signature_algorithm"]["algorithm"].native == "sha256_rsa"


def test_a_certificate_that_cannot_be_read_signs_nothing() -> None:
    with pytest.raises(SignatureMismatch):
        cms.check_signature(b"value", b"signed", b"no certificate")
    with pytest.raises(SignatureMismatch):
        cms.signed_data(b"v", attributes_der=b"1", certificate_der=b"no", chain_der=(), timestamp_token_der=None)


def test_a_field_name_is_used_once(leaf: factory.Leaf) -> None:
    first = pdfs.signed(leaf=leaf, field_name="ky_lanhdao")
    with pytest.raises(PdfRefused) as caught:
        pdfs.prepared(first, leaf=leaf, field_name="ky_lanhdao")
    assert fault_of(caught) is PdfFault.FIELD_TAKEN
    assert pdfs.prepared(first, leaf=leaf).field_name != "ky_lanhdao"


@pytest.mark.parametrize("placement", [OUTSIDE, replace(pdfs.FIRST_PLACE, page=2), replace(pdfs.FIRST_PLACE, page=0)])
def test_a_mark_that_is_not_on_a_page_is_refused(placement: Placement) -> None:
    with pytest.raises(PdfRefused) as caught:
        pdfs.prepared(mark=pdfs.MARK, placement=placement)
    assert fault_of(caught) is PdfFault.MARK_OUTSIDE_PAGE


@pytest.mark.parametrize("rectangle", [pdfs.FIRST_PLACE.rectangle, (70.0, 730.0, 260.0, 760.0)], ids=["mark", "text"])
def test_a_mark_over_what_somebody_signed_before_is_refused(rectangle: tuple[float, float, float, float]) -> None:
    over = Placement(1, rectangle)
    assert pdfs.prepared(mark=pdfs.MARK, placement=over).field_name == "signature_1"
    first = pdfs.signed(mark=pdfs.MARK, placement=pdfs.FIRST_PLACE)
    with pytest.raises(PdfRefused) as caught:
        pdfs.prepared(first, mark=pdfs.MARK, placement=over)
    assert fault_of(caught) is PdfFault.MARK_COVERS_CONTENT


def test_boxes_below_a_field_count_as_places_that_are_taken() -> None:
    first = pdfs.signed(pdfs.with_group_of_fields())
    pdfs.prepared(first, mark=pdfs.MARK, placement=pdfs.SECOND_PLACE)
    with pytest.raises(PdfRefused) as caught:
        pdfs.prepared(first, mark=pdfs.MARK, placement=Placement(1, (5.0, 5.0, 205.0, 65.0)))
    assert fault_of(caught) is PdfFault.MARK_COVERS_CONTENT


def test_a_tree_of_fields_without_end_is_damaged() -> None:
    endless = pdfs.with_endless_fields(pdfs.signed())
    with pytest.raises(PdfRefused) as caught:
        pdfs.prepared(endless, mark=pdfs.MARK, placement=pdfs.SECOND_PLACE)
    assert fault_of(caught) is PdfFault.DAMAGED


def test_a_tree_of_fields_without_end_has_no_visible_fields_to_compare() -> None:
    reader = PdfFileReader(BytesIO(pdfs.with_endless_fields(pdfs.signed())))
    with pytest.raises(PdfReadError):
        visible_fields(reader, None)


def test_a_mark_whose_letters_the_font_lacks_is_refused() -> None:
    with pytest.raises(PdfRefused) as caught:
        pdfs.prepared(mark=Mark(("漢字",)), placement=pdfs.FIRST_PLACE)
    assert fault_of(caught) is PdfFault.MARK_UNREADABLE


def test_what_is_no_pdf_cannot_be_prepared() -> None:
    with pytest.raises(PdfRefused) as caught:
        pdfs.prepared(b"%PDF-1.7 nothing")
    assert fault_of(caught) is PdfFault.DAMAGED


@pytest.mark.parametrize(
    ("content", "numbers", "sound"),
    [
        (b"ab<00>cd", [0, 2, 6, 2], True),
        (b"ab<00>cd", [0, 2, 6, 1], False),
        (b"ab<00>cd", [1, 2, 6, 2], False),
        (b"ab<00>cd", [0, 2, 6], False),
        (b"ab<00>cd", [0, 0, 6, 2], False),
        (b"ab<0>cd", [0, 2, 5, 2], False),
        (b"ab<0x>cd", [0, 2, 6, 2], False),
        (b"ab<00 cd", [0, 2, 6, 2], False),
        (b"ab(00)cd", [0, 2, 6, 2], False),
        (b"ab<00>", [0, 2, 6, 0], False),
        (b"ab<00>cd", [0, 6, 2, 6], False),
        (b"ab<00>cd", [0, 2, 6, -1], False),
    ],
)
def test_a_byte_range_leaves_out_one_hexadecimal_string_and_nothing_else(
    content: bytes, numbers: list[int], sound: bool
) -> None:
    assert byte_range.is_sound(content, numbers) is sound
    if sound:
        assert byte_range.digest(content, numbers) == hashlib.sha256(b"abcd").digest()
    else:
        with pytest.raises(PdfRefused):
            byte_range.digest(content, numbers)


def test_our_own_errors_pass_the_boundary_and_all_others_become_a_fault() -> None:
    with pytest.raises(PkiError) as ours, refusing(PdfFault.DAMAGED):
        raise SignatureMismatch
    assert ours.type is SignatureMismatch
    with pytest.raises(PdfRefused), refusing(PdfFault.DAMAGED):
        raise RecursionError
