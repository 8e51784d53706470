"""The journal of a batch: what it knows after a process or the machine died, and that two never work on one batch."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.campaigns import batch_journal
from app.campaigns.batch_journal import BatchJournal, Busy

NUMBERS = [4, 7, 9, 12]


def test_a_batch_that_was_never_begun_has_nothing_unknown(tmp_path: Path) -> None:
    with BatchJournal(tmp_path / "one.journal") as journal:
        known = journal.read(NUMBERS)
    assert (known.signatures, known.unknown) == ({}, frozenset())


def test_after_a_kill_only_the_first_missing_signature_is_unknown(tmp_path: Path) -> None:
    with BatchJournal(tmp_path / "one.journal") as journal:
        journal.begin()
        journal.append(4, b"first")
        journal.append(7, b"second")
    with BatchJournal(tmp_path / "one.journal") as journal:
        known = journal.read(NUMBERS)
    assert known.signatures == {4: b"first", 7: b"second"}
    assert known.unknown == {9}


def test_after_the_machine_went_down_every_missing_signature_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with BatchJournal(tmp_path / "one.journal") as journal:
        journal.begin()
        journal.append(4, b"first")
    other = tmp_path / "boot_id"
    other.write_text("00000000-0000-4000-8000-000000000000\n")
    monkeypatch.setattr(batch_journal, "_BOOT", other)
    with BatchJournal(tmp_path / "one.journal") as journal:
        known = journal.read(NUMBERS)
    assert known.signatures == {4: b"first"}
    assert known.unknown == {7, 9, 12}


@pytest.mark.parametrize("lost", [1, 5, 9, 10])
def test_a_record_that_was_cut_off_counts_as_not_written_and_what_follows_is_read(tmp_path: Path, lost: int) -> None:
    path = tmp_path / "one.journal"
    with BatchJournal(path) as journal:
        journal.begin()
        journal.append(4, b"first")
        journal.append(7, b"second")
    path.write_bytes(path.read_bytes()[:-lost])
    with BatchJournal(path) as journal:
        known = journal.read(NUMBERS)
        assert known.signatures == {4: b"first"}
        assert known.unknown == {7}
        journal.append(9, b"third")
        assert journal.read(NUMBERS).signatures == {4: b"first", 9: b"third"}


def test_a_batch_belongs_to_one_process_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "one.journal"
    with BatchJournal(path), pytest.raises(Busy):
        BatchJournal(path)
    with BatchJournal(path) as journal:
        journal.forget()
    assert not path.exists()
