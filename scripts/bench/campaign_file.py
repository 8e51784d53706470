"""Writing the file of a campaign for a whole city, with a request for a certificate in each row.

    .venv/bin/python -m scripts.bench.campaign_file FILE --rows 470000 [--wards 12]

The people are invented; the same number of rows gives the same people with other keys. One row in a thousand has a
fault of the kind that files from life have.
"""

from __future__ import annotations

import argparse
import base64
import csv
import multiprocessing
import random
from collections.abc import Iterator
from pathlib import Path

from app.campaigns.columns import Column, word_of
from app.demo.names import names
from scripts.bench.campaign_rows import requests

_CHUNK = 1_000
_FAULTS = 1_000
_COLUMNS = (Column.NUMBER, Column.SURNAME, Column.GIVEN_NAME, Column.AGENCY, Column.CONSENT, Column.CSR)


def write(path: Path, rows: int, codes: list[str]) -> int:
    """Write `rows` rows for the agencies with these codes, and return how many of them have a fault."""
    faults = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow([word_of(column) for column in _COLUMNS])
        for number, (cells, faulty) in enumerate(_rows(rows, codes), 1):
            faults += faulty
            writer.writerow(cells)
            if number % 50_000 == 0:
                print(f"{number} rows", flush=True)
    return faults


def _rows(count: int, codes: list[str]) -> Iterator[tuple[tuple[str, ...], bool]]:
    chance = random.Random(11)  # noqa: S311  invented people, no secret
    chunks = [min(_CHUNK, count - start) for start in range(0, count, _CHUNK)]
    with multiprocessing.get_context("spawn").Pool() as pool:
        keys = (key for chunk in pool.imap(requests, chunks) for key in chunk)
        for row, (name, key) in enumerate(zip(names(count, seed=11), keys, strict=True), 1):
            surname, _, given_name = name.rpartition(" ")
            number = f"0{chance.randrange(1, 97):02}{chance.randrange(4)}{chance.randrange(100):02}{row:06}"
            faulty = row % _FAULTS == 0
            consent = "không" if faulty else "có"
            code = chance.choice(codes)
            yield (number, surname, given_name, code, consent, base64.b64encode(key).decode()), faulty


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("path", type=Path)
    parser.add_argument("--rows", type=int, default=470_000)
    parser.add_argument("--wards", type=int, default=12)
    given = parser.parse_args()
    codes = [f"H99.{number:03d}" for number in range(1, given.wards + 1)]
    print(f"{write(given.path, given.rows, codes)} rows with a fault")


if __name__ == "__main__":
    main()
