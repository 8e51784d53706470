"""Rules about the tree that no reader should have to remember."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.core.settings import SETTINGS
from app.worker import TASKS

ROOT = Path(__file__).parent.parent.parent
PYTHON = [*ROOT.glob("app/**/*.py"), *ROOT.glob("pki/**/*.py")]
TYPESCRIPT = list(ROOT.glob("app/frontend/src/**/*.ts"))


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return [ROOT / name for name in listed.split("\0") if name]


def test_imports_keep_to_the_layers() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout.decode()


def test_worker_runs_the_jobs_of_every_capability() -> None:
    assert sorted(TASKS) == sorted(path.parent.name for path in ROOT.glob("app/*/tasks.py"))


def test_only_the_chosen_modules_import_pyhanko_or_asn1crypto() -> None:
    allowed = ("pki/pades/", "pki/tsa", "pki/chains")
    for path in PYTHON:
        name = str(path.relative_to(ROOT))
        if not name.startswith(allowed):
            found = re.search(r"^\s*(?:from|import) (?:pyhanko|asn1crypto)", path.read_text(), re.MULTILINE)
            assert not found, name


def test_the_library_knows_no_web_no_database_and_no_network() -> None:
    banned = (
        r"^\s*(?:from|import) (flask|sqlalchemy|psycopg|procrastinate|requests|aiohttp|urllib\.request|socket|app)\b"
    )
    for path in ROOT.glob("pki/**/*.py"):
        assert not re.search(banned, path.read_text(), re.MULTILINE), path


def test_only_the_edges_read_the_clock() -> None:
    edges = {"views.py", "admin.py", "api.py", "tasks.py", "cli.py", "commands.py"}
    # Guards of routes, servers, the one view of all operations, and processes; the demonstration is a command.
    others = {
        "session_cookie.py",
        "device_guard.py",
        "server.py",
        "status_wsgi.py",
        "admissions_wsgi.py",
        "status_answers.py",
        "supervisor.py",
    }
    others |= {"operations.py", "clock_guard.py", "engine.py", "archive_process.py", "city.py", "campaign.py"}
    for path in PYTHON:
        kind = path.stem.rpartition("_")[2]
        is_edge = path.name in edges | others or kind in {"page", "pages", "views", "tasks", "commands"}
        if not is_edge and "migrations" not in path.parts:
            assert not re.search(r"datetime\.now\(|time\.time\(\)", path.read_text()), path


@pytest.mark.parametrize("name", sorted(SETTINGS))
def test_every_setting_is_documented(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs/operations.md").read_text()


def test_every_setting_that_is_read_is_listed() -> None:
    read = set(re.findall(r'"(KYVAO_[A-Z_]+)"', (ROOT / "app/core/settings.py").read_text()))
    assert read == set(SETTINGS)


def test_no_lock_and_no_text_names_a_registry_or_a_machine() -> None:
    # Written in two halves, so that this file does not name them itself.
    halves = [("pythonhost", "ed."), ("py", "pi.org"), ("registry.npm", "js"), ("deb.deb", "ian.org")]
    halves.append(('"resolv', 'ed":'))
    banned = re.compile("|".join(re.escape(first + second) for first, second in halves))
    for path in tracked():
        if path.suffix in {".png", ".ttf", ".woff2", ".pdf", ".svg"} or not path.is_file():
            continue
        assert not banned.search(path.read_text(errors="ignore")), path


def test_every_locked_requirement_has_its_hashes() -> None:
    for lock in ROOT.glob("scripts/requirements/*.txt"):
        text = lock.read_text()
        pins = re.findall(r"^[a-z0-9][\w.\-\[\],]*==\S+.*$", text, re.MULTILINE | re.IGNORECASE)
        assert pins, lock
        for entry in re.split(r"\n(?=[A-Za-z0-9])", text):
            if "==" in entry.split("\n")[0]:
                assert "--hash=sha256:" in entry, entry.split("\n")[0]


def test_no_module_is_named_for_nothing() -> None:
    vague = {"utils", "helpers", "common", "misc", "util", "helper", "tools"}
    for path in [*PYTHON, *TYPESCRIPT]:
        assert path.stem not in vague, path


def test_no_file_has_grown_a_second_subject() -> None:
    for path in [*PYTHON, *TYPESCRIPT]:
        if "versions" not in path.parts:
            assert len(path.read_text().splitlines()) <= 450, path


def test_typescript_has_no_any_and_no_unchecked_assertion() -> None:
    for path in TYPESCRIPT:
        text = path.read_text()
        assert not re.search(r":\s*any\b|\bas any\b|<any>|@ts-ignore|@ts-nocheck", text), path
        if not path.name.endswith(".test.ts"):
            assert not re.search(r"[\w)\]]!(?:[.;,)\[]|\s*$)", text, re.MULTILINE), path


def test_every_act_that_is_recorded_has_words() -> None:
    from app.audit.words import ACTS

    recorded = set()
    for path in ROOT.glob("app/**/*.py"):
        recorded |= set(re.findall(r'\b_?record\(\s*\w+,\s*\w+,\s*"(\w+)"', path.read_text()))
    assert recorded, "no act found: the pattern no longer fits the code"
    assert recorded <= set(ACTS), recorded - set(ACTS)


def test_no_error_for_people_is_raised_in_bare_english() -> None:
    names = "NotFound|Conflict|Invalid|Forbidden|Unavailable|TooLarge|TooMany|NotSignedIn|NotEnrolled"
    for path in ROOT.glob("app/**/*.py"):
        assert not re.search(rf"\b(?:{names})\(\s*f?[\"']", path.read_text()), path


def test_a_job_that_comes_every_few_seconds_names_the_seconds_last() -> None:
    # Six fields end with the seconds: `*/5 * * * * *` is every second of every fifth minute.
    schedules = [
        found
        for path in ROOT.glob("app/**/*.py")
        for found in re.findall(r'periodic\(cron="([^"]+)"', path.read_text())
    ]
    by_seconds = [one.split() for one in schedules if len(one.split()) == 6]
    assert by_seconds
    assert all(fields[:5] == ["*"] * 5 for fields in by_seconds), by_seconds
