"""Why a PDF is refused. Stable codes: pages and the command line translate them."""

from __future__ import annotations

from enum import StrEnum


class PdfFault(StrEnum):
    NOT_A_PDF = "not_a_pdf"
    DAMAGED = "damaged"
    ENCRYPTED = "encrypted"
    TOO_LARGE = "too_large"
    TOO_MANY_PAGES = "too_many_pages"
    TOO_MANY_REVISIONS = "too_many_revisions"
    PAGE_TOO_LARGE = "page_too_large"
    NO_PAGES = "no_pages"
    # Opens without a password, but its owner allows no changes.
    RESTRICTED = "restricted"
    ACTIVE_CONTENT = "active_content"
    # A form whose pages only one program draws (dynamic XFA).
    XFA_ONLY = "xfa_only"
    # Read and rewritten, and still no signature can be put into it.
    UNSIGNABLE = "unsignable"
    # Certified with "no changes allowed" (DocMDP P=1), or locked as a whole by an earlier signer.
    CERTIFIED = "certified"
    LOCKED = "locked"
    ALREADY_SIGNED = "already_signed"
    # Too slow or too hungry: the limited process was ended.
    TOO_COMPLEX = "too_complex"
    MARK_OUTSIDE_PAGE = "mark_outside_page"
    MARK_COVERS_CONTENT = "mark_covers_content"
    MARK_UNREADABLE = "mark_unreadable"
    FIELD_TAKEN = "field_taken"
    # Of fillable forms (pki/forms): nothing to fill in, or a field that no page could ask for.
    NO_FIELDS = "no_fields"
    FIELD_UNUSABLE = "field_unusable"
    SIGNATURE_TOO_LARGE = "signature_too_large"
    BYTE_RANGE = "byte_range"
