"""PDF files: clean ones, signed ones, and hostile ones made from them by a few bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

import pikepdf
from asn1crypto import keys
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pikepdf import Array, Dictionary, Name
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.writer import PageObject
from pyhanko.sign.fields import (
    FieldMDPAction,
    FieldMDPSpec,
    MDPPerm,
    SigFieldSpec,
    SigSeedSubFilter,
    append_signature_field,
)
from pyhanko.sign.signers import PdfSignatureMetadata, SimpleSigner, sign_pdf
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko_certvalidator.registry import SimpleCertificateStore

from pki import tsa
from pki.authority import Issuer
from pki.chains import TrustStore
from pki.crl import build_crl
from pki.pades import cms
from pki.pades.appearance import Mark
from pki.pades.finish import finish
from pki.pades.placement import Placement
from pki.pades.prepare import PreparedSignature, prepare
from pki.profiles import ProfileName
from pki.revocation import RevocationReason, RevokedEntry, encode_entry
from pki.status_evidence import StatusEvidence
from tests.factories import pki as factory

POLICY = "1.3.6.1.4.1.32473.1.9"
MARK = Mark(("Ký bởi / Signed by", "Trần Văn Minh", "Sở Khoa học và Công nghệ", "22/11/2026 14:00:00 +07:00"))
# Clear of the text of `plain`, and of each other.
FIRST_PLACE = Placement(1, (300.0, 100.0, 490.0, 160.0))
SECOND_PLACE = Placement(1, (60.0, 100.0, 250.0, 160.0))


def plain(
    text: str = "Quyet dinh so 12", *, pages: int = 1, rotation: int = 0, box: tuple[int, ...] | None = None
) -> bytes:
    """Return a PDF of A4 pages that each show `text` (ASCII) near the top."""
    with pikepdf.new() as pdf:
        font = pdf.make_indirect(Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica))
        for _ in range(pages):
            page = pdf.add_blank_page(page_size=(595, 842))
            page.obj.Resources = Dictionary(Font=Dictionary(F1=font))
            page.obj.Contents = pdf.make_stream(f"BT /F1 14 Tf 80 740 Td ({text}) Tj ET".encode())
            if rotation:
                page.obj.Rotate = rotation
            if box is not None:
                page.obj.MediaBox = Array(list(box))
        return saved(pdf)


def saved(pdf: pikepdf.Pdf) -> bytes:
    output = BytesIO()
    disabled = pikepdf.ObjectStreamMode.disable
    pdf.save(output, min_version="1.7", object_stream_mode=disabled, compress_streams=False, deterministic_id=True)
    return output.getvalue()


def signer(key_name: str | None = None) -> factory.Leaf:
    return factory.certify(ProfileName.OFFICIAL_SIGNING, factory.MINH, key_name=key_name)


def timestamp_leaf(under: str = "root") -> factory.Leaf:
    return factory.certify(ProfileName.TSA_UNIT, factory.ServiceName("TSA 1", factory.CITY), under=under)


def timestamping(at: datetime, leaf: factory.Leaf | None = None) -> Callable[[bytes], bytes]:
    """Return a function that answers timestamp requests as `status` does, always with the time `at`."""
    chosen = leaf or timestamp_leaf()
    unit = tsa.TsaUnit(chosen.certificate_der, chosen.key, (chosen.issuer.certificate_der,), POLICY)

    def answer(request_der: bytes) -> bytes:
        return tsa.respond(tsa.parse_request(request_der), unit=unit, serial_number=7, now=at)

    return answer


def trust(*names: str) -> TrustStore:
    """Return the roots of that name (default: the city's), with their authorities for officials and timestamps."""
    return TrustStore(tuple(factory.root(name).certificate_der for name in names or ("root",)))


def evidence(
    *revoked: tuple[factory.Leaf, datetime, RevocationReason], now: datetime = factory.NOW, under: str = "root"
) -> StatusEvidence:
    """Return lists made at `now`, good for a day, in which `revoked` are named."""
    lists = [_list(ProfileName.ROOT, factory.root(under), (), now)]
    for profile in (ProfileName.ISSUING_OFFICIALS, ProfileName.TSA_AUTHORITY):
        issuer = factory.authority(profile, under)
        entries = [
            encode_entry(RevokedEntry(leaf.certificate.serial_number, at, reason))
            for leaf, at, reason in revoked
            if leaf.issuer.certificate_der == issuer.certificate_der
        ]
        lists.append(_list(profile, issuer, entries, now))
    return StatusEvidence(tuple(lists))


def _list(profile: ProfileName, issuer: Issuer, entries: Iterable[bytes], now: datetime) -> bytes:
    return build_crl(
        entries,
        issuer=issuer,
        number=1,
        now=now,
        lifetime=timedelta(days=1),
        distribution_point=f"{factory.BASE}/crl/{profile}/0.crl",
        only_ca=profile is ProfileName.ROOT,
    )


def prepared(pdf: bytes | None = None, *, leaf: factory.Leaf | None = None, **details: Any) -> PreparedSignature:
    by = leaf or signer()
    base = BytesIO(pdf or plain())
    return prepare(base, certificate_der=by.certificate_der, now=details.pop("now", factory.NOW), **details)


def signed(
    pdf: bytes | None = None,
    *,
    leaf: factory.Leaf | None = None,
    timestamp: Callable[[bytes], bytes] | None = None,
    **details: Any,
) -> bytes:
    """Return a PDF signed by `leaf` (default: an official), B-B, or B-T with `timestamp`."""
    by = leaf or signer()
    base = pdf or plain()
    waiting = prepared(base, leaf=by, **details)
    return base + finish(
        waiting,
        signature_value=by.key.sign(waiting.signed_attributes_der),
        certificate_der=by.certificate_der,
        chain_der=(by.issuer.certificate_der,),
        timestamp=timestamp,
    )


def whole(waiting: PreparedSignature, base: bytes | None = None) -> bytes:
    """Return the file with its empty place, for a base that is `plain` unless given."""
    made = (base or plain()) + waiting.appended
    assert len(made) == waiting.base_size + len(waiting.appended)
    return made


def assembled(
    waiting: PreparedSignature,
    leaf: factory.Leaf,
    *,
    base: bytes | None = None,
    stamped: bool = False,
    stamped_data: bytes | None = None,
) -> bytes:
    """Return the file with whatever attributes and timestamp were given: `finish` without its checks."""
    value = leaf.key.sign(waiting.signed_attributes_der)
    token = None
    if stamped:
        request = cms.timestamp_request(stamped_data or value, nonce=3)
        token = tsa.token_from_response(timestamping(factory.NOW)(request), request_der=request)
    content = cms.signed_data(
        value,
        attributes_der=waiting.signed_attributes_der,
        certificate_der=leaf.certificate_der,
        chain_der=(leaf.issuer.certificate_der,),
        timestamp_token_der=token,
    )
    _, start, end, _ = waiting.byte_range
    pdf = whole(waiting, base)
    return pdf[: start + 1] + content.hex().encode().ljust(end - start - 2, b"0") + pdf[end - 1 :]


def flipped(pdf: bytes, at: int) -> bytes:
    """Return the file with one bit of one byte turned."""
    return pdf[:at] + bytes([pdf[at] ^ 1]) + pdf[at + 1 :]


def updated(pdf: bytes, change: Callable[[IncrementalPdfFileWriter], None]) -> bytes:
    """Return the file with an incremental update that `change` writes."""
    writer = IncrementalPdfFileWriter(BytesIO(pdf), strict=False)
    change(writer)
    output = BytesIO()
    writer.write(output)
    return output.getvalue()


def with_other_text(pdf: bytes) -> bytes:
    """Return the file with an update that swaps what page 1 shows."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        page = writer.root["/Pages"]["/Kids"][0]
        page[pdf_name("/Contents")] = writer.add_object(
            generic.StreamObject(stream_data=b"BT /F1 14 Tf 80 740 Td (Quyet dinh so 99) Tj ET")
        )
        writer.update_container(page)

    return updated(pdf, change)


def with_new_page(pdf: bytes) -> bytes:
    """Return the file with an update that adds a page."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        stream = writer.add_object(generic.StreamObject(stream_data=b""))
        writer.insert_page(PageObject(contents=stream, media_box=(0, 0, 595, 842)))

    return updated(pdf, change)


def with_proofs(pdf: bytes) -> bytes:
    """Return the file with an update that adds certificates for the archive (a DSS)."""
    output = BytesIO(pdf)
    issuer = asn1_x509.Certificate.load(factory.authority(ProfileName.ISSUING_OFFICIALS).certificate_der)
    DocumentSecurityStore.add_dss(output, sig_contents=None, certs=[issuer])
    return output.getvalue()


def with_empty_field(pdf: bytes, box: tuple[int, int, int, int]) -> bytes:
    """Return the file with an update that adds a visible, unsigned signature field."""
    return updated(pdf, lambda writer: append_signature_field(writer, SigFieldSpec("sneaky", box=box)))


def with_copied_signature(pdf: bytes) -> bytes:
    """Return the file with an update that shows its signature in a second field, too."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        form = writer.root["/AcroForm"]
        value = form["/Fields"][0].get_object().raw_get("/V")
        append_signature_field(writer, SigFieldSpec("copy"))
        form["/Fields"][1].get_object()[pdf_name("/V")] = value
        writer.update_container(form["/Fields"][1].get_object())

    return updated(pdf, change)


def with_byte_range(pdf: bytes, numbers: str) -> bytes:
    """Return the file with other numbers in its (first) byte range, at the same length."""
    found = re.search(rb"/ByteRange \[([0-9 ]+)\]", pdf)
    assert found is not None
    return pdf[: found.start(1)] + numbers.encode().ljust(len(found.group(1)), b" ") + pdf[found.end(1) :]


def with_text_field() -> bytes:
    """Return an unsigned PDF with a form field over its text: the first half of a shadow attack."""
    with pikepdf.open(BytesIO(plain())) as pdf:
        page = pdf.pages[0].obj
        look = pdf.make_stream(b"", Type=Name.XObject, Subtype=Name.Form, BBox=[0, 0, 200, 20])
        entry = pdf.make_indirect(
            Dictionary(
                Type=Name.Annot,
                Subtype=Name.Widget,
                FT=Name.Tx,
                T="amount",
                V="100",
                F=4,
                Rect=[80, 700, 280, 720],
                AP=Dictionary(N=look),
                P=page,
            )
        )
        page.Annots = pdf.make_indirect(Array([entry]))
        pdf.Root.AcroForm = pdf.make_indirect(Dictionary(Fields=Array([entry]), DA="/Helv 0 Tf"))
        return saved(pdf)


def with_redrawn_field(pdf: bytes) -> bytes:
    """Return the file with an update that redraws its text field: the second half."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        entry = writer.root["/AcroForm"]["/Fields"][0].get_object()
        look = generic.StreamObject(
            {
                pdf_name("/Type"): pdf_name("/XObject"),
                pdf_name("/Subtype"): pdf_name("/Form"),
                pdf_name("/BBox"): generic.ArrayObject([generic.NumberObject(n) for n in (0, 0, 200, 20)]),
            },
            stream_data=b"0 0 200 20 re f",
        )
        entry[pdf_name("/AP")] = generic.DictionaryObject({pdf_name("/N"): writer.add_object(look)})
        entry[pdf_name("/V")] = generic.TextStringObject("900")
        writer.update_container(entry)

    return updated(pdf, change)


def with_group_of_fields() -> bytes:
    """Return an unsigned PDF with a field that has one small box below it."""
    with pikepdf.open(BytesIO(plain())) as pdf:
        page = pdf.pages[0].obj
        group = pdf.make_indirect(Dictionary(T="group", FT=Name.Sig))
        box = pdf.make_indirect(
            Dictionary(Type=Name.Annot, Subtype=Name.Widget, F=4, Rect=[10, 10, 20, 20], P=page, Parent=group)
        )
        group.Kids = pdf.make_indirect(Array([box]))
        page.Annots = pdf.make_indirect(Array([box]))
        pdf.Root.AcroForm = pdf.make_indirect(Dictionary(Fields=pdf.make_indirect(Array([group]))))
        return saved(pdf)


def _widget(writer: IncrementalPdfFileWriter, **changes: generic.PdfObject) -> generic.IndirectObject:
    numbers = generic.ArrayObject([generic.NumberObject(n) for n in (0, 0, 595, 842)])
    facts = {"Type": pdf_name("/Annot"), "Subtype": pdf_name("/Widget"), "Rect": numbers, **changes}
    return writer.add_object(generic.DictionaryObject({pdf_name("/" + key): value for key, value in facts.items()}))


def _fields(writer: IncrementalPdfFileWriter) -> generic.ArrayObject:
    return writer.root["/AcroForm"]["/Fields"]


def _show(writer: IncrementalPdfFileWriter, widget: generic.IndirectObject) -> None:
    annotations = writer.root["/Pages"]["/Kids"][0]["/Annots"]
    annotations.append(widget)
    writer.update_container(annotations)


def with_field_in_group(pdf: bytes) -> bytes:
    """Return the file of `with_group_of_fields` with an update that lays a box over the page, below that field."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        page = writer.root["/Pages"]["/Kids"].raw_get(0)
        group = _fields(writer)[0]
        widget = _widget(writer, P=page, Parent=_fields(writer).raw_get(0))
        group["/Kids"].append(widget)
        writer.update_container(group["/Kids"])
        _show(writer, widget)

    return updated(pdf, change)


def with_field_of_no_page(pdf: bytes) -> bytes:
    """Return the file with an update that adds a signature field which does not say where it stands."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        widget = _widget(writer, T=generic.TextStringObject("nowhere"), FT=pdf_name("/Sig"))
        _fields(writer).append(widget)
        writer.update_container(_fields(writer))

    return updated(pdf, change)


def with_endless_fields(pdf: bytes) -> bytes:
    """Return the file with an update that makes a field a part of itself."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        field = writer.add_object(generic.DictionaryObject({pdf_name("/T"): generic.TextStringObject("loop")}))
        field.get_object()[pdf_name("/Kids")] = generic.ArrayObject([field])
        _fields(writer).append(field)
        writer.update_container(_fields(writer))

    return updated(pdf, change)


def encrypted() -> bytes:
    output = BytesIO()
    with pikepdf.open(BytesIO(plain())) as pdf:
        pdf.save(output, encryption=pikepdf.Encryption(owner="owner", user=""))
    return output.getvalue()


def active(kind: str) -> bytes:
    """Return a PDF with an action of that kind, two dictionaries deep."""
    with pikepdf.open(BytesIO(plain())) as pdf:
        pdf.pages[0].obj.AA = Dictionary(O=Dictionary(S=Name("/" + kind), Next=Dictionary(S=Name.GoTo)))
        return saved(pdf)


def certified(permission: MDPPerm) -> bytes:
    """Return a PDF certified by another program with what may still change."""
    details = PdfSignatureMetadata(field_name="certified", certify=True, docmdp_permissions=permission)
    return sign_pdf(IncrementalPdfFileWriter(BytesIO(plain())), details, _other_program()).getvalue()


def locked() -> bytes:
    """Return a PDF in which an ordinary signer locked every field."""
    spec = SigFieldSpec("last", field_mdp_spec=FieldMDPSpec(FieldMDPAction.ALL))
    writer = IncrementalPdfFileWriter(BytesIO(plain()))
    details = PdfSignatureMetadata(field_name="last")
    return sign_pdf(writer, details, _other_program(), new_field_spec=spec).getvalue()


def closed_by_another_program() -> bytes:
    """Return a PDF in which a signer closed one field and allowed no changes."""
    lock = FieldMDPSpec(FieldMDPAction.INCLUDE, fields=["last"])
    spec = SigFieldSpec("last", field_mdp_spec=lock, doc_mdp_update_value=MDPPerm.NO_CHANGES)
    writer = IncrementalPdfFileWriter(BytesIO(plain()))
    details = PdfSignatureMetadata(field_name="last")
    return sign_pdf(writer, details, _other_program(), new_field_spec=spec).getvalue()


def signed_by_another_program(pdf: bytes, box: tuple[float, float, float, float]) -> bytes:
    """Return the file with one more signature, visible in `box` of page 1 wherever that is."""
    whole = (int(box[0]), int(box[1]), int(box[2]), int(box[3]))
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    details = PdfSignatureMetadata(field_name="other", subfilter=SigSeedSubFilter.PADES)
    return sign_pdf(writer, details, _other_program(), new_field_spec=SigFieldSpec("other", box=whole)).getvalue()


def _other_program() -> SimpleSigner:
    leaf = signer()
    key_der = leaf.key.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return SimpleSigner(
        signing_cert=asn1_x509.Certificate.load(leaf.certificate_der),
        signing_key=keys.PrivateKeyInfo.load(key_der),
        cert_registry=SimpleCertificateStore(),
    )


def with_page_loop() -> bytes:
    """Return a PDF whose tree of pages contains itself."""
    with pikepdf.open(BytesIO(plain())) as pdf:
        pdf.Root.Pages.Kids.append(pdf.Root.Pages)
        return saved(pdf)
