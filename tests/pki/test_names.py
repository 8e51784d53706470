"""Names that may stand in a certificate, and names that may not."""

from __future__ import annotations

import unicodedata

import pytest
from cryptography.x509.oid import NameOID

from pki.errors import ProfileViolation
from pki.names import ServiceName, clean, new_opaque_identifier
from tests.factories.pki import LAN, MINH, OFFICE


def test_a_person_is_named_by_country_parts_identifier_and_whole_name():
    assert LAN.to_x509().rfc4514_string() == (
        "CN=Nguyễn Thị Lan,2.5.4.5=XX:VN-00112233445566778899,2.5.4.42=Lan,2.5.4.4=Nguyễn Thị,C=VN"
    )


def test_an_official_carries_agency_and_title_too():
    name = MINH.to_x509()
    assert [a.value for a in name.get_attributes_for_oid(NameOID.ORGANIZATION_IDENTIFIER)] == ["XX:VN-H99.02"]
    assert [a.value for a in name.get_attributes_for_oid(NameOID.TITLE)] == ["Chuyên viên"]


def test_an_agency_is_named_with_its_identifier():
    assert len(list(OFFICE.to_x509())) == 4


def test_decomposed_letters_become_composed_ones():
    decomposed = unicodedata.normalize("NFD", "Nguyễn")
    name = ServiceName(decomposed, "X").to_x509()
    assert name.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "Nguyễn"


@pytest.mark.parametrize("length", [1, 64])
def test_a_name_may_have_one_to_sixty_four_characters(length: int):
    assert clean("ễ" * length, longest=64) == "ễ" * length


@pytest.mark.parametrize("text", ["", "ễ" * 65, " Lan", "Lan ", "   "])
def test_a_name_that_is_empty_long_or_padded_is_refused(text: str):
    with pytest.raises(ProfileViolation):
        clean(text, longest=64)


@pytest.mark.parametrize("hidden", ["\u202e", "\u200b", "\u0000", "\n", "\u00a0", "\ue000", "\u2028", "\u2066"])
def test_a_name_with_a_character_that_cannot_be_seen_is_refused(hidden: str):
    with pytest.raises(ProfileViolation):
        clean(f"La{hidden}n", longest=64)


def test_opaque_identifiers_differ_and_say_nothing():
    made = {new_opaque_identifier() for _ in range(100)}
    assert len(made) == 100
    assert all(one.startswith("XX:VN-") and len(one) == 26 for one in made)
