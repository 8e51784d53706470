"""Errors are pages for people and RFC 9457 documents for programs, always with a reference."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core import errors
from app.core.permissions import Guard, declare
from app.core.problems import status_of


def raising(web: Flask, error: Exception) -> FlaskClient:
    def view() -> str:
        raise error

    web.add_url_rule("/raise", "raise", declare(view, Guard("public", "test")))
    return web.test_client()


def test_a_page_that_does_not_exist_is_answered_in_vietnamese_with_a_reference(client: FlaskClient) -> None:
    answer = client.get("/khong-co")
    assert answer.status_code == 404
    page = answer.get_data(as_text=True)
    assert "Không có trang nào ở địa chỉ này." in page
    assert re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}", page)


def test_a_program_gets_a_problem_document(client: FlaskClient) -> None:
    answer = client.get("/khong-co", headers={"Accept": "application/json"})
    assert answer.content_type == "application/problem+json"
    body = answer.get_json(force=True)
    assert body["status"] == 404
    assert body["title"]
    assert re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{4}", body["reference"])


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.NotFound("x"), 404),
        (errors.Forbidden("x"), 403),
        (errors.Conflict("x"), 409),
        (errors.Invalid("x"), 422),
        (errors.TooLarge("x"), 413),
        (errors.TooMany("x"), 429),
        (errors.Unavailable("x"), 503),
        (ZeroDivisionError("the path /secret/key.pem"), 500),
    ],
)
def test_an_error_has_its_status_and_shows_no_inside(web: Flask, error: Exception, status: int) -> None:
    answer = raising(web, error).get("/raise")
    assert answer.status_code == status
    page = answer.get_data(as_text=True)
    assert "Traceback" not in page
    assert "secret" not in page


def test_an_unlisted_error_of_ours_is_never_a_server_error() -> None:
    class Odd(errors.AppError):
        pass

    assert status_of(Odd("x")) == 422


def test_a_stranger_is_sent_to_sign_in_and_back(web: Flask) -> None:
    answer = raising(web, errors.NotSignedIn("x")).get("/raise?a=1")
    assert answer.status_code == 302
    assert answer.location == "/sign-in?next=/raise?a%3D1"
