"""The papers of the demonstration city: on their way in three states, and laid out as papers are."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from sqlalchemy import select

from app.core import db
from app.core.settings import Settings
from app.core.storage import Storage
from app.demo import papers
from app.routes.models import Route
from tests.factories import routes


def test_papers_are_on_their_way_in_several_states(city: Settings, tmp_path: Path) -> None:
    for _ in range(2):
        papers.create(city, now=routes.now())
    with db.transaction() as session:
        found = session.scalars(select(Route).order_by(Route.state)).unique().all()
        states = [route.state for route in found]
        sha256 = found[-1].papers[0].document.newest.sha256 if found[-1].papers else ""
        sha256 = sha256 or found[-2].papers[0].document.newest.sha256
    assert states == ["declined", "running", "running", "template"]
    pdf = tmp_path / "paper.pdf"
    shutil.copy(Storage(city.data_dir / "objects").path_of(sha256), pdf)
    assert subprocess.run(["qpdf", "--check", pdf], check=False, capture_output=True).returncode == 0
    text = subprocess.run(["pdftotext", "-layout", pdf, "-"], check=True, capture_output=True).stdout.decode()
    assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM" in text
    assert "Lê Thị Mỹ Hạnh" in text
