"""Vietnamese is complete, and nothing unused is kept."""

from __future__ import annotations

import pytest

from scripts import translations


@pytest.mark.parametrize("capability", translations.capabilities())
def test_every_sentence_is_translated_and_none_is_left_over(capability: str) -> None:
    assert translations.check([capability]) == []


@pytest.mark.parametrize("capability", translations.capabilities())
def test_a_catalogue_is_in_the_form_that_the_tool_writes(capability: str) -> None:
    path = translations.path_of(capability)
    if path.exists():
        assert path.read_bytes() == translations.render(translations.read(capability)), f"update {capability}"
