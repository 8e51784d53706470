"""Bare pyHanko as its manual says to use it, with the same key, chain, lists and timestamp unit."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from io import BytesIO

from asn1crypto import crl as asn1_crl
from asn1crypto import keys, tsp, x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.stamp import TextStampStyle
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from pki.pades.dss import Material
from pki.pades.placement import Rectangle
from tests.factories.pki import Leaf


class _LocalUnit(TimeStamper):
    """Asks a timestamp unit in this process."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # pyHanko's own carries no types
        self._answer = answer

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        return tsp.TimeStampResp.load(self._answer(req.dump()))


class Peer:
    """Signs as `scripts.bench.sign` does, level by level."""

    def __init__(
        self, leaf: Leaf, material: Material, root_der: bytes, answer: Callable[[bytes], bytes], now: datetime
    ) -> None:
        # That nothing is fetched is what we want; it warns of it each time.
        logging.getLogger("pyhanko").setLevel(logging.ERROR)
        store = SimpleCertificateStore()  # type: ignore[no-untyped-call]  # as above
        store.register(x509.Certificate.load(leaf.issuer.certificate_der))
        key_der = leaf.key.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        self._signer = SimpleSigner(
            signing_cert=x509.Certificate.load(leaf.certificate_der),
            signing_key=keys.PrivateKeyInfo.load(key_der),
            cert_registry=store,
        )
        self._lists = [asn1_crl.CertificateList.load(one) for one in material.crls_der]
        self._others = [x509.Certificate.load(one) for one in material.certificates_der]
        self._root = x509.Certificate.load(root_der)
        self._unit = _LocalUnit(answer)
        self._now = now

    def sign(self, pdf: bytes, level: str, box: Rectangle | None = None) -> bytes:
        """Return the signed file: level B-B, B-T or B-LTA, visible in `box` of page 1."""
        details = PdfSignatureMetadata(field_name="signature_1", subfilter=SigSeedSubFilter.PADES)
        if level == "B-LTA":
            details = PdfSignatureMetadata(
                field_name="signature_1",
                subfilter=SigSeedSubFilter.PADES,
                embed_validation_info=True,
                use_pades_lta=True,
                validation_context=ValidationContext(
                    trust_roots=[self._root],
                    other_certs=self._others,
                    crls=self._lists,
                    moment=self._now,
                    allow_fetching=False,
                ),
            )
        unit = self._unit if level != "B-B" else None
        whole = (int(box[0]), int(box[1]), int(box[2]), int(box[3])) if box is not None else None
        signer = PdfSigner(
            details,
            self._signer,
            timestamper=unit,
            new_field_spec=SigFieldSpec("signature_1", box=whole),
            stamp_style=TextStampStyle(stamp_text="Signed by: %(signer)s\nTime: %(ts)s"),
        )
        output = BytesIO()
        signer.sign_pdf(IncrementalPdfFileWriter(BytesIO(pdf)), output=output)
        return output.getvalue()
