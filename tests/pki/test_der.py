"""DER by hand, compared with what the standard says and with what it refuses."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pki import der


@given(st.integers(min_value=-(2**200), max_value=2**200))
def test_an_integer_read_back_is_the_integer_written(value: int):
    assert der.read(der.integer(value)).as_integer() == value


@pytest.mark.parametrize(
    ("value", "hexadecimal"),
    [(0, "020100"), (127, "02017f"), (128, "02020080"), (256, "02020100"), (-1, "0201ff"), (-129, "0202ff7f")],
)
def test_integers_have_their_shortest_form(value: int, hexadecimal: str):
    assert der.integer(value).hex() == hexadecimal


@given(st.binary(max_size=70_000))
def test_octets_read_back_are_the_octets_written(value: bytes):
    element = der.read(der.octet_string(value))
    assert (element.tag, element.body) == (der.OCTET_STRING, value)


@pytest.mark.parametrize("dotted", ["2.5.29.20", "1.2.840.113549.1.9.7", "0.4.0.194121.1.1", "2.999.3", "1.3.0"])
def test_an_identifier_read_back_is_the_identifier_written(dotted: str):
    assert der.read(der.oid(dotted)).as_oid() == dotted


def test_times_turn_to_four_digit_years_in_2050():
    assert der.time(datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)) == b"\x17\x0d491231235959Z"
    assert der.time(datetime(2050, 1, 1, tzinfo=UTC)) == b"\x18\x0f20500101000000Z"


@pytest.mark.parametrize(
    "hexadecimal",
    [
        "",  # nothing
        "30",  # no length
        "3001",  # cut off
        "3080 0000",  # indefinite length
        "308101 00",  # length not in its shortest form
        "30820001 00",  # length with a leading zero
        "3085 0100000000",  # length of five octets
        "3082 01",  # length cut off
        "1f0100",  # tag of many bytes
        "0500 0500",  # two elements
    ],
)
def test_what_is_not_one_element_of_der_is_refused(hexadecimal: str):
    with pytest.raises(der.DerError):
        der.read(bytes.fromhex(hexadecimal))


@pytest.mark.parametrize("hexadecimal", ["0200", "02020001", "0202ff80", "040101"])
def test_an_integer_not_in_its_shortest_form_is_refused(hexadecimal: str):
    with pytest.raises(der.DerError):
        der.read(bytes.fromhex(hexadecimal)).as_integer()


@pytest.mark.parametrize("hexadecimal", ["0600", "060281", "0603558001", "06025580"])
def test_an_identifier_that_is_cut_off_or_padded_is_refused(hexadecimal: str):
    with pytest.raises(der.DerError):
        der.read(bytes.fromhex(hexadecimal)).as_oid()
