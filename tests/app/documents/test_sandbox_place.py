"""The limited process starts wherever the program was put, also below the /tmp that it empties for itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
ASK = """
from app.documents import sandbox
from tests.factories.sandbox_jobs import echo
facts, output = sandbox.run(echo, {"said": "xin chào"}, b"nothing")
print(facts["said"])
"""


def test_a_program_below_tmp_has_its_limited_process(tmp_path: Path) -> None:
    for name in ("app", "pki", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("node_modules", "dist"))
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path), "KYVAO_DATA": str(tmp_path / "var")}
    said = subprocess.run(
        [sys.executable, "-P", "-c", ASK], env=environ, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert said.stdout.splitlines()[-1:] == ["xin chào"], said.stdout + said.stderr
