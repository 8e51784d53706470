"""The embedded server: durable, owned once, taken over after a crash, at home in awkward folders."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from app.core import postgres, postgres_home
from app.core.postgres_home import LONGEST_SOCKET_PATH, SOCKET_NAME

KILLED_OWNER = """
import os, signal, sys
from pathlib import Path
from app.core import postgres
server = postgres.start(Path(sys.argv[1]))
print(server.url, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[Path], postgres.Server]]:
    """Return a function that starts a server in a folder; what is still running at the end is stopped and removed."""
    started: list[Path] = []

    def begin(data: Path) -> postgres.Server:
        started.append(data)
        return postgres.start(data)

    yield begin
    for data in started:
        home = postgres_home.find_home(data)
        if home is None:
            continue
        if postgres.attach(data):
            stop = [postgres_home.find_programs(home.run_as) / "pg_ctl", "stop", "-D", home.cluster, "-m", "immediate"]
            home.run_as.run(*stop)
        shutil.rmtree(home.folder)


def ask(url: str, question: str) -> str:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        row = connection.execute(question).fetchone()
        assert row is not None
        return str(row[0])


def write(url: str) -> None:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 'Nguyễn Thị Lan' AS name")


def test_what_was_committed_is_there_after_a_stop_and_a_start(
    tmp_path: Path, start: Callable[[Path], postgres.Server]
) -> None:
    first = start(tmp_path)
    write(first.url)
    assert ask(first.url, "SHOW fsync") == "on"
    first.stop()
    assert postgres.attach(tmp_path) is None
    second = start(tmp_path)
    assert ask(second.url, "SELECT name FROM kept") == "Nguyễn Thị Lan"
    second.stop()


def test_a_server_whose_owner_was_killed_is_taken_over(
    tmp_path: Path, start: Callable[[Path], postgres.Server]
) -> None:
    owner = subprocess.run([sys.executable, "-c", KILLED_OWNER, tmp_path], capture_output=True, text=True, check=False)
    assert owner.returncode == -signal.SIGKILL, owner.stderr
    assert postgres.attach(tmp_path) == owner.stdout.strip()
    server = start(tmp_path)
    assert server.url == owner.stdout.strip()
    server.stop()
    assert postgres.attach(tmp_path) is None


def test_a_server_that_was_killed_is_started_again_with_all_that_was_committed(
    tmp_path: Path, start: Callable[[Path], postgres.Server]
) -> None:
    server = start(tmp_path)
    write(server.url)
    assert not server.start_again_if_dead()
    pid = int((server.home.cluster / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGKILL)
    while Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes():
        pass
    assert server.start_again_if_dead()
    assert ask(server.url, "SELECT name FROM kept") == "Nguyễn Thị Lan"
    server.stop()


def test_a_second_owner_is_refused_in_a_sentence(tmp_path: Path, start: Callable[[Path], postgres.Server]) -> None:
    first = start(tmp_path)
    with pytest.raises(postgres.PostgresError, match="already running"):
        postgres.start(tmp_path)
    assert ask(first.url, "SELECT 1") == "1"
    first.stop()


def test_a_command_uses_the_running_server_and_otherwise_starts_and_stops_one(
    tmp_path: Path, start: Callable[[Path], postgres.Server]
) -> None:
    server = start(tmp_path)
    with postgres.running(tmp_path) as url:
        assert url == server.url
    assert ask(server.url, "SELECT 1") == "1"
    server.stop()
    with postgres.running(tmp_path) as url:
        assert ask(url, "SELECT 1") == "1"
    assert postgres.attach(tmp_path) is None


def test_the_pid_file_of_a_dead_server_does_not_stop_the_next_start_when_its_number_is_taken_again(
    tmp_path: Path, start: Callable[[Path], postgres.Server]
) -> None:
    server = start(tmp_path)
    cluster = server.home.cluster
    left = (cluster / "postmaster.pid").read_text().splitlines()
    server.stop()
    (cluster / "postmaster.pid").write_text("\n".join([str(os.getpid()), *left[1:]]))
    os.chown(cluster / "postmaster.pid", server.home.run_as.uid, server.home.run_as.gid)
    again = start(tmp_path)
    assert ask(again.url, "SELECT 1") == "1"
    again.stop()


@pytest.mark.parametrize("name", ["thành phố có dấu", "a,b", "x" * 120])
def test_a_server_starts_in_a_folder_with_an_awkward_name(
    tmp_path: Path, name: str, start: Callable[[Path], postgres.Server]
) -> None:
    server = start(tmp_path / name)
    assert ask(server.url, "SELECT 1") == "1"
    server.stop()


def test_a_socket_of_exactly_107_bytes_stays_in_the_folder_and_one_more_does_not() -> None:
    room = LONGEST_SOCKET_PATH - len(f"/socket/{SOCKET_NAME}")
    fits, too_long = Path("/" + "x" * (room - 1)), Path("/" + "x" * room)
    assert postgres_home.socket_folder(fits, 7) == fits / "socket"
    assert len(str(fits / "socket" / SOCKET_NAME)) == 107
    elsewhere = postgres_home.socket_folder(too_long, 7)
    assert elsewhere.parent == Path("/tmp")
    assert elsewhere != postgres_home.socket_folder(too_long.with_name("y" * room), 7)


def test_folders_that_we_did_not_make_keep_their_permissions(
    tmp_path: Path, start: Callable[[Path], postgres.Server]
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    server = start(closed / "data")
    assert closed.stat().st_mode & 0o777 == 0o700
    assert server.home.folder.stat().st_mode & 0o077 == 0
    server.stop()


def test_the_server_inherits_none_of_our_secrets(
    tmp_path: Path, start: Callable[[Path], postgres.Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KYVAO_KEY_PASSPHRASE", "must-not-travel")
    server = start(tmp_path)
    pid = (server.home.cluster / "postmaster.pid").read_text().split()[0]
    environ = Path(f"/proc/{pid}/environ").read_bytes()
    assert b"LC_ALL=C" in environ
    assert b"must-not-travel" not in environ
    server.stop()


def test_a_temporary_server_leaves_nothing(tmp_path: Path) -> None:
    with postgres.temporary_server(tmp_path) as url:
        home = postgres_home.find_home(tmp_path)
        assert home is not None
        assert ask(url, "SHOW fsync") == "off"
    assert not home.folder.exists()
    assert not (tmp_path / "postgres").is_symlink()
