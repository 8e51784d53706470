"""The two commands of the house, as far as they can be tried without a fresh machine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
COMMANDS = ("scripts/setup", "scripts/run", "scripts/test", ".ci/run", "scripts/requirements/lock")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_executable_and_reads_as_bash(name: str) -> None:
    assert (ROOT / name).stat().st_mode & 0o111 == 0o111
    read = subprocess.run(["bash", "-n", ROOT / name], capture_output=True, text=True, check=False)
    assert read.returncode == 0, read.stderr


def test_an_unknown_word_is_refused_before_anything_is_installed() -> None:
    started = subprocess.run([ROOT / "scripts/setup", "--tests"], capture_output=True, text=True, check=False)
    assert started.returncode == 2
    assert "usage: scripts/setup [--test]" in started.stderr
    assert started.stdout == ""


def test_a_setup_with_nothing_to_do_says_nothing_twice() -> None:
    # The first may have work to do, for instance after an edit of the front end; then there is none left.
    subprocess.run([ROOT / "scripts/setup"], capture_output=True, check=True)
    again = subprocess.run([ROOT / "scripts/setup"], capture_output=True, text=True, check=True)
    assert again.stdout == ""


def test_every_lock_has_its_list_and_every_list_its_lock() -> None:
    folder = ROOT / "scripts/requirements"
    assert {path.stem for path in folder.glob("*.in")} == {path.stem for path in folder.glob("*.txt")}


def test_the_readme_names_only_what_exists() -> None:
    text = (ROOT / "README.md").read_text()
    named = re.findall(r"\]\(([^):]+)\)", text) + re.findall(r"`((?:app|pki|tests|scripts|docs)/[\w/]*)`", text)
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []
