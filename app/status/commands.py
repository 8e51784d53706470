"""`kyvao status check`: look at every public address from outside and say what was found."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from datetime import UTC, datetime

import click

from app.core import db, postgres
from app.core.settings import load
from app.status.expected import Expected, expected
from app.status.findings import Finding, Judgement
from app.status.look import Outside


@click.group("status")
def status() -> None:
    """Look at the status service."""


@status.command("check")
@click.option("--url", help="Address to look at; default: KYVAO_STATUS_URL.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def check(url: str | None, as_json: bool) -> None:
    """Fetch every certificate, list, answer and a timestamp; exit with 1 if anything is stale, near it, or wrong."""
    settings = load(os.environ)
    findings = Outside((url or settings.status_url).rstrip("/"), _expected()).findings()
    raise SystemExit(_say(findings, as_json=as_json))


def _expected() -> Expected:
    settings = load(os.environ)
    address = settings.database_url or postgres.attach(settings.data_dir)
    if address is None:
        raise click.ClickException("The database is not running. Start Ký Vào, or set KYVAO_DATABASE_URL.")
    db.configure(address)
    try:
        with db.transaction() as session:
            return expected(session, now=datetime.now(UTC))
    finally:
        db.dispose()


def _say(findings: Iterable[Finding], *, as_json: bool) -> int:
    bad = 0
    for one in findings:
        bad += one.judgement is not Judgement.FINE
        ends = one.fresh_until.isoformat(timespec="seconds") if one.fresh_until else None
        if as_json:
            click.echo(json.dumps({"target": one.target, "state": one.judgement, "detail": one.detail, "until": ends}))
        else:
            click.echo(f"{one.judgement.upper():5} {one.target:40} {one.detail}" + (f", until {ends}" if ends else ""))
    return 1 if bad else 0
