"""Every class of attack on signed PDF files: never valid, never an error; the clean twin is valid."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from pki.pades.report import Verdict
from pki.pades.verify import verify
from tests.factories import attacks, pdfs
from tests.factories import pki as factory

NOW = factory.NOW + timedelta(hours=1)
ATTACKS = [
    attacks.without_byte_range,
    attacks.without_contents,
    attacks.with_empty_contents,
    attacks.with_body_of_nobody,
    attacks.with_body_and_end,
    attacks.with_moved_tail,
    attacks.with_annotation,
    attacks.with_other_font,
    attacks.without_contents_of_page,
    attacks.with_other_pages,
    attacks.with_endless_pages,
    attacks.with_lying_start,
    attacks.with_deep_array,
    attacks.with_other_reason,
]


@pytest.fixture(scope="module")
def signed() -> bytes:
    return pdfs.signed(timestamp=pdfs.timestamping(factory.NOW))


def verdict(pdf: bytes) -> Verdict:
    return verify(pdf, trust=pdfs.trust(), evidence=pdfs.evidence(), now=NOW).verdict


def test_the_clean_twin_is_valid(signed: bytes) -> None:
    assert verdict(signed) is Verdict.VALID


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_no_attack_is_valid(signed: bytes, attack: Callable[[bytes], bytes]) -> None:
    hostile = attack(signed)
    assert hostile != signed
    assert verdict(hostile) is not Verdict.VALID


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_no_attack_on_a_file_with_two_signatures_is_valid(signed: bytes, attack: Callable[[bytes], bytes]) -> None:
    twice = pdfs.signed(signed, leaf=pdfs.signer("second"))
    assert verdict(attack(twice)) is not Verdict.VALID


@pytest.mark.parametrize(
    "attack",
    [
        attacks.with_annotation,
        attacks.with_other_font,
        attacks.without_contents_of_page,
        attacks.with_other_pages,
        pdfs.with_other_text,
        pdfs.with_new_page,
    ],
    ids=lambda attack: attack.__name__,
)
def test_a_later_signature_does_not_heal_what_was_changed_before_it(
    signed: bytes, attack: Callable[[bytes], bytes]
) -> None:
    again = pdfs.signed(attack(signed), leaf=pdfs.signer("second"))
    assert verdict(again) is Verdict.NOT_VALID
