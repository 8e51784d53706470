"""The limited process: whatever happens inside, the house gets an answer or a typed refusal."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.documents import sandbox
from app.documents.sandbox_frame import Job, pack, unpack
from pki.errors import PdfRefused
from pki.pades.faults import PdfFault
from tests.factories import sandbox_jobs


def test_facts_and_file_come_back_as_the_job_returned_them() -> None:
    assert sandbox.run(sandbox_jobs.echo, {"a": "ổ", "n": None}, b"\x00file") == ({"a": "ổ", "n": None}, b"\x00file")


@pytest.mark.parametrize(
    "job",
    [sandbox_jobs.take_memory, sandbox_jobs.die, sandbox_jobs.throw, sandbox_jobs.chatter],
    ids=lambda j: j.__name__,
)
def test_a_job_that_goes_wrong_is_a_refusal(job: Job) -> None:
    with pytest.raises(PdfRefused) as refused:
        sandbox.run(job, {}, b"x")
    assert refused.value.fault is PdfFault.TOO_COMPLEX


def test_the_refusal_of_a_job_keeps_its_fault() -> None:
    with pytest.raises(PdfRefused) as refused:
        sandbox.run(sandbox_jobs.refuse, {}, b"x")
    assert refused.value.fault is PdfFault.ENCRYPTED


def test_a_job_writes_no_file(tmp_path: Path) -> None:
    facts, _ = sandbox.run(sandbox_jobs.write_file, {"path": str(tmp_path / "x")}, b"")
    assert facts == {"written": False}


def test_a_job_sees_no_secret_of_the_house(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KYVAO_KEY_PASSPHRASE", "secret")
    facts, _ = sandbox.run(sandbox_jobs.environment, {}, b"")
    assert not [name for name in facts["names"] if name.startswith("KYVAO")]


@pytest.mark.parametrize(
    "frame", [b"", b"\x00\x00", b"\x00\x00\x00\x09{}", b"\x00\x00\x00\x02[]", b"\x00\x00\x00\x01{"]
)
def test_what_is_no_frame_is_refused(frame: bytes) -> None:
    with pytest.raises(ValueError, match=r"frame|JSON|Expecting|column"):
        unpack(frame)


def test_a_frame_is_read_as_it_was_packed() -> None:
    assert unpack(pack({"a": 1}, b"rest")) == ({"a": 1}, b"rest")
