"""Every route says who may use it."""

from __future__ import annotations

import pytest
from flask import Flask

from app.core.permissions import Guard, Permission, UnguardedRoute, check_guards, unguarded_endpoints


def test_every_route_declares_a_permission_or_why_it_is_open(web: Flask) -> None:
    assert list(unguarded_endpoints(web)) == []
    for endpoint, view in web.view_functions.items():
        if endpoint == "static":
            continue
        guard = view.__dict__["guard"]
        assert isinstance(guard, Guard)
        assert guard.detail, endpoint
        if guard.kind == "needs":
            assert guard.detail in set(Permission)


def test_an_application_with_an_undeclared_route_does_not_start(web: Flask) -> None:
    web.add_url_rule("/open", "open", lambda: "x")
    with pytest.raises(UnguardedRoute, match="open"):
        check_guards(web)


def test_a_stranger_reaches_no_page_that_is_not_public(web: Flask) -> None:
    client = web.test_client()
    for rule in web.url_map.iter_rules():
        guard = web.view_functions[rule.endpoint].__dict__.get("guard")
        if rule.endpoint == "static" or (isinstance(guard, Guard) and guard.kind not in {"needs", "signed_in"}):
            continue
        values = {name: _sample(rule, name) for name in rule.arguments}
        with web.test_request_context():
            path = web.url_for(rule.endpoint, **values)
        if "GET" in (rule.methods or ()):
            assert client.get(path, headers={"Accept": "application/json"}).status_code == 401, rule


def test_every_operation_of_the_api_refuses_whoever_has_no_token(web: Flask) -> None:
    client, called = web.test_client(), 0
    for rule in web.url_map.iter_rules():
        guard = web.view_functions[rule.endpoint].__dict__.get("guard")
        if not isinstance(guard, Guard) or guard.kind != "token":
            continue
        values = {name: _sample(rule, name) for name in rule.arguments}
        with web.test_request_context():
            path = web.url_for(rule.endpoint, **values)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            # What is sent is not looked at before the token: there is nothing to learn from trying.
            answer = client.open(path, method=method, json={"certificate_id": "x"})
            assert (answer.status_code, answer.content_type) == (401, "application/problem+json"), rule
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            called += 1
    assert called >= 35


def _sample(rule: object, name: str) -> object:
    converter = rule._converters[name]  # type: ignore[attr-defined]  # werkzeug offers no public way
    kind = type(converter).__name__
    if kind == "AnyConverter":
        return sorted(converter.items)[0]
    return {"UUIDConverter": "00000000-0000-4000-8000-000000000000", "IntegerConverter": 1}.get(kind, "x")
