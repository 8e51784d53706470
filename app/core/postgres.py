"""The embedded PostgreSQL: started once by its owner; others attach to it by its URL.

It listens on a Unix socket in a folder that only its account may enter, never on the network: whoever could reach it
has the rights of that account already, so there is no password to keep. `postgres_home` settles what depends on root
and on the length of paths.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import sleep
from typing import IO, Final

import psycopg
from psycopg import sql
from sqlalchemy import URL

from app.core.postgres_home import (
    SHARED,
    Home,
    PostgresError,
    RunAs,
    find_home,
    find_programs,
    make_home,
    socket_folder,
)

__all__ = ["PostgresError", "Server", "attach", "running", "start", "temporary_server"]

Tell = Callable[[str], None]

NAME: Final = "kyvao"
OPTIONS: Final[Mapping[str, str]] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgres-%a.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    # The statements of a failed transaction may hold people's names and numbers.
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
}
DURABLE: Final[Mapping[str, str]] = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    # For half a million certificates: indexes stay in memory, and a campaign forces no checkpoint after checkpoint.
    "shared_buffers": "512MB",
    "max_wal_size": "4GB",
}
# For tests only: what is lost with the machine's power was of no worth.
FORGETFUL: Final[Mapping[str, str]] = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "logging_collector": "off",
}


@dataclass(frozen=True)
class Server:
    """A running server that this process owns."""

    url: str
    home: Home
    # Held until `stop`, so that two owners on one data folder are impossible; the kernel frees it if we are killed.
    lock: IO[str] = field(repr=False)

    def start_again_if_dead(self) -> bool:
        """Start the server again if its process is gone, for instance killed for want of memory; say whether it was.

        Raises PostgresError if it does not start in some ten seconds.
        """
        if _is_alive(self.home):
            return False
        folder = socket_folder(self.home.folder, self.home.run_as.uid)
        for _ in range(20):
            # A killed server's children hold its memory until they notice, and a new one refuses to start beside them.
            with contextlib.suppress(PostgresError):
                _start_process(self.home, DURABLE, folder)
                return True
            sleep(0.5)
        _start_process(self.home, DURABLE, folder)
        return True

    def stop(self) -> None:
        """Stop the server; transactions under way are rolled back, committed ones are on the disk."""
        _pg_ctl(self.home, "stop", "-m", "fast", "-t", "60")
        self.lock.close()


def start(data_dir: Path, *, tell: Tell = lambda _: None) -> Server:
    """Start the server of `data_dir` and own it, made first if there is none; one left by a killed owner is taken over.

    Raises PostgresError if another process owns it or it does not start; the text says what to do.
    """
    return _start(data_dir, DURABLE, tell)


def attach(data_dir: Path) -> str | None:
    """Return the URL of the running server of `data_dir`, or None if none is running."""
    home = find_home(data_dir)
    if home is None:
        return None
    url = _url(socket_folder(home.folder, home.run_as.uid))
    return url if _answers(url) else None


@contextmanager
def running(data_dir: Path) -> Iterator[str]:
    """Give the URL of the server of `data_dir`; if none is running, one is started and stopped again at the end."""
    url = attach(data_dir)
    if url is not None:
        yield url
        return
    server = start(data_dir)
    try:
        yield server.url
    finally:
        server.stop()


@contextmanager
def temporary_server(directory: Path, durability: Mapping[str, str] = FORGETFUL) -> Iterator[str]:
    """Give the URL of a server in `directory`, which is gone at the end: forgetful for tests, DURABLE to measure."""
    _remove_left_over()
    make_home(directory, prefix=f"temporary-{os.getpid()}")
    server = _start(directory, durability, lambda _: None)
    try:
        yield server.url
    finally:
        # Nothing of it is kept, so it need not finish anything.
        _pg_ctl(server.home, "stop", "-m", "immediate", "-t", "60")
        server.lock.close()
        shutil.rmtree(server.home.folder)
        with contextlib.suppress(FileNotFoundError):
            (directory / "postgres").unlink()


def _remove_left_over() -> None:
    """End temporary servers whose owner was killed; one in the test's own folder ends when that is removed."""
    for folder in SHARED.glob("temporary-*") if os.geteuid() == 0 else ():
        if Path(f"/proc/{folder.name.split('-')[1]}").exists():
            continue
        # It may have ended by itself, or another test run is removing it at this moment.
        with contextlib.suppress(FileNotFoundError, PostgresError):
            owner = folder.stat()
            _pg_ctl(Home(folder, RunAs(owner.st_uid, owner.st_gid)), "stop", "-m", "immediate", "-t", "20")
        shutil.rmtree(folder, ignore_errors=True)


