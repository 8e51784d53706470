"""The digits of a pass: one writing for each token, and a refusal for everything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki.errors import PassRejected
from pki.passes import digits
from pki.passes.faults import PassFault
from tests.factories.passes import LONGEST, START, signer, token, trusted


def fault_of(text: str) -> PassFault:
    with pytest.raises(PassRejected) as rejected:
        digits.decode(text)
    return PassFault(rejected.value.fault)


@given(st.binary(min_size=1, max_size=128))
def test_a_token_comes_back_with_its_leading_zeros(data: bytes) -> None:
    assert digits.decode(digits.encode(data)) == data


@pytest.mark.parametrize("size", range(1, 129))
def test_each_length_of_a_token_has_its_own_number_of_digits(size: int) -> None:
    for data in (bytes(size), b"\xff" * size):
        assert digits.decode(digits.encode(data)) == data


@given(st.text("0123456789", max_size=320), st.sampled_from(["", "79", "791", "790"]))
def test_digits_that_are_read_are_the_only_digits_of_their_token(text: str, beginning: str) -> None:
    try:
        data = digits.decode(beginning + text)
    except PassRejected:
        return
    assert digits.encode(data) == beginning + text


@given(st.text("0123456789", max_size=320))
def test_no_random_digits_open_a_gate_or_fail_otherwise(text: str) -> None:
    with pytest.raises(PassRejected):
        trusted(signer()).verify_pass(digits.decode("791" + text), START)


@given(st.text())
def test_no_text_at_all_is_anything_but_a_refusal(text: str) -> None:
    with pytest.raises(PassRejected):
        trusted(signer()).verify_pass(digits.decode(text), START)


def test_the_longest_pass_has_312_digits_with_its_prefix() -> None:
    assert len(digits.encode(token(LONGEST))) <= 312


@pytest.mark.parametrize("data", [b"", bytes(129)])
def test_a_token_of_no_length_or_too_long_is_not_written(data: bytes) -> None:
    with pytest.raises(PassRejected) as rejected:
        digits.encode(data)
    assert rejected.value.fault is PassFault.MALFORMED


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        "WIFI:S:x;;",
        "https://songbiec.example/",
        "tel:113",
        "javascript:alert(1)",
        "8791",
        " 791",
        "79१२३",
        "７９１１２３",
    ],
)
def test_another_kind_of_code_is_not_ours(text: str) -> None:
    assert fault_of(text) is PassFault.NOT_OURS


@pytest.mark.parametrize("text", ["79", "791", "7911", "7911234", "791999", "792000", "791" + "1" * 400])
def test_a_damaged_code_of_ours_is_malformed(text: str) -> None:
    assert fault_of(text) is PassFault.MALFORMED
