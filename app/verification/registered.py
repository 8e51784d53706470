"""Whether a checked file is one that the city issued: told by its digest, and only as far as its class lets us say."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from app.claims import service as claims
from app.claims.models import Claim
from app.claims.service import Comparison
from app.documents.models import DocumentVersion, MadeBy
from app.verification.source import Source, pieces, size_of

_END: Final = re.compile(rb"%%EOF(?:\r\n|\r|\n)?")
# A file may hold 60 revisions; more ends than these stand in no file of ours.
_MOST_ENDS: Final = 200
_LONGEST_END: Final = len(b"%%EOF\r\n")


class Match(StrEnum):
    """How the file and the issued one are alike."""

    EXACT = "exact"
    # With the proofs that the city's archive added to it.
    ARCHIVED = "archived"
    # It begins with the issued file, and somebody added to it.
    BEGINS_WITH = "begins_with"


@dataclass(frozen=True)
class Registered:
    """An issued document, and what its class lets the reader know of it."""

    match: Match
    comparison: Comparison


def recognise(session: Session, pdf: Source) -> Registered | None:
    """Return the issued document that a file is, or begins with; None for every other file."""
    digests = digests_of(pdf)
    issued = aliased(DocumentVersion)
    newest_first = (
        select(Claim, DocumentVersion)
        .join(issued, issued.id == Claim.issued_version_id)
        .join(DocumentVersion, DocumentVersion.document_id == Claim.document_id)
        .where(DocumentVersion.sha256.in_(digests), DocumentVersion.number >= issued.number)
        .order_by(DocumentVersion.size.desc())
        .limit(1)
    )
    found = session.execute(newest_first).first()
    if found is None:
        return None
    claim, version = found
    return Registered(_match(claim, version, whole=digests[version.sha256]), claims.compare(session, claim.digits))


def _match(claim: Claim, version: DocumentVersion, *, whole: bool) -> Match:
    if not whole:
        return Match.BEGINS_WITH
    if version.id == claim.issued_version_id:
        return Match.EXACT
    return Match.ARCHIVED if version.made_by == MadeBy.PROOFS else Match.BEGINS_WITH


def digests_of(pdf: Source) -> Mapping[str, bool]:
    """Return the SHA-256 in hex of the file and of its beginnings that end as a revision does, and which is whole."""
    size = size_of(pdf)
    ends = iter(sorted({size, *itertools.islice(_ends(pdf), _MOST_ENDS)}))
    running, found, end = hashlib.sha256(), {}, next(ends)
    for start, piece in pieces(pdf):
        view, at = memoryview(piece), start
        while end <= start + len(piece):
            running.update(view[at - start : end - start])
            found[running.copy().hexdigest()] = end == size
            at, end = end, next(ends, size + 1)
        running.update(view[at - start :])
    return found


def _ends(pdf: Source) -> Iterator[int]:
    """Yield where a revision may end; one whose end of line lies in the next piece ends before and behind it."""
    for start, piece in pieces(pdf, carry=_LONGEST_END):
        yield from (start + one.end() for one in _END.finditer(piece))
