"""An update is written behind a file that is read where it lies."""

from __future__ import annotations

import hashlib
import io
import os
import tracemalloc
from pathlib import Path

import pikepdf
import pytest

from pki.errors import PdfRefused
from pki.pades.increment import Growing, digest
from tests.factories import pdfs

SIZE = 300_000


def growing() -> tuple[bytes, Growing]:
    base = os.urandom(SIZE)
    return base, Growing(io.BytesIO(base))


def test_base_and_what_was_written_read_as_one_file() -> None:
    base, file = growing()
    file.seek(0, os.SEEK_END)
    assert file.tell() == SIZE
    file.write(b"tail")
    file.seek(-6, os.SEEK_END)
    assert file.read() == base[-2:] + b"tail"
    file.seek(10)
    file.seek(5, os.SEEK_CUR)
    assert file.read(70_000) == base[15:70_015]
    file.seek(0)
    assert file.read() == base + b"tail"
    assert (file.base_size, file.appended) == (SIZE, b"tail")


def test_what_was_written_can_be_written_over_but_the_base_cannot() -> None:
    _, file = growing()
    file.seek(SIZE)
    file.write(b"abcdef")
    file.seek(SIZE + 2)
    file.write(b"XY")
    assert file.appended == b"abXYef"
    file.seek(SIZE - 1)
    file.write(b"!")
    with pytest.raises(io.UnsupportedOperation):
        file.flush()
    # The buffer would try again when the file is closed.
    file.raw.seek(SIZE)
    file.flush()


def test_there_is_no_gap_behind_the_base() -> None:
    _, file = growing()
    file.raw.seek(SIZE + 1)
    with pytest.raises(io.UnsupportedOperation):
        file.raw.write(b"x")


def test_the_digest_is_that_of_both_parts_without_the_gap() -> None:
    base = b"x" * 10
    assert digest(io.BytesIO(base), b"ab<00>cd", [0, 12, 16, 2]) == hashlib.sha256(base + b"abcd").digest()


@pytest.mark.parametrize("byte_range", [[0, 12, 16], [1, 12, 16, 2], [0, 2, 6, 12], [0, 12, 16, 1], [0, 12, 15, 3]])
def test_a_range_that_is_not_one_gap_of_the_appended_part_is_refused(byte_range: list[int]) -> None:
    with pytest.raises(PdfRefused):
        digest(io.BytesIO(b"x" * 10), b"ab<00>cd", byte_range)


def test_a_large_file_is_signed_without_being_held_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.pdf"
    with pikepdf.open(io.BytesIO(pdfs.plain())) as pdf:
        pdf.Root.Large = pdf.make_stream(os.urandom(40 * 1024 * 1024))
        pdf.save(path)
    leaf = pdfs.signer()
    with path.open("rb") as base:
        tracemalloc.start()
        waiting = pdfs.prepare(base, certificate_der=leaf.certificate_der, now=pdfs.factory.NOW)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert digest(base, waiting.appended, waiting.byte_range) == waiting.document_digest
    assert peak < 8 * 1024 * 1024
    assert len(waiting.appended) < 32 * 1024
