"""`kyvao run`: what it decides from its options, and what it does when a process dies."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic

import click
import pytest
from click.testing import CliRunner

from app.cli import main
from app.processes import Plan, Watched
from app.supervisor import chosen_environ, settings_from

PATIENCE = 20.0


def until(question: Callable[[], bool]) -> None:
    """Ask again until the answer is yes."""
    deadline = monotonic() + PATIENCE
    while not question():
        assert monotonic() < deadline, "it never came true"


def test_the_demonstration_is_on_in_development_unless_refused() -> None:
    assert chosen_environ({}, port=None, data=None, no_demo=False)["KYVAO_DEMO"] == "1"
    assert chosen_environ({}, port=None, data=None, no_demo=True)["KYVAO_DEMO"] == "0"
    assert chosen_environ({"KYVAO_DEMO": "0"}, port=None, data=None, no_demo=False)["KYVAO_DEMO"] == "0"


def test_the_demonstration_is_never_switched_on_in_production_or_under_an_unknown_word() -> None:
    for word in ("production", "prodution"):
        assert "KYVAO_DEMO" not in chosen_environ({"KYVAO_ENV": word}, port=None, data=None, no_demo=False)


def test_one_port_is_chosen_and_the_status_service_takes_the_next() -> None:
    chosen = chosen_environ({}, port=9000, data=Path("/data"), no_demo=False)
    settings = settings_from(chosen)
    assert (settings.web_port, settings.status_port) == (9000, 9001)
    assert settings.status_url == "http://127.0.0.1:9001"
    assert settings.data_dir == Path("/data")


def test_a_database_address_is_given_the_driver_that_we_use() -> None:
    settings = settings_from({"KYVAO_DATABASE_URL": "postgresql://lan:p%40ss@db/city"})
    assert settings.database_url == "postgresql+psycopg://lan:p%40ss@db/city"


@pytest.mark.parametrize("address", ["mysql://db/city", "no address"])
def test_a_database_that_is_not_postgresql_is_refused(address: str) -> None:
    with pytest.raises(click.ClickException, match="postgresql"):
        settings_from({"KYVAO_DATABASE_URL": address})


def test_a_taken_port_is_named_in_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        started = subprocess.run(
            [sys.executable, "-m", "app.cli", "run", "--port", str(port), "--data", str(tmp_path / "data")],
            capture_output=True,
            text=True,
            check=False,
        )
    assert started.returncode == 1
    assert f"Port {port}" in started.stderr
    assert "--port" in started.stderr
    assert not (tmp_path / "data").exists()


def test_production_with_nothing_set_refuses_to_start_and_gives_each_reason(tmp_path: Path) -> None:
    environ = {name: None for name in os.environ if name.startswith("KYVAO_")} | {"KYVAO_ENV": "production"}
    started = CliRunner(env=environ).invoke(main, ["migrate"])
    assert started.exit_code == 1
    for word in ("KYVAO_SECRET_KEY", "KYVAO_KEY_PASSPHRASE", "KYVAO_SOFTWARE_KEYS", "KYVAO_WEB_URL"):
        assert word in started.output


def watched(
    tmp_path: Path, code: str, *, patience: float = PATIENCE, first_delay: float = 1.0
) -> tuple[Watched, list[str]]:
    said: list[str] = []
    plan = Plan("worker", [sys.executable, "-c", code], patience, first_delay)
    return Watched(plan, dict(os.environ), tmp_path, said.append), said


def test_a_process_that_dies_is_started_again_and_its_last_words_are_shown(tmp_path: Path) -> None:
    child, said = watched(tmp_path, "import sys; sys.exit('no key today')", first_delay=0.01)
    child.start()

    def died_twice() -> bool:
        child.watch()
        return len(said) >= 4

    until(died_twice)
    child.stop()
    assert "worker ended (exit 1)" in said[0]
    assert "no key today" in said[1]
    # Each death makes the wait longer: a process that cannot run must not keep the machine busy.
    assert child.log.read_text().count("no key today") >= 2


def test_a_process_is_told_to_stop_before_it_is_ended(tmp_path: Path) -> None:
    code = (
        "import signal, sys\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('finished', flush=True), sys.exit(0)))\n"
        "print('ready', flush=True)\n"
        "while True: signal.pause()"
    )
    child, said = watched(tmp_path, code)
    child.start()
    until(lambda: "ready" in child.last_lines(1))
    child.stop()
    assert "finished" in child.last_lines(1)
    assert said == []


def test_a_process_that_does_not_listen_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    code = (
        "import signal, subprocess, sys\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "grandchild = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'])\n"
        "print(grandchild.pid, flush=True)\n"
        "signal.pause()"
    )
    child, said = watched(tmp_path, code, patience=0.2)
    child.start()
    until(lambda: child.log.read_text().strip().isdigit())
    grandchild = int(child.log.read_text())
    child.stop()
    assert "did not finish" in said[0]
    until(lambda: not is_running(grandchild))


def test_processes_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    supervisor = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from app.processes import Plan, Watched\n"
        "command = [sys.executable, '-c', 'import os, signal; print(os.getpid(), flush=True); signal.pause()']\n"
        "child = Watched(Plan('web', command, 1), dict(os.environ), Path(sys.argv[1]), print)\n"
        "child.start()\n"
        "while not child.log.read_text().strip(): pass\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", supervisor, tmp_path], check=False)
    assert ended.returncode == -signal.SIGKILL
    child = int((tmp_path / "web.log").read_text())
    until(lambda: not is_running(child))


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
