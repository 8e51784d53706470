"""What a paper breaks of Decree 30, said in words: to who sends it on and to who seals it, before the act."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask_babel import force_locale

from app.core.i18n import init_i18n
from app.marks.words import BREACHES, breach
from pki.layout.rules import Rule
from pki.layout.survey import Finding


@pytest.fixture
def in_vietnamese() -> Iterator[None]:
    web = Flask("layout")
    web.config["SECRET_KEY"] = "x" * 32
    init_i18n(web)
    with web.test_request_context(), force_locale("vi"):
        yield


SEEN = Finding(Rule.SEAL_OVERLAP, 2, 10.0, 11.2, 15.2, "Trần Thị Hạnh")


@pytest.mark.parametrize("rule", list(Rule))
def test_every_rule_has_a_vietnamese_sentence_with_its_figures_and_what_to_do(rule: Rule, in_vietnamese: None) -> None:
    what, next_step = breach(replace(SEEN, rule=rule))
    assert "%(" not in what
    assert next_step
    assert rule in BREACHES
    assert any(letter in what for letter in "ảạấầậắờựịọộởụủứừáàãăâđêôơưí")


@pytest.mark.parametrize(
    ("finding", "figure"),
    [
        (Finding(Rule.SIGNATURE_ACROSS, 1, 154.5, 147.0, 153.0, "A"), "4,5"),
        (Finding(Rule.OUTSIDE_PAGE, 1, -2.5, 0.0, 210.0, "A"), "2,5"),
        (Finding(Rule.OUTSIDE_PAGE, 1, 213.0, 0.0, 210.0, "A"), "3,0"),
        (Finding(Rule.SEAL_SIZE, 1, 30.0, 35.5, 36.5), "36,0"),
        (Finding(Rule.MARGIN_LEFT, 1, 27.7, 30.0, 35.0), "27,7"),
    ],
)
def test_the_figure_is_the_one_that_a_ruler_would_show(finding: Finding, figure: str, in_vietnamese: None) -> None:
    assert figure in breach(finding)[0]
