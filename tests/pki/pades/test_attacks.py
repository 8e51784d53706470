"""Every class of attack on signed PDF files: never valid, never an error, its reason named; its clean twin is valid."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from typing import NamedTuple

import pytest
from pyhanko.sign.fields import MDPPerm

from pki.chains import TrustStore
from pki.pades.page_check import with_pages_compared
from pki.pades.report import Reason, Report, Verdict
from pki.pades.verify import verify
from pki.profiles import ProfileName
from tests.factories import attacks, attacks_signatures, attacks_structure, pdfs, proofs
from tests.factories import pki as factory

NOW = factory.NOW + timedelta(hours=1)
# Of the processor; whatever a hostile file does, the sandbox would wait four times as long.
MOST_SECONDS = 10


class Attack(NamedTuple):
    make: Callable[[bytes], bytes]
    reason: Reason
    twin: Callable[[], bytes]


@cache
def stamped() -> bytes:
    return pdfs.signed(pdfs.plain(pages=2), timestamp=pdfs.timestamping(factory.NOW))


@cache
def archived() -> bytes:
    return proofs.b_lta()


@cache
def hiding() -> bytes:
    return pdfs.signed(attacks.hiding())


@cache
def prepared_twin() -> bytes:
    return pdfs.signed(attacks.with_prepared_twin())


@cache
def with_text_field() -> bytes:
    return pdfs.signed(pdfs.with_text_field())


@cache
def with_group() -> bytes:
    return pdfs.signed(pdfs.with_group_of_fields())


@cache
def filling() -> bytes:
    return pdfs.certified(MDPPerm.FILL_FORMS)


@cache
def annotating() -> bytes:
    return pdfs.certified(MDPPerm.ANNOTATE)


@cache
def locked() -> bytes:
    return pdfs.locked()


@cache
def closed() -> bytes:
    return pdfs.closed_by_another_program()


CHANGED = Reason.CHANGED_AFTER_SIGNING
UNREAD = Reason.NOT_READABLE
ATTACKS = {
    "universal signature forgery": [
        Attack(attacks.without_byte_range, UNREAD, stamped),
        Attack(attacks.without_contents, UNREAD, stamped),
        Attack(attacks.with_empty_contents, UNREAD, stamped),
        Attack(attacks.without_numbers_in_byte_range, UNREAD, stamped),
        Attack(attacks.with_negative_byte_range, Reason.BYTE_RANGE, stamped),
        Attack(attacks.with_null_contents, UNREAD, stamped),
        Attack(attacks.with_short_contents, UNREAD, stamped),
    ],
    "incremental saving 1": [
        Attack(pdfs.with_other_text, CHANGED, stamped),
        Attack(pdfs.with_new_page, CHANGED, stamped),
        Attack(attacks.without_a_page, CHANGED, stamped),
    ],
    "incremental saving 2": [Attack(attacks.with_body_and_end, Reason.BYTES_AFTER_END, stamped)],
    "incremental saving 3": [
        Attack(attacks.with_body_of_nobody, Reason.BYTES_AFTER_END, stamped),
        Attack(attacks.with_comment_and_end, UNREAD, stamped),
    ],
    "signature wrapping": [
        Attack(attacks.with_moved_tail, UNREAD, stamped),
        Attack(attacks.with_second_byte_range_in_the_gap, Reason.BYTE_RANGE, stamped),
        Attack(attacks.with_hexadecimal_gap_in_two_strings, UNREAD, stamped),
    ],
    "shadow hide": [
        Attack(attacks.with_revealed_text, CHANGED, hiding),
        Attack(attacks.without_contents_of_page, CHANGED, stamped),
    ],
    "shadow replace": [
        Attack(attacks.with_other_font, CHANGED, stamped),
        Attack(pdfs.with_redrawn_field, CHANGED, with_text_field),
    ],
    "shadow hide and replace": [
        Attack(attacks.with_other_pages, CHANGED, stamped),
        Attack(attacks.with_twin_swapped_in, CHANGED, prepared_twin),
    ],
    "evil annotation": [
        Attack(attacks.with_annotation, CHANGED, stamped),
        Attack(attacks.with_annotation, CHANGED, annotating),
        Attack(attacks.with_text_behind_note, CHANGED, annotating),
    ],
    "stamp on a certified file": [
        Attack(attacks.with_stamp, CHANGED, annotating),
        Attack(attacks.with_stamp, CHANGED, filling),
    ],
    "sneaky signature": [
        Attack(attacks.with_overlaid_field, Reason.NOT_COVERED, stamped),
        Attack(attacks.with_overlaid_field, CHANGED, filling),
        Attack(attacks.with_signed_overlay, Reason.OVERLAID_AFTER_SIGNING, stamped),
        Attack(attacks.with_signed_overlay, CHANGED, filling),
        Attack(pdfs.with_field_in_group, CHANGED, with_group),
        Attack(pdfs.with_field_of_no_page, Reason.NOT_COVERED, stamped),
    ],
    "spoofing": [
        Attack(attacks_signatures.with_other_reason, UNREAD, stamped),
        Attack(attacks_signatures.with_reason_by_update, Reason.NOT_COVERED, stamped),
        Attack(attacks_signatures.with_signature_object_copied, Reason.COPIED, stamped),
        Attack(attacks_signatures.with_padding_of_its_own, Reason.COPIED, stamped),
        Attack(pdfs.with_copied_signature, Reason.COPIED, stamped),
        Attack(attacks_signatures.with_value_of_another_file, Reason.CHANGED, stamped),
    ],
    "locks": [
        Attack(attacks_signatures.with_signature_in_closed_field, CHANGED, locked),
        Attack(attacks_signatures.with_signature_in_closed_field, CHANGED, closed),
    ],
    "timestamps": [
        Attack(attacks_signatures.with_timestamp_of_another_signature, Reason.BAD_TIMESTAMP, stamped),
        Attack(attacks_signatures.with_second_timestamp_of_another_signature, Reason.BAD_TIMESTAMP, stamped),
        Attack(attacks_signatures.with_timestamp_that_is_none, Reason.BAD_TIMESTAMP, stamped),
        Attack(attacks_signatures.with_document_timestamp_copied, Reason.BAD_TIMESTAMP, archived),
        Attack(attacks_signatures.with_document_timestamp_twice, Reason.BAD_TIMESTAMP, archived),
    ],
    "denial of service": [
        Attack(attacks_structure.with_bomb, CHANGED, stamped),
        Attack(attacks_structure.with_bomb_of_objects, UNREAD, stamped),
        Attack(attacks_structure.with_endless_pages, CHANGED, stamped),
        Attack(attacks_structure.with_endless_revisions, UNREAD, stamped),
        Attack(attacks_structure.with_object_that_is_itself, UNREAD, stamped),
        Attack(pdfs.with_endless_fields, UNREAD, stamped),
        Attack(attacks_structure.with_deep_array, UNREAD, stamped),
        Attack(attacks_structure.with_deep_pages, UNREAD, stamped),
        Attack(attacks_structure.with_very_many_revisions, UNREAD, stamped),
        Attack(attacks_structure.with_quiet_revisions, UNREAD, stamped),
    ],
    "cross-references": [
        Attack(attacks_structure.with_lying_start, UNREAD, stamped),
        Attack(attacks_structure.with_section_that_lies, UNREAD, stamped),
        Attack(attacks_structure.with_freed_catalogue, CHANGED, stamped),
        Attack(attacks_structure.with_hybrid_section, UNREAD, stamped),
    ],
    "header and end": [
        Attack(attacks_structure.with_bytes_before_header, Reason.BYTES_BEFORE_START, stamped),
        Attack(attacks_structure.with_second_header, UNREAD, stamped),
        Attack(attacks_structure.with_trailing_bytes, Reason.BYTES_AFTER_END, stamped),
        Attack(attacks_structure.with_trailing_archive, Reason.BYTES_AFTER_END, stamped),
    ],
}
ALL = [
    pytest.param(attack, id=f"{kind}: {attack.make.__name__} on {attack.twin.__name__}")
    for kind, some in ATTACKS.items()
    for attack in some
]


def judge(pdf: bytes) -> Report:
    """Return what the page would say: the check, and the pages held side by side."""
    authorities = tuple(
        factory.authority(one).certificate_der for one in (ProfileName.ISSUING_OFFICIALS, ProfileName.TSA_AUTHORITY)
    )
    trust = TrustStore(pdfs.trust().roots_der, authorities)
    return with_pages_compared(verify(pdf, trust=trust, evidence=pdfs.evidence(), now=NOW), pdf)


@pytest.mark.parametrize("twin", sorted({one.values[0].twin for one in ALL}, key=lambda one: one.__name__))
def test_the_clean_twin_of_every_attack_is_valid(twin: Callable[[], bytes]) -> None:
    report = judge(twin())
    assert (report.verdict, report.reason) == (Verdict.VALID, Reason.OK)


@pytest.mark.parametrize("attack", ALL)
def test_no_attack_is_valid_and_the_report_says_why(attack: Attack) -> None:
    hostile = attack.make(attack.twin())
    assert hostile != attack.twin()
    started = time.process_time()
    report = judge(hostile)
    assert time.process_time() - started < MOST_SECONDS
    assert report.verdict is not Verdict.VALID
    assert report.reason is attack.reason


@pytest.mark.parametrize("attack", [one for one in ALL if one.values[0].twin is stamped])
def test_no_attack_on_a_file_with_two_signatures_is_valid(attack: Attack) -> None:
    twice = pdfs.signed(stamped(), leaf=pdfs.signer("second"))
    assert judge(twice).verdict is Verdict.VALID
    assert judge(attack.make(twice)).verdict is not Verdict.VALID


@pytest.mark.parametrize(
    "attack",
    [
        attacks.with_annotation,
        attacks.with_stamp,
        attacks.with_other_font,
        attacks.without_contents_of_page,
        attacks.without_a_page,
        attacks.with_other_pages,
        attacks_signatures.with_reason_by_update,
        pdfs.with_other_text,
        pdfs.with_new_page,
    ],
    ids=lambda attack: attack.__name__,
)
def test_a_later_signature_does_not_heal_what_was_changed_before_it(attack: Callable[[bytes], bytes]) -> None:
    again = pdfs.signed(attack(stamped()), leaf=pdfs.signer("second"))
    assert judge(again).verdict is Verdict.NOT_VALID
