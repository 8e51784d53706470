"""Stored files are immutable, durable and checked when read."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from app.core.errors import NotFound
from app.core.storage import Storage


def test_what_was_stored_is_read_back_under_its_digest(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    digest_hex = storage.put(b"giay moi")
    assert digest_hex == hashlib.sha256(b"giay moi").hexdigest()
    assert storage.get(digest_hex) == b"giay moi"


def test_storing_twice_leaves_one_file(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    assert storage.put(b"x") == storage.put(b"x")
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_a_file_changed_on_disk_is_not_returned(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    digest_hex = storage.put(b"signed")
    next(path for path in tmp_path.rglob("*") if path.is_file()).write_bytes(b"forged")
    with pytest.raises(NotFound):
        storage.get(digest_hex)


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "A" * 64, "0" * 63, "0" * 64 + "/", "0" * 64])
def test_a_name_that_is_not_a_stored_digest_is_not_found(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotFound):
        Storage(tmp_path / "objects").get(name)
