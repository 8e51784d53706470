"""The OpenAPI document says what the API does: judged by Schemathesis, which reads it and calls everything."""

from __future__ import annotations

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.openapi import from_wsgi

from app.core.settings import Settings
from tests.factories.api import token_of
from tests.factories.certificates import ask, issued_to

load_all_checks()
# Positive data may still be refused: a made-up identifier names nothing, and a pattern does not make a name.
_LEFT_OUT = {"positive_data_acceptance"}
_CALLERS = ("oanh", "dung", "minh")


@pytest.mark.parametrize("caller", _CALLERS)
def test_everything_that_the_document_describes_behaves_as_described(city: Settings, web: Flask, caller: str) -> None:
    issued_to("minh")
    ask("lan")
    headers = {"Authorization": f"Bearer {token_of(caller)}"}
    schema = from_wsgi("/api/v1/openapi.json", web)
    checks = [check for name, check in CHECKS._items.items() if name not in _LEFT_OUT]
    called = 0
    for result in schema.get_all_operations():
        operation = result.ok()

        @settings(
            max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
        )
        @schemathesis.hypothesis.given(case=operation.as_strategy())
        def call(case: schemathesis.Case) -> None:
            case.call_and_validate(headers=headers, checks=checks)

        call()
        called += 1
    assert called > 20
