"""Citizen numbers: read as typed, kept only as a keyed hash."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.core.settings import load
from app.registry.numbers import index_of, read_number

SETTINGS = load({})


@pytest.mark.parametrize("typed", ["079204012345", " 079 204 012 345 ", "079.204.012.345"])
def test_a_citizen_number_is_read_with_or_without_gaps(typed: str) -> None:
    assert read_number(typed) == "079204012345"


@pytest.mark.parametrize("typed", ["", "07920401234", "0792040123456", "000204012345", "097204012345", "07920401234x"])
def test_what_is_not_a_citizen_number_is_not_read(typed: str) -> None:
    assert read_number(typed) is None


def test_digits_of_other_scripts_are_not_read() -> None:
    assert read_number("٠٧٩٢٠٤٠١٢٣٤٥") is None


def test_the_index_finds_the_same_number_and_no_other_and_only_with_the_same_key() -> None:
    index = index_of(SETTINGS, "079204012345")
    assert len(index) == 32
    assert index == index_of(SETTINGS, "079204012345")
    assert index != index_of(SETTINGS, "079204012346")
    assert index != index_of(replace(SETTINGS, number_key="another key of at least 32 letters"), "079204012345")
