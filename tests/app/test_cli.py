"""The command `kyvao`: every part is there, and checking a PDF needs neither the web nor a database."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from app.cli import PARTS, main

LOADED = """
import sys
from app.cli import PARTS
PARTS["pdf"].load()
print(*{"flask", "sqlalchemy", "psycopg", "procrastinate"} & set(sys.modules))
"""


@pytest.mark.parametrize("name", sorted(PARTS))
def test_every_part_that_is_listed_explains_itself(name: str) -> None:
    answer = CliRunner().invoke(main, [name, "--help"])
    assert answer.exit_code == 0, answer.output
    assert "Usage:" in answer.output


def test_an_unknown_part_is_refused_with_the_name_that_was_typed() -> None:
    answer = CliRunner().invoke(main, ["sing"])
    assert answer.exit_code == 2
    assert "sing" in answer.output


def test_the_list_of_parts_is_shown_without_importing_them() -> None:
    code = "import sys; from app.cli import main; main(['--help'], standalone_mode=False); print(*sorted(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "Sign and check PDF files." in shown
    assert "app.supervisor" not in shown.split()


def test_checking_a_pdf_loads_neither_the_web_nor_a_database() -> None:
    loaded = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == ""
