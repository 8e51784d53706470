"""`kyvao run`: PostgreSQL, `web`, `status` and `worker` together on one machine.

On several machines each process is started by the machine's own service manager instead (docs/operations.md).
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import Final

import click
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from app.core import postgres
from app.core.postgres_home import make_data_folder
from app.core.settings import Settings, SettingsError, load
from app.processes import Watched, plans
from app.progress import say, step

READY_WITHIN: Final = 60.0
# So many invented citizens have certificates in the demonstration.
DEMONSTRATION_ROWS: Final = 3_000


@click.command("run", short_help="Start everything on this machine.")
@click.option("--port", type=click.IntRange(1, 65534), help="Port of the web pages; the status service takes the next.")
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Folder for all data; default: var.")
@click.option("--no-demo", is_flag=True, help="Do not make or show the demonstration city.")
def run(port: int | None, data: Path | None, no_demo: bool) -> None:
    """Start the database, the web pages, the status service and the worker; Ctrl-C stops them."""
    started = monotonic()
    stopping = _listen_for_stop()
    settings = settings_from(chosen_environ(os.environ, port=port, data=data, no_demo=no_demo))
    _need_free(settings.bind, settings.web_port, settings.status_port)
    # Documents, keys and logs are ours alone; the child processes inherit this.
    os.umask(0o077)
    make_data_folder(settings.data_dir)
    try:
        with database(settings) as (url, server):
            settings = replace(settings, database_url=url)
            prepare(settings)
            if not stopping.is_set():
                _run_processes(settings, server, stopping, started)
    except postgres.PostgresError as error:
        raise click.ClickException(str(error)) from error
    say("Everything is stopped. Nothing is lost.")


def chosen_environ(environ: Mapping[str, str], *, port: int | None, data: Path | None, no_demo: bool) -> dict[str, str]:
    """Return `environ` with what the command line says; outside production the demonstration is on unless refused."""
    chosen = dict(environ)
    if port is not None:
        chosen |= {"KYVAO_WEB_PORT": str(port), "KYVAO_STATUS_PORT": str(port + 1)}
    if data is not None:
        chosen["KYVAO_DATA"] = str(data)
    if no_demo:
        chosen["KYVAO_DEMO"] = "0"
    elif chosen.get("KYVAO_ENV", "development") == "development":
        chosen.setdefault("KYVAO_DEMO", "1")
    return chosen


def settings_from(environ: Mapping[str, str]) -> Settings:
    """Return the settings of `environ`. Raises ClickException with one line for each problem."""
    try:
        settings = load(environ)
        if settings.database_url is None:
            return settings
        address = make_url(settings.database_url)
    except SettingsError as error:
        raise click.ClickException("\n".join(error.problems)) from error
    except ArgumentError as error:
        raise click.ClickException("KYVAO_DATABASE_URL must look like postgresql://user:password@host/name.") from error
    if not address.drivername.startswith("postgresql"):
        raise click.ClickException("KYVAO_DATABASE_URL must name a PostgreSQL server (postgresql://…).")
    url = address.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    return replace(settings, database_url=url)


@contextmanager
def database(settings: Settings) -> Iterator[tuple[str, postgres.Server | None]]:
    """Give the URL of the database; an embedded server, given too, is started here and stopped when the block ends."""
    if settings.database_url is not None:
        yield settings.database_url, None
        return
    with step("Database"):
        server = postgres.start(settings.data_dir, tell=lambda text: print(f" ({text})", end="", flush=True))
    try:
        yield server.url, server
    finally:
        with step("Stopping the database"):
            server.stop()


def prepare(settings: Settings) -> None:
    """Bring the tables up to date and, in a demonstration, make its city if the database is empty."""
    from app.core import db
    from app.migrations import upgrade

    url = settings.database_url or ""
    with step("Tables"):
        upgrade(url)
    if settings.demonstration:
        from app.demo import city

        db.configure(url)
        with step("Demonstration city"):
            city.create(
                settings, lambda text: print(f"\n  {text}", end="", flush=True), campaign_rows=DEMONSTRATION_ROWS
            )
        db.dispose()


def child_environ(settings: Settings) -> dict[str, str]:
    """Return the environment of the child processes: ours, with what was decided here."""
    return {
        **os.environ,
        "KYVAO_DATA": str(settings.data_dir),
        "KYVAO_DATABASE_URL": settings.database_url or "",
        "KYVAO_WEB_PORT": str(settings.web_port),
        "KYVAO_STATUS_PORT": str(settings.status_port),
        "KYVAO_DEMO": "1" if settings.demonstration else "0",
        "PYTHONUNBUFFERED": "1",
    }


def _run_processes(
    settings: Settings, server: postgres.Server | None, stopping: threading.Event, started: float
) -> None:
    logs = settings.data_dir / "log"
    logs.mkdir(exist_ok=True, mode=0o700)
    wanted = plans(bind=settings.bind, web_port=settings.web_port, status_port=settings.status_port)
    children = [Watched(plan, child_environ(settings), logs, say) for plan in wanted]
    try:
        with step("Web, status and worker"):
            for child in children:
                child.start()
            _wait_until_ready(settings, children, stopping)
        if not stopping.is_set():
            _say_addresses(settings, logs, monotonic() - started)
        while not stopping.wait(0.2):
            _watch_database(server)
            for child in children:
                child.watch()
    finally:
        say("\nStopping; what is under way is finished first.")
        for child in children:
            child.stop()


def _watch_database(server: postgres.Server | None) -> None:
    try:
        if server is not None and server.start_again_if_dead():
            say("The database had ended and was started again.")
    except postgres.PostgresError as error:
        say(str(error))


def _wait_until_ready(settings: Settings, children: list[Watched], stopping: threading.Event) -> None:
    """Return when both servers answer. A process that dies this early will not do better when started again."""
    deadline = monotonic() + READY_WITHIN
    waiting = [settings.web_port, settings.status_port]
    while waiting and not stopping.wait(0.1):
        for child in children:
            if not child.is_alive:
                raise click.ClickException(f"{child.plan.name} did not start:\n{child.last_lines(15)}")
        if monotonic() > deadline:
            raise click.ClickException(f"Port {waiting[0]} gave no answer in {READY_WITHIN:.0f} s; see the logs.")
        waiting = [port for port in waiting if not _answers(settings.bind, port)]


def _answers(bind: str, port: int) -> bool:
    connection = http.client.HTTPConnection(_reachable(bind), port, timeout=5)
    try:
        connection.request("HEAD", "/")
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def _reachable(bind: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bind, bind)  # noqa: S104  compared, not listened on


def _say_addresses(settings: Settings, logs: Path, took: float) -> None:
    say(f"\nKý Vào is ready after {took:.1f} s. Ctrl-C stops it.")
    say(f"  Web pages        {settings.web_url}")
    say(f"  Status service   {settings.status_url}")
    say(f"  Data             {settings.data_dir}")
    say(f"  Logs             {logs}")
    if settings.demonstration:
        say("  This is the demonstration: its start page signs you in as anyone. Do not put real data here.")


def _need_free(bind: str, *ports: int) -> None:
    for port in ports:
        family = socket.AF_INET6 if ":" in bind else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((bind, port))
            except OSError as error:
                raise click.ClickException(
                    f"Port {port} on {bind} cannot be used ({error.strerror}). Choose another with --port."
                ) from error


def _listen_for_stop() -> threading.Event:
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    return stopping
