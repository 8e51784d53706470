"""`kyvao authority` on an installation without the demonstration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select

from app.certificates.commands import authority
from app.certificates.models import Authority, Certificate
from app.core import db
from app.core.permissions import house
from app.registry import service as registry


@pytest.fixture
def kyvao(database: str, tmp_path: Path) -> Callable[..., Result]:
    def run(*words: str) -> Result:
        result = CliRunner().invoke(authority, words, env={"KYVAO_DATABASE_URL": database, "KYVAO_DATA": str(tmp_path)})
        db.configure(database)
        return result

    return run


def count(model: type[Authority | Certificate]) -> int:
    with db.transaction() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_the_authorities_are_created_once(kyvao: Callable[..., Result]) -> None:
    first = kyvao("create")
    assert first.exit_code == 0, first.output
    assert count(Authority) == 6
    second = kyvao("create")
    assert second.exit_code == 1
    assert "exist already" in second.output
    assert count(Authority) == 6


def test_an_agency_gets_its_seal_and_its_pass_signer(kyvao: Callable[..., Result]) -> None:
    kyvao("create")
    before = count(Certificate)
    with db.transaction() as session:
        registry.add_agency(session, code="H01", name="Sở Tư pháp", parent=None, actor=house("test"))
    assert kyvao("certify-agency", "H01").exit_code == 0
    assert count(Certificate) == before + 2
    missing = kyvao("certify-agency", "H02")
    assert missing.exit_code == 1
    assert "no agency with the code H02" in missing.output
