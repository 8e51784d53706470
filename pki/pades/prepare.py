"""First half of a signature: the PDF with an empty place for it, and the attributes that the signer's key must sign.

The key is elsewhere (a browser, a file, a token); `pki.pades.finish` takes its answer.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from typing import Final, Self

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter, VisibleSigSettings
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigObjSetup
from pyhanko.sign.signers.pdf_byterange import PdfSignedData

from pki.errors import PdfRefused
from pki.pades import byte_range as gap
from pki.pades import cms
from pki.pades.appearance import Mark, render
from pki.pades.boundary import refusing
from pki.pades.faults import PdfFault
from pki.pades.geometry import page_geometries
from pki.pades.later_changes import visible_fields
from pki.pades.overlap import covers_content
from pki.pades.placement import PageGeometry, Placement, check_inside

# Room for the CMS object in hexadecimal digits: 16 KiB of DER holds the chain and a foreign timestamp of 10 KB.
_RESERVED_DIGITS: Final = 32768


@dataclass(frozen=True)
class PreparedSignature:
    """A PDF that waits for its signature; `to_json` keeps all but the file between two requests."""

    prepared_pdf: bytes = field(repr=False)
    # SHA-256 over the byte range.
    document_digest: bytes
    byte_range: tuple[int, int, int, int]
    # DER SET OF, tag 0x31: give these bytes, not their digest, to WebCrypto.
    signed_attributes_der: bytes
    field_name: str
    certificate_sha256: bytes

    def to_json(self) -> str:
        """Return everything but the file as JSON text, bytes in base64."""
        return json.dumps(
            {
                "document_digest": base64.b64encode(self.document_digest).decode(),
                "byte_range": list(self.byte_range),
                "signed_attributes_der": base64.b64encode(self.signed_attributes_der).decode(),
                "field_name": self.field_name,
                "certificate_sha256": base64.b64encode(self.certificate_sha256).decode(),
            }
        )

    @classmethod
    def from_json(cls, text: str, prepared_pdf: bytes) -> Self:
        """Rebuild from `to_json` and the stored file. Raises PdfRefused(BYTE_RANGE) if they do not belong together."""
        facts = json.loads(text)
        start, gap_start, gap_end, tail = facts["byte_range"]
        prepared = cls(
            prepared_pdf=prepared_pdf,
            document_digest=base64.b64decode(facts["document_digest"]),
            byte_range=(start, gap_start, gap_end, tail),
            signed_attributes_der=base64.b64decode(facts["signed_attributes_der"]),
            field_name=facts["field_name"],
            certificate_sha256=base64.b64decode(facts["certificate_sha256"]),
        )
        if gap.digest(prepared_pdf, prepared.byte_range) != prepared.document_digest:
            raise PdfRefused(PdfFault.BYTE_RANGE)
        return prepared


def prepare(
    pdf: bytes,
    *,
    certificate_der: bytes,
    now: datetime,
    field_name: str | None = None,
    mark: Mark | None = None,
    placement: Placement | None = None,
    signer_name: str | None = None,
    reason: str | None = None,
    location: str | None = None,
) -> PreparedSignature:
    """Add a signature field with an empty value as one incremental update and return what must be signed.

    `pdf` has passed `pki.pades.intake` (unsigned: normalised; signed: as it came). `now` is the claimed signing
    time, written to /M. `mark` and `placement` go together; without them the signature is invisible.
    `field_name` defaults to the first free `signature_<n>`.

    Raises PdfRefused: DAMAGED, MARK_OUTSIDE_PAGE, MARK_UNREADABLE, FIELD_TAKEN, and MARK_COVERS_CONTENT where an
    earlier signer's text or mark would be hidden.
    """
    with refusing(PdfFault.DAMAGED):
        writer = _open(pdf)
        name = field_name or _free_name(writer)
        if name in _field_names(writer):
            raise PdfRefused(PdfFault.FIELD_TAKEN)
        placeholder = PdfSignedData(
            pdf_name("/Sig"), subfilter=SigSeedSubFilter.PADES, timestamp=now, bytes_reserved=_RESERVED_DIGITS
        )
        for key, text in (("/Name", signer_name), ("/Reason", reason), ("/Location", location)):
            if text:
                placeholder[pdf_name(key)] = generic.TextStringObject(text)
        output = _write(pdf, writer, name, placeholder, mark, placement)
    start, end = output[1]
    covered = (0, start, end, len(output[0]) - end)
    document_digest = gap.digest(output[0], covered)
    return PreparedSignature(
        prepared_pdf=output[0],
        document_digest=document_digest,
        byte_range=covered,
        signed_attributes_der=cms.signed_attributes(document_digest, certificate_der),
        field_name=name,
        certificate_sha256=hashlib.sha256(certificate_der).digest(),
    )


def _open(pdf: bytes) -> IncrementalPdfFileWriter:
    return IncrementalPdfFileWriter(BytesIO(pdf), strict=False)


def _write(
    pdf: bytes,
    writer: IncrementalPdfFileWriter,
    name: str,
    placeholder: PdfSignedData,
    mark: Mark | None,
    placement: Placement | None,
) -> tuple[bytes, tuple[int, int]]:
    """Return the file with its placeholder, and where the reserved region begins and ends."""
    spec = SigFieldSpec(name)
    appearance = None
    if mark is not None and placement is not None:
        pages = page_geometries(pdf)
        check_inside(pages, placement)
        _check_clear(pdf, placement)
        spec = _visible_field(name, placement)
        appearance = _appearance(mark, pages[placement.page - 1], placement)
    steps = PdfCMSEmbedder(new_field_spec=spec).write_cms(name, writer)
    field_object = next(steps).get_object()
    if appearance is not None:
        form = writer.import_page_as_xobject(PdfFileReader(BytesIO(appearance)))
        field_object["/AP"] = generic.DictionaryObject({pdf_name("/N"): form})
    steps.send(SigObjSetup(sig_placeholder=placeholder))
    prepared, output = steps.send(SigIOSetup(md_algorithm="sha256", output=BytesIO()))
    return output.getvalue(), (prepared.reserved_region_start, prepared.reserved_region_end)


def _check_clear(pdf: bytes, placement: Placement) -> None:
    """Refuse a mark over what somebody signed before: whoever checks that signature could not say what it covered.

    The same question as in `verify`, so that what we make is never less than valid there.
    """
    if b"/ByteRange" not in pdf:
        return
    earlier = visible_fields(PdfFileReader(BytesIO(pdf), strict=False), None)
    others = [one.box for one in earlier if one.page in (placement.page, None)]
    if covers_content(pdf, placement.page, placement.rectangle, others=others):
        raise PdfRefused(PdfFault.MARK_COVERS_CONTENT)


def _visible_field(name: str, placement: Placement) -> SigFieldSpec:
    left, bottom, right, top = placement.rectangle
    box = (round(left, 2), round(bottom, 2), round(right, 2), round(top, 2))
    # pyHanko's type asks for integers; a mark at a millimetre needs fractions and its code writes them as they are.
    return SigFieldSpec(
        name,
        on_page=placement.page - 1,
        box=box,  # type: ignore[arg-type]
        visible_sig_settings=VisibleSigSettings(rotate_with_page=True),
    )


def _appearance(mark: Mark, page: PageGeometry, placement: Placement) -> bytes:
    left, bottom, right, top = placement.rectangle
    return render(mark, width=right - left, height=top - bottom, rotation=page.rotation, user_unit=page.user_unit)


def _field_names(writer: IncrementalPdfFileWriter) -> set[str]:
    # By subscript: `get` would hand over a reference where the form or its list is an object of its own.
    form = writer.root["/AcroForm"] if "/AcroForm" in writer.root else {}
    fields = form["/Fields"] if "/Fields" in form else []
    return {str(entry.get_object()["/T"]) for entry in fields if "/T" in entry.get_object()}


def _free_name(writer: IncrementalPdfFileWriter) -> str:
    taken = _field_names(writer)
    return next(name for name in (f"signature_{n}" for n in range(1, len(taken) + 2)) if name not in taken)
