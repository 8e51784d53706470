"""The certificates that a signed PDF brings along, so that their status can be asked about before the check."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Final

from asn1crypto import cms as asn1_cms
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from pki.pades import dss
from pki.pades.boundary import refusing
from pki.pades.faults import PdfFault

# A paper with ten signatures and archive timestamps has some forty.
_MOST: Final = 100


def enclosed_certificates(pdf: IO[bytes]) -> tuple[bytes, ...]:
    """Return the certificates in the signatures, timestamps and the validation store of a PDF, in DER, each once.

    At most a hundred, in the order of the signatures; those of the store come last. They prove nothing. Raises
    PdfRefused(DAMAGED) for what cannot be read.
    """
    with refusing(PdfFault.DAMAGED):
        reader = PdfFileReader(pdf, strict=False)
        found = [der for one in reader.embedded_signatures for der in _of(one)]
        found += dss.read(reader).certificates_der
    return tuple(dict.fromkeys(found))[:_MOST]


def _of(signature: EmbeddedPdfSignature) -> Iterator[bytes]:
    """Yield those of a signature, then those of the timestamps over its value."""
    yield from _in(signature.signed_data)
    unsigned = signature.signer_info["unsigned_attrs"]
    if not isinstance(unsigned, asn1_cms.CMSAttributes):
        return
    stamps = (one for one in unsigned if one["type"].native == "signature_time_stamp_token")
    for stamp in stamps:
        for token in stamp["values"]:
            yield from _in(token["content"])


def _in(signed: asn1_cms.SignedData) -> Iterator[bytes]:
    certificates = signed["certificates"]
    if isinstance(certificates, asn1_cms.CertificateSet):
        yield from (one.chosen.dump() for one in certificates if one.name == "certificate")
