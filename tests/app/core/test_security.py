"""What every answer carries, and what is refused before a view sees it."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO

from flask.testing import FlaskClient

from app.core.settings import Settings
from app.demo import city
from tests.factories.forms import csrf_token


def test_scripts_run_only_with_the_nonce_of_this_answer(client: FlaskClient) -> None:
    first, second = (client.get("/").headers["Content-Security-Policy"] for _ in range(2))
    nonces = [re.search(r"script-src 'nonce-([\w-]{22})' 'strict-dynamic'", policy) for policy in (first, second)]
    assert nonces[0]
    assert nonces[1]
    assert nonces[0].group(1) != nonces[1].group(1)
    assert "unsafe" not in first
    assert "frame-ancestors 'none'" in first


def test_every_script_of_a_page_carries_the_nonce_and_none_is_inline_without_it(client: FlaskClient) -> None:
    answer = client.get("/")
    found = re.search(r"'nonce-([\w-]+)'", answer.headers["Content-Security-Policy"])
    assert found
    scripts = re.findall(r"<script\b[^>]*>", answer.get_data(as_text=True))
    assert scripts
    assert all(f'nonce="{found.group(1)}"' in tag for tag in scripts)
    assert " onclick=" not in answer.get_data(as_text=True)
    assert " style=" not in answer.get_data(as_text=True)


def test_a_form_without_its_token_is_refused(client: FlaskClient) -> None:
    assert client.post("/sign-in", data={"login": "lan", "password": "x"}).status_code == 400


def test_a_form_sent_from_another_site_is_refused_although_its_token_is_right(client: FlaskClient) -> None:
    form = {"csrf_token": csrf_token(client, "/sign-in"), "login": "lan", "password": "x"}
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert client.post("/sign-in", data=form, headers=headers).status_code in {400, 403}
    assert client.post("/sign-in", data=form, headers={"Origin": "http://localhost"}).status_code == 422


def test_a_huge_body_is_refused_with_a_sentence(client: FlaskClient) -> None:
    answer = client.post("/sign-in", data={"login": "x" * 2_000_000})
    assert answer.status_code == 413
    assert "quá lớn" in answer.get_data(as_text=True)


def test_signed_in_pages_are_not_kept_by_anyone(settings: Settings, sign_in: Callable[[str], FlaskClient]) -> None:
    city.create(settings, lambda _: None)
    assert sign_in("lan").get("/").headers["Cache-Control"] == "no-store"


def test_an_upload_larger_than_an_ordinary_form_reaches_its_page(
    settings: Settings, sign_in: Callable[[str], FlaskClient]
) -> None:
    city.create(settings, lambda _: None)
    client = sign_in("minh")
    form = {
        "csrf_token": csrf_token(client, "/documents/new"),
        "title": "Thử",
        "file": (BytesIO(b"no PDF " * 400_000), "thu.pdf"),
    }
    answer = client.post("/documents/new", data=form, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert "PDF" in answer.get_data(as_text=True)
