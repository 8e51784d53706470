"""The limited process: whatever happens inside, the house gets an answer or a typed refusal."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from app.documents import landlock, no_network, sandbox
from app.documents.sandbox_frame import Facts, Job, pack, unpack
from pki.errors import PdfRefused
from pki.pades.faults import PdfFault
from tests.factories import sandbox_jobs


def answer(job: Job, facts: Facts, source: bytes | Path = b"") -> tuple[Facts, bytes]:
    found, output = sandbox.run(job, facts, source)
    with output:
        return found, output.read()


def test_facts_and_file_come_back_as_the_job_returned_them() -> None:
    assert answer(sandbox_jobs.echo, {"a": "ổ", "n": None}, b"\x00file") == ({"a": "ổ", "n": None}, b"\x00file")


def test_a_file_is_read_where_it_lies_and_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    assert answer(sandbox_jobs.seek, {"at": 7}, path) == ({"size": 10}, b"7")


def test_facts_of_some_megabytes_go_in_and_out() -> None:
    facts = {"text": "ổ" * 3_000_000}
    assert answer(sandbox_jobs.echo, facts)[0] == facts


@pytest.mark.parametrize(
    "job",
    [
        sandbox_jobs.take_memory,
        sandbox_jobs.die,
        sandbox_jobs.throw,
        sandbox_jobs.leave,
        sandbox_jobs.write_much,
        sandbox_jobs.write_over_answer,
    ],
    ids=lambda j: j.__name__,
)
def test_a_job_that_goes_wrong_is_a_refusal(job: Job) -> None:
    with pytest.raises(PdfRefused) as refused:
        sandbox.run(job, {}, b"x")
    assert refused.value.fault is PdfFault.TOO_COMPLEX


def test_a_job_without_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_WALL_SECONDS", 0.5)
    with pytest.raises(PdfRefused) as refused:
        sandbox.run(sandbox_jobs.spin, {}, b"x")
    assert refused.value.fault is PdfFault.TOO_COMPLEX


def test_the_refusal_of_a_job_keeps_its_fault() -> None:
    with pytest.raises(PdfRefused) as refused:
        sandbox.run(sandbox_jobs.refuse, {}, b"x")
    assert refused.value.fault is PdfFault.ENCRYPTED


def test_after_the_process_that_stands_by_was_killed_the_next_file_is_read() -> None:
    sandbox.run(sandbox_jobs.kill_parent, {}, b"x")[1].close()
    assert answer(sandbox_jobs.echo, {}, b"next") == ({}, b"next")


def test_many_files_at_once_each_get_their_own_answer() -> None:
    found: dict[int, bytes] = {}

    def one(number: int) -> None:
        found[number] = answer(sandbox_jobs.echo, {}, b"%d" % number)[1]

    threads = [threading.Thread(target=one, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: b"%d" % number for number in range(12)}


def test_no_handle_stays_open_behind_a_file() -> None:
    answer(sandbox_jobs.echo, {}, b"first")
    before = set(os.listdir("/proc/self/fd"))
    for _ in range(5):
        answer(sandbox_jobs.echo, {}, b"again")
    assert len(set(os.listdir("/proc/self/fd")) - before) == 0


def test_a_job_sees_no_secret_of_the_house(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KYVAO_KEY_PASSPHRASE", "secret")
    facts, _ = answer(sandbox_jobs.environment, {})
    assert not [name for name in facts["names"] if name.startswith("KYVAO")]


def in_a_child(act: Callable[[], bool]) -> bool:
    """Say what `act` says in a process of its own: it gives up rights for good."""
    child = os.fork()
    if child == 0:
        os._exit(0 if act() else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


needs_landlock = pytest.mark.skipif(not in_a_child(landlock.restrict), reason="the kernel has no Landlock")
needs_network_namespaces = pytest.mark.skipif(
    not in_a_child(no_network.leave_network), reason="this account may not leave the network"
)


@needs_landlock
def test_a_job_writes_no_file(tmp_path: Path) -> None:
    assert answer(sandbox_jobs.write_file, {"path": str(tmp_path / "x")})[0]["error"] is not None
    assert not (tmp_path / "x").exists()


@needs_landlock
def test_a_job_reads_no_file_of_the_house(tmp_path: Path) -> None:
    secret = tmp_path / "key.pem"
    secret.write_text("secret")
    assert set(answer(sandbox_jobs.read_file, {"path": str(secret)})[0]) == {"error"}
    assert set(answer(sandbox_jobs.read_file, {"path": "/etc/passwd"})[0]) == {"error"}


@needs_network_namespaces
def test_a_job_reaches_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        facts = {"port": server.getsockname()[1]}
        assert answer(sandbox_jobs.call_home, facts)[0]["error"] is not None


@pytest.mark.parametrize(
    "frame", [b"", b"\x00\x00", b"\x00\x00\x00\x09{}", b"\x00\x00\x00\x02[]", b"\x00\x00\x00\x01{", pack({}) + b"x"]
)
def test_what_is_no_frame_is_refused(frame: bytes) -> None:
    with pytest.raises(ValueError, match=r"frame|JSON|Expecting|column"):
        unpack(frame)


def test_a_frame_is_read_as_it_was_packed() -> None:
    assert unpack(pack({"a": 1})) == {"a": 1}
