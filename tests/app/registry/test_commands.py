"""`kyvao registry` on an installation where nobody can sign in yet."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient

from app.core import db
from app.registry.commands import registry
from tests.factories.forms import csrf_token

PASSWORD = "mot cau that dai va de nho"
PERSON = ("--surname", "Hoàng Kim", "--given-name", "Oanh", "--password", PASSWORD)


@pytest.fixture
def kyvao(database: str, tmp_path: Path) -> Callable[..., Result]:
    def run(*words: str) -> Result:
        result = CliRunner().invoke(registry, words, env={"KYVAO_DATABASE_URL": database, "KYVAO_DATA": str(tmp_path)})
        db.configure(database)
        return result

    return run


def test_the_first_administrator_is_added_and_signs_in(kyvao: Callable[..., Result], client: FlaskClient) -> None:
    assert kyvao("add-agency", "H1", "Thành phố").exit_code == 0
    added = kyvao("add-person", "oanh", *PERSON, "--role", "administrator")
    assert added.exit_code == 0, added.output
    form = {"csrf_token": csrf_token(client, "/sign-in"), "login": "oanh", "password": PASSWORD}
    assert client.post("/sign-in", data=form).status_code == 302
    assert client.get("/log/").status_code == 200


def test_an_official_gets_a_post_in_an_agency_below_another(kyvao: Callable[..., Result]) -> None:
    kyvao("add-agency", "H1", "Thành phố")
    assert kyvao("add-agency", "H1.1", "Sở Một", "--under", "H1").exit_code == 0
    words = ("--role", "official", "--agency", "H1.1", "--title", "Chuyên viên")
    assert kyvao("add-person", "minh", *PERSON, *words).exit_code == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("add-agency", "H1", "Again"), "already"),
        (("add-agency", "H2", "X", "--under", "H9"), "no agency"),
        (("add-person", "a", *PERSON[:4], "--password", "short", "--role", "guard"), "at least 15"),
        (("add-person", "a", *PERSON, "--role", "guard", "--agency", "H9"), "no agency"),
        (("add-person", "a", *PERSON, "--role", "guard", "--title", "X"), "--agency"),
        (("add-person", "oanh", *PERSON, "--role", "guard"), "already"),
        (("add-person", "a", *PERSON, "--role", "king"), "Invalid value"),
    ],
)
def test_what_cannot_be_entered_is_refused_in_a_sentence(
    kyvao: Callable[..., Result], words: tuple[str, ...], sentence: str
) -> None:
    kyvao("add-agency", "H1", "Thành phố")
    kyvao("add-person", "oanh", *PERSON, "--role", "administrator")
    refused = kyvao(*words)
    assert refused.exit_code != 0
    assert sentence in refused.output