def _start(data_dir: Path, durability: Mapping[str, str], tell: Tell) -> Server:
    home = make_home(data_dir)
    lock = _take(data_dir)
    try:
        _make_cluster(home, durability, tell)
        folder = home.make_socket_folder()
        url = _url(folder)
        if not _answers(url):
            _start_process(home, durability, folder)
        _make_database(folder)
    except BaseException:
        lock.close()
        raise
    return Server(url, home, lock)


def _take(data_dir: Path) -> IO[str]:
    lock = (data_dir / "postgres.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise PostgresError(
            f"Ký Vào is already running on {data_dir}. Stop it first or choose another --data."
        ) from error
    return lock


def _make_cluster(home: Home, durability: Mapping[str, str], tell: Tell) -> None:
    """Make the cluster in a folder of another name and rename it: a cut-off attempt is never taken for a database."""
    if home.cluster.exists():
        return
    tell("making the database")
    unfinished = home.folder / "unfinished"
    if unfinished.exists():
        shutil.rmtree(unfinished)
    made = home.run_as.run(
        find_programs(home.run_as) / "initdb",
        f"--username={NAME}",
        "--auth-local=trust",
        "--auth-host=reject",
        "--encoding=UTF8",
        # The server's own Unicode order: it does not change with the machine's C library.
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        *(["--no-sync"] if durability["fsync"] == "off" else []),
        f"--pgdata={unfinished}",
    )
    if made.returncode:
        raise PostgresError(f"The database could not be made: {made.stderr.strip()}")
    unfinished.rename(home.cluster)


def _start_process(home: Home, durability: Mapping[str, str], folder: Path) -> None:
    # PostgreSQL would wait for ever for a killed server's number that is now another program's.
    if not _is_alive(home):
        (home.cluster / "postmaster.pid").unlink(missing_ok=True)
    options = {**OPTIONS, **durability, "unix_socket_directories": str(folder)}
    words = " ".join(f"-c {name}={shlex.quote(value)}" for name, value in options.items())
    _pg_ctl(home, "start", "-w", "-t", "60", "-l", str(home.start_log), "-o", words)


def _is_alive(home: Home) -> bool:
    """Say whether the process named in the cluster's pid file is a PostgreSQL."""
    try:
        pid = int((home.cluster / "postmaster.pid").read_text().split(maxsplit=1)[0])
        return b"postgres" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError, IndexError):
        return False


def _pg_ctl(home: Home, act: str, *options: str) -> None:
    done = home.run_as.run(find_programs(home.run_as) / "pg_ctl", act, "-D", home.cluster, *options)
    if done.returncode:
        log = home.start_log.read_text(errors="replace").splitlines()[-5:] if home.start_log.exists() else []
        raise PostgresError("\n".join([f"PostgreSQL did not {act}: {done.stderr.strip()}", *log]))


def _make_database(folder: Path) -> None:
    with psycopg.connect(host=str(folder), user=NAME, dbname="postgres", autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (NAME,)).fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(NAME)))


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url.replace("+psycopg", "", 1), dbname="postgres", connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def _url(folder: Path) -> str:
    address = URL.create("postgresql+psycopg", username=NAME, database=NAME, query={"host": os.fspath(folder)})
    return address.render_as_string(hide_password=False)
