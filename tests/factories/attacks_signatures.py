"""Hostile PDF files that copy, alter or repeat signatures and timestamps, or do what a signature's lock forbids."""

from __future__ import annotations

import re

from asn1crypto import cms as asn1_cms
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, append_signature_field

from tests.factories import pdfs, proofs
from tests.factories import pki as factory

_GAP = re.compile(rb"<([0-9a-fA-F]{2000,})>")


def with_other_reason(pdf: bytes) -> bytes:
    """Spoofing: the signature's dictionary says something else about itself."""
    return pdf.replace(b"/Type /Sig", b"/Type /Sif", 1)


def with_reason_by_update(pdf: bytes) -> bytes:
    """Spoofing: an update gives the signature another reason and name."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        value = writer.root["/AcroForm"]["/Fields"][0]["/V"]
        value[pdf_name("/Reason")] = generic.TextStringObject("Tôi không đồng ý")
        value[pdf_name("/Name")] = generic.TextStringObject("Chủ tịch")
        writer.update_container(value)

    return pdfs.updated(pdf, change)


def with_signature_object_copied(pdf: bytes) -> bytes:
    """Spoofing: a second object with the same value and range, in a field of its own."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        form = writer.root["/AcroForm"]
        value = form["/Fields"][0].get_object()["/V"]
        same = generic.DictionaryObject({key: value.raw_get(key) for key in value})
        append_signature_field(writer, SigFieldSpec("copy"))
        field = form["/Fields"][1].get_object()
        field[pdf_name("/V")] = writer.add_object(same)
        writer.update_container(field)

    return pdfs.updated(pdf, change)


def with_value_of_another_file(pdf: bytes) -> bytes:
    """Spoofing: the value was made for another file by the same person."""
    return _with_value(pdf, _value(pdfs.signed(pdfs.plain("Another"), timestamp=pdfs.timestamping(factory.NOW))))


def _value(pdf: bytes) -> asn1_cms.ContentInfo:
    found = _GAP.search(pdf)
    assert found is not None
    return asn1_cms.ContentInfo.load(bytes.fromhex(found[1].decode()))


def _with_value(pdf: bytes, value: asn1_cms.ContentInfo) -> bytes:
    found = _GAP.search(pdf)
    assert found is not None
    filled = value.dump().hex().encode().ljust(len(found[1]), b"0")
    assert len(filled) == len(found[1])
    return pdf[: found.start(1)] + filled + pdf[found.end(1) :]


def with_timestamp_of_another_signature(pdf: bytes) -> bytes:
    """A timestamp over another value, copied into this signature, where nothing covers it."""
    other = _value(pdfs.signed(pdfs.plain("Another"), timestamp=pdfs.timestamping(factory.NOW)))
    value = _value(pdf)
    value["content"]["signer_infos"][0]["unsigned_attrs"] = other["content"]["signer_infos"][0]["unsigned_attrs"]
    return _with_value(pdf, value)


def with_second_timestamp_of_another_signature(pdf: bytes) -> bytes:
    """The same beside the true one."""
    other = _value(pdfs.signed(pdfs.plain("Another"), timestamp=pdfs.timestamping(factory.NOW)))
    value = _value(pdf)
    attributes = value["content"]["signer_infos"][0]["unsigned_attrs"]
    value["content"]["signer_infos"][0]["unsigned_attrs"] = asn1_cms.CMSAttributes(
        [*attributes, other["content"]["signer_infos"][0]["unsigned_attrs"][0]]
    )
    return _with_value(pdf, value)


def with_timestamp_that_is_none(pdf: bytes) -> bytes:
    """Plain data where a timestamp belongs."""
    value = _value(pdf)
    nothing = asn1_cms.ContentInfo({"content_type": "data", "content": b"yesterday"})
    attribute = asn1_cms.CMSAttribute({"type": "signature_time_stamp_token", "values": [nothing]})
    value["content"]["signer_infos"][0]["unsigned_attrs"] = asn1_cms.CMSAttributes([attribute])
    return _with_value(pdf, value)


def with_document_timestamp_copied(pdf: bytes) -> bytes:
    """The timestamp of another file stands where this one's stood."""
    other = proofs.b_lta(pdfs.signed(pdfs.plain("Another")))
    place, source = (one.rindex(b"/Contents <") + len(b"/Contents <") for one in (pdf, other))
    length = pdf.index(b">", place) - place
    return pdf[:place] + other[source : source + length] + pdf[place + length :]


def with_document_timestamp_twice(pdf: bytes) -> bytes:
    """A second field shows the same document timestamp."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        form = writer.root["/AcroForm"]
        stamps = [one.get_object() for one in form["/Fields"]]
        value = next(one for one in stamps if "/V" in one and one["/V"]["/Type"] == "/DocTimeStamp").raw_get("/V")
        append_signature_field(writer, SigFieldSpec("again"))
        field = form["/Fields"][len(stamps)].get_object()
        field[pdf_name("/V")] = value
        writer.update_container(field)

    return pdfs.updated(pdf, change)


def with_padding_of_its_own(pdf: bytes) -> bytes:
    """Spoofing: a copy of the signature object whose unsigned part and padding are others."""

    def change(writer: IncrementalPdfFileWriter) -> None:
        form = writer.root["/AcroForm"]
        value = form["/Fields"][0].get_object()["/V"]
        bare = _value(pdf)
        bare["content"]["signer_infos"][0]["unsigned_attrs"] = asn1_cms.CMSAttributes([])
        same = generic.DictionaryObject({key: value.raw_get(key) for key in value})
        same[pdf_name("/Contents")] = generic.ByteStringObject(bare.dump() + bytes(64))
        append_signature_field(writer, SigFieldSpec("copy"))
        field = form["/Fields"][1].get_object()
        field[pdf_name("/V")] = writer.add_object(same)
        writer.update_container(field)

    return pdfs.updated(pdf, change)


def with_signature_in_closed_field(pdf: bytes) -> bytes:
    """A further signature where an earlier one closed every field."""
    return pdfs.signed_by_another_program(pdf, (60, 100, 250, 160))
