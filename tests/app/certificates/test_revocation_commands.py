"""`kyvao certificates`: a list of lost keys, two people, one command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.certificates import crls, register, tasks
from app.certificates.life_models import BulkRevocation, BulkState
from app.certificates.models import Certificate
from app.certificates.revocation_commands import certificates
from app.core import db
from app.core.settings import Settings
from pki.revocation import RevocationReason
from tests.factories.certificates import another_administrator, issued_to


@pytest.fixture
def minhs(city: Settings) -> Certificate:
    another_administrator()
    return issued_to("minh")


def run(settings: Settings, *arguments: str, given: str = "") -> Result:
    """Run the command; it closes the connections, so that they are opened again for the test."""
    assert settings.database_url is not None
    try:
        return CliRunner().invoke(certificates, list(arguments), input=given)
    finally:
        db.configure(settings.database_url)


def state_of(certificate: Certificate) -> str:
    with db.transaction() as session:
        return register.find(session, certificate.id).state


BOTH = ("--approved-by", "oanh", "--approved-by", "phuc")


def test_a_list_of_lost_keys_is_revoked_and_published(minhs: Certificate, city: Settings, tmp_path: Path) -> None:
    file = tmp_path / "lost.csv"
    file.write_text(f"serial,name\n{minhs.serial_hex},Minh\nabcdef\n")
    since = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}"
    done = run(city, "revoke", "--serials", str(file), "--reason", "key_compromise", "--since", since, *BOTH)
    assert done.exit_code == 0, done.output
    assert "1  not found" in done.output
    assert "1 changed" in done.output
    tasks.publish_due.func()
    with db.transaction() as session:
        known = register.find(session, minhs.id).revocation
        assert known is not None
        assert known.reason == RevocationReason.KEY_COMPROMISE
        assert known.invalidity_date is not None
        newest = crls.newest(session, minhs.authority_id, minhs.shard)
        assert newest is not None
    listed = x509.load_der_x509_crl(newest.der).get_revoked_certificate_by_serial_number(minhs.serial_number)
    assert listed is not None


def test_a_dry_run_changes_nothing(minhs: Certificate, city: Settings) -> None:
    arguments = ("revoke", "--serials", "-", "--reason", "superseded", "--dry-run", *BOTH)
    done = run(city, *arguments, given=minhs.serial_hex)
    assert "1  to be done" in done.output
    assert "Nothing was changed." in done.output
    assert state_of(minhs) == "issued"


@pytest.mark.parametrize(
    "people",
    [
        ("--approved-by", "oanh"),
        ("--approved-by", "oanh", "--approved-by", "oanh"),
        ("--approved-by", "oanh", "--approved-by", "minh"),
        ("--approved-by", "oanh", "--approved-by", "nobody"),
    ],
)
def test_one_administrator_alone_revokes_nothing(minhs: Certificate, city: Settings, people: tuple[str, ...]) -> None:
    done = run(city, "revoke", "--serials", "-", "--reason", "superseded", *people, given=minhs.serial_hex)
    assert done.exit_code != 0
    assert state_of(minhs) == "issued"


def test_a_suspended_list_is_released(minhs: Certificate, city: Settings) -> None:
    hold = ("revoke", "--serials", "-", "--reason", "certificate_hold", *BOTH)
    assert run(city, *hold, given=minhs.serial_hex).exit_code == 0
    assert state_of(minhs) == "held"
    assert run(city, "release", "--serials", "-", *BOTH, given=minhs.serial_hex).exit_code == 0
    assert state_of(minhs) == "issued"


@pytest.mark.parametrize(
    ("point", "state"), [("revoke.before_commit", "issued"), ("revoke.committed_before_publish", "revoked")]
)
def test_killed_at_any_point_a_list_is_finished_by_the_worker_exactly_once(
    minhs: Certificate, city: Settings, point: str, state: str
) -> None:
    command = [str(Path(sys.executable).parent / "kyvao"), "certificates", "revoke", "--serials", "-"]
    done = subprocess.run(
        [*command, "--reason", "superseded", *BOTH],
        input=minhs.serial_hex.encode(),
        env=os.environ | {"KYVAO_FAILPOINT": f"{point}:kill"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert state_of(minhs) == state
    tasks.go_on_with_lists.func(0)
    assert state_of(minhs) == "revoked"
    with db.transaction() as session:
        assert len(session.scalars(select(AuditEntry).where(AuditEntry.act == "certificate_revoked")).all()) == 1
        assert session.scalars(select(BulkRevocation.state)).one() == BulkState.DONE
