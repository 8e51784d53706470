"""What a check of a PDF found, as data: stable codes that pages and the command line turn into sentences."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any, Self


class Verdict(StrEnum):
    """TOTAL-PASSED, TOTAL-FAILED and INDETERMINATE of EN 319 102-1, 5.1.3."""

    VALID = "valid"
    NOT_VALID = "not_valid"
    INDETERMINATE = "indeterminate"


class Reason(StrEnum):
    """Why, worst first in the order in which they are looked for."""

    OK = "ok"
    UNSIGNED = "unsigned"
    # The file as it was received.
    NOT_READABLE = "not_readable"
    BYTES_AFTER_END = "bytes_after_end"
    BYTES_BEFORE_START = "bytes_before_start"
    # The signature's cover.
    BYTE_RANGE = "byte_range"
    CHANGED = "changed"
    CHANGED_AFTER_SIGNING = "changed_after_signing"
    OVERLAID_AFTER_SIGNING = "overlaid_after_signing"
    # A form that another house signed was filled in afterwards, as PDF allows; what stands there nobody signed.
    FORM_FILLED_AFTER_SIGNING = "form_filled_after_signing"
    # Two programs that draw pages see something that the objects of the file do not explain, or could not compare.
    PAGES_DIFFER = "pages_differ"
    PAGES_NOT_COMPARED = "pages_not_compared"
    NOT_COVERED = "not_covered"
    COPIED = "copied"
    # The signature's value and the certificate behind it.
    BAD_SIGNATURE = "bad_signature"
    # A timestamp in the file was made over something else, or is damaged: somebody put it there.
    BAD_TIMESTAMP = "bad_timestamp"
    UNFIT_CERTIFICATE = "unfit_certificate"
    UNTRUSTED = "untrusted"
    OUT_OF_VALIDITY = "out_of_validity"
    REVOKED = "revoked"
    REVOKED_TIME_NOT_PROVEN = "revoked_time_not_proven"
    STATUS_UNKNOWN = "status_unknown"


class TimeProof(StrEnum):
    """How the time of a signature is known."""

    TIMESTAMP = "timestamp"
    # A timestamp is there and proves nothing: not over this value, or by somebody we do not trust.
    BAD_TIMESTAMP = "bad_timestamp"
    CLAIMED = "claimed"


class ProofKind(StrEnum):
    """What proves when a signature existed at the latest."""

    # Over its value, inside the signature.
    SIGNATURE_TIMESTAMP = "signature_timestamp"
    # Over the whole file, in a later revision.
    DOCUMENT_TIMESTAMP = "document_timestamp"


@dataclass(frozen=True)
class ProofOfExistence:
    """Existed at `at` or before (EN 319 102-1, 3.1, POE)."""

    kind: ProofKind
    at: datetime


class Changes(IntEnum):
    """What was done to the file after a signature, in rising order."""

    NONE = 0
    # Proofs for the archive alone.
    PROOFS = 1
    # Further signatures, and fields that were made for it.
    SIGNATURES = 2
    # Fields of a form that another house signed.
    FORM = 3
    OTHER = 4


@dataclass(frozen=True)
class SignatureReport:
    """One signature."""

    field_name: str
    verdict: Verdict
    reason: Reason
    # As the certificate names them; empty where it does not.
    signer: str
    organisation: str
    title: str
    issuer: str
    serial_hex: str
    certificate_sha256: str
    # What the signer claims, what is proven, and how; `proven_at` None without a good timestamp.
    claimed_at: datetime | None
    proven_at: datetime | None
    time_proof: TimeProof
    covers_whole_file: bool
    changes_after: Changes
    # When the certificate was revoked, whether or not that was before the signature.
    revoked_at: datetime | None
    # As RFC 5280, 5.3.1 spells it.
    revocation_reason: str | None
    # By its policy the certificate is an agency's seal, whose key a server keeps.
    is_seal: bool = False
    # The root that its path leads to, which decides what the signature is called; empty where no path was found.
    root_sha256: str = ""

    # What proves `proven_at`; None without a good timestamp.
    proven_by: ProofOfExistence | None = None
    # The octets of the file from its beginning that are covered, the gap included; 0 where the cover is not sound.
    covers: int = 0
    # Of the certificate.
    not_before: datetime | None = None
    not_after: datetime | None = None

    def to_json(self) -> Mapping[str, object]:
        """Return plain values; times in ISO 8601 with their offset."""
        return {
            "field": self.field_name,
            "verdict": self.verdict,
            "reason": self.reason,
            "signer": self.signer,
            "organisation": self.organisation,
            "title": self.title,
            "issuer": self.issuer,
            "serial": self.serial_hex,
            "certificate_sha256": self.certificate_sha256,
            "claimed_at": self.claimed_at and self.claimed_at.isoformat(),
            "proven_at": self.proven_at and self.proven_at.isoformat(),
            "time_proof": self.time_proof,
            "covers_whole_file": self.covers_whole_file,
            "changes_after": self.changes_after.name.lower(),
            "revoked_at": self.revoked_at and self.revoked_at.isoformat(),
            "revocation_reason": self.revocation_reason,
            "is_seal": self.is_seal,
            "proven_by": self.proven_by and {"kind": self.proven_by.kind, "at": self.proven_by.at.isoformat()},
            "covers": self.covers,
            "root_sha256": self.root_sha256,
            "not_before": self.not_before and self.not_before.isoformat(),
            "not_after": self.not_after and self.not_after.isoformat(),
        }


# x0, y0, x1, y1 in points of user space.
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class PageDifference:
    """A page (from 1) that does not look as it did when the first signature was made."""

    page: int
    # Every area that changed.
    boxes: tuple[Box, ...]
    # Those that no foreseen field and no later signature explains; a page that came or went is one of these.
    unexplained: tuple[Box, ...]
    # PNG of at most a thousand pixels, when asked for; None also where the page is missing on that side.
    signed_png: bytes | None = None
    received_png: bytes | None = None

    def to_json(self) -> Mapping[str, object]:
        """Return plain values; pictures in Base64."""
        return {
            "page": self.page,
            "boxes": [list(one) for one in self.boxes],
            "unexplained": [list(one) for one in self.unexplained],
            "signed_png": self.signed_png and b64encode(self.signed_png).decode(),
            "received_png": self.received_png and b64encode(self.received_png).decode(),
        }

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Self:
        """Read what `to_json` made."""
        return cls(
            page=int(facts["page"]),
            boxes=tuple(_box(one) for one in facts["boxes"]),
            unexplained=tuple(_box(one) for one in facts["unexplained"]),
            signed_png=b64decode(facts["signed_png"]) if facts["signed_png"] else None,
            received_png=b64decode(facts["received_png"]) if facts["received_png"] else None,
        )


def _box(numbers: Sequence[float]) -> Box:
    x0, y0, x1, y1 = (float(one) for one in numbers)
    return x0, y0, x1, y1


@dataclass(frozen=True)
class Report:
    """The whole file. Its verdict is the worst of its signatures; one without signatures is INDETERMINATE, UNSIGNED."""

    verdict: Verdict
    reason: Reason
    signatures: tuple[SignatureReport, ...]
    # The file could only be read with leniency; other programs may see another file.
    lenient: bool = False
    # Pages that changed since the first signature, also where that was allowed; filled by `page_check`.
    page_differences: tuple[PageDifference, ...] = ()
    # Until when a valid file can show this by itself, unless proofs are added before; None for any other.
    holds_until: datetime | None = None

    def to_json(self) -> Mapping[str, object]:
        """Return plain values."""
        return {
            "verdict": self.verdict,
            "reason": self.reason,
            "lenient": self.lenient,
            "signatures": [one.to_json() for one in self.signatures],
            "page_differences": [one.to_json() for one in self.page_differences],
            "holds_until": self.holds_until and self.holds_until.isoformat(),
        }
