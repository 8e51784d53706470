"""The outbox as a page: who may read it, and what of a letter it shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core.settings import Settings
from tests.factories import meetings as made

SignIn = Callable[[str], FlaskClient]


@pytest.fixture
def no_demonstration(web: Flask, settings: Settings) -> Flask:
    """The same city as a real one: the pages ask the settings at each request."""
    web.extensions["kyvao_settings"] = replace(settings, demonstration=False)
    return web


def test_in_the_demonstration_everyone_signed_in_finds_the_letter_with_its_code(
    city: Settings, sign_in: SignIn
) -> None:
    _, guest_id = made.invited(city)
    (notice,) = made.notices_about(guest_id)
    client = sign_in("lan")
    assert notice.title in client.get("/outbox/").get_data(as_text=True)
    page = client.get(f"/outbox/{notice.id}").get_data(as_text=True)
    (letter,) = made.letters_to(guest_id)
    assert made.page_of(letter) in page
    picture = client.get(f"/outbox/{notice.id}/pictures/0")
    assert picture.get_data().startswith(b"\x89PNG")
    assert client.get(f"/outbox/{notice.id}/pictures/1").status_code == 404


def test_a_stranger_reads_no_letter_even_in_the_demonstration(city: Settings, client: FlaskClient) -> None:
    _, guest_id = made.invited(city)
    (notice,) = made.notices_about(guest_id)
    for path in ("/outbox/", f"/outbox/{notice.id}", f"/outbox/{notice.id}/pictures/0"):
        assert client.get(path).status_code == 302, path


@pytest.mark.parametrize("login", ["lan", "minh", "thu", "dung", "bao", "khoa"])
def test_in_a_real_city_only_who_runs_it_reads_the_outbox(
    city: Settings, no_demonstration: Flask, sign_in: SignIn, login: str
) -> None:
    _, guest_id = made.invited(city)
    (notice,) = made.notices_about(guest_id)
    for path in ("/outbox/", f"/outbox/{notice.id}", f"/outbox/{notice.id}/pictures/0"):
        assert sign_in(login).get(path).status_code == 403, path


def test_in_a_real_city_the_outbox_shows_the_letter_without_what_opens_the_gate(
    city: Settings, no_demonstration: Flask, sign_in: SignIn
) -> None:
    _, guest_id = made.invited(city)
    (notice,), client = made.notices_about(guest_id), sign_in("oanh")
    page = client.get(f"/outbox/{notice.id}").get_data(as_text=True)
    assert "Nguyễn Thị Lan" in page
    (letter,) = made.letters_to(guest_id)
    assert made.page_of(letter) not in page
    assert "kv-letter__code" not in page
    assert client.get(f"/outbox/{notice.id}/pictures/0").status_code == 404


def test_a_letter_that_does_not_exist_is_not_found(city: Settings, sign_in: SignIn) -> None:
    assert sign_in("oanh").get(f"/outbox/{uuid4()}").status_code == 404


def test_what_a_guest_is_called_is_shown_as_text(city: Settings, sign_in: SignIn) -> None:
    _, guest_id = made.invited(city, made.NewGuest("<img src=x onerror=alert(1)>", "x@example.vn", ""))
    (notice,) = made.notices_about(guest_id)
    page = sign_in("oanh").get(f"/outbox/{notice.id}").get_data(as_text=True)
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page
