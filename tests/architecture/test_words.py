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


def test_one_sentence_has_one_translation_because_all_catalogues_are_merged() -> None:
    found: dict[str, set[str]] = {}
    for capability in translations.capabilities():
        for message in translations.read(capability):
            if message.id:
                found.setdefault(str(message.id), set()).add(str(message.string))
    assert {sentence: words for sentence, words in found.items() if len(words) > 1} == {}
