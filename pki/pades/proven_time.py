"""When something in a PDF existed at the latest: document timestamps followed from the newest back to the oldest.

EN 319 102-1, 5.6.2.3 (past signature validation) in the form that an archive of renewals needs: the newest timestamp is
judged now, every older one at the time that the next one proves, with the lists that the file kept from then. So a
timestamp outlives the certificate of its unit, but never by its own word: whoever stole a unit's key writes any time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from asn1crypto import cms as asn1_cms
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature

from pki import tsa
from pki.chains import PathVerdict, Purpose, TrustStore, validate_path
from pki.errors import TimestampRefused
from pki.pades import byte_range, dss
from pki.pades.report import ProofKind, ProofOfExistence, TimeProof
from pki.status_evidence import StatusEvidence

STRONG_DIGESTS: Final = frozenset({"sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512"})


@dataclass(frozen=True)
class Proof:
    """The first `covers` octets of the file existed at `at`."""

    at: datetime
    covers: int


@dataclass(frozen=True)
class PastProofs:
    """The document timestamps that hold, oldest first, and what the file kept about certificates."""

    proofs: tuple[Proof, ...]
    kept: dss.Material
    trust: TrustStore
    evidence: StatusEvidence
    now: datetime
    # A document timestamp was not made over the file in which it stands.
    is_forged: bool = False

    def first_over(self, end: int) -> Proof | None:
        """Return the oldest proof over the first `end` octets."""
        return next((one for one in self.proofs if one.covers >= end), None)

    def evidence_at(self, moment: datetime) -> StatusEvidence:
        """Return what counts at `moment`: of the past also what the file kept, of today only what the house knows.

        A file that brings a list along for today would choose which revocations we see.
        """
        if moment >= self.now:
            return self.evidence
        return StatusEvidence(
            self.evidence.crls_der + self.kept.crls_der, self.evidence.ocsps_der + self.kept.ocsps_der
        )

    def holds(self, token: tsa.Token, moment: datetime) -> bool:
        """Say whether a timestamp is by a unit that was trusted, and not revoked, at `moment`."""
        path = validate_path(
            token.signer_der,
            trust=self.trust,
            evidence=self.evidence_at(moment),
            at=moment,
            purpose=Purpose.TIMESTAMPING,
            extra_der=(*token.certificates_der, *self.kept.certificates_der),
        )
        return path.verdict is PathVerdict.VALID and token.gen_time <= moment


def read_proofs(
    reader: PdfFileReader, pdf: bytes, *, trust: TrustStore, evidence: StatusEvidence, now: datetime
) -> PastProofs:
    """Return which document timestamps of a file prove something. Throws whatever pyHanko throws at a hostile file."""
    nothing = PastProofs((), dss.read(reader), trust, evidence, now)
    stamps: Sequence[EmbeddedPdfSignature] = reader.embedded_timestamp_signatures
    found: list[Proof] = []
    moment, is_forged, seen = now, False, set[bytes]()
    for stamp in reversed(stamps):
        end = sum(int(number) for number in list(stamp.byte_range)[2:])
        token, is_elsewhere = _read_stamp(stamp, pdf, end)
        # The same one in two fields proves no more than once, and nobody honest writes it.
        is_forged = is_forged or is_elsewhere or (token is not None and token.imprint in seen)
        if token is not None and nothing.holds(token, moment):
            moment = token.gen_time
            found.append(Proof(moment, end))
            seen.add(token.imprint)
    return replace(nothing, proofs=tuple(reversed(found)), is_forged=is_forged)


@dataclass(frozen=True)
class Timing:
    """How the time of a signature is known."""

    proven_by: ProofOfExistence | None
    proof: TimeProof
    # A timestamp inside the signature was made over something else.
    is_forged: bool = False


def time_of(embedded: EmbeddedPdfSignature, past: PastProofs) -> Timing:
    """Return the time of a timestamp over this signature value by a unit that we trust, or of one over the file.

    Not at the token's own time: whoever stole the unit's key chooses that time freely, before any revocation. At the
    time of the first document timestamp over it, or now.
    """
    signer_info = embedded.signer_info
    over = past.first_over(sum(int(number) for number in list(embedded.byte_range)[2:]))
    of_file = ProofOfExistence(ProofKind.DOCUMENT_TIMESTAMP, over.at) if over else None
    values = [
        value
        for attribute in signer_info["unsigned_attrs"] or ()
        if attribute["type"].native == "signature_time_stamp_token"
        for value in attribute["values"]
    ]
    if not values:
        return Timing(of_file, TimeProof.TIMESTAMP if over else TimeProof.CLAIMED)
    tokens = [_read(value.dump(), signer_info["signature"].native) for value in values]
    good = [one for one, _ in tokens if one is not None and past.holds(one, over.at if over else past.now)]
    is_forged = any(is_elsewhere for _, is_elsewhere in tokens)
    if good:
        earliest = min(one.gen_time for one in good)
        return Timing(ProofOfExistence(ProofKind.SIGNATURE_TIMESTAMP, earliest), TimeProof.TIMESTAMP, is_forged)
    return Timing(of_file, TimeProof.TIMESTAMP if over else TimeProof.BAD_TIMESTAMP, is_forged)


def _read(token_der: bytes, *data: bytes) -> tuple[tsa.Token | None, bool]:
    """Return a timestamp that was made over `data`, and whether it was made over something else, so put there.

    One over `data` that we cannot verify proves nothing and accuses nobody: other houses write tokens in other ways.
    """
    try:
        content = asn1_cms.ContentInfo.load(token_der)["content"]["encap_content_info"]["content"].parsed
        imprint = content["message_imprint"]
        digest = hashlib.new(imprint["hash_algorithm"]["algorithm"].native, b"".join(data))
        if digest.digest() != imprint["hashed_message"].native:
            return None, True
        token = tsa.read_token(token_der)
    except TimestampRefused:
        return None, False
    except (ValueError, TypeError, KeyError, AttributeError):
        return None, True
    return (token if token.hash_algorithm in STRONG_DIGESTS else None), False


def _read_stamp(stamp: EmbeddedPdfSignature, pdf: bytes, end: int) -> tuple[tsa.Token | None, bool]:
    """Return a document timestamp that was made over the file up to `end`, and whether it is over something else."""
    numbers = [int(number) for number in stamp.byte_range]
    if not byte_range.is_sound(pdf, numbers, end=end):
        return None, True
    token_der = asn1_cms.ContentInfo.load(bytes(stamp.pkcs7_content)).dump()
    return _read(token_der, pdf[: numbers[1]], pdf[numbers[2] : end])
