"""From the head's signature to the issued document: one number, one seal, one line in the book, or nothing at all."""

from __future__ import annotations

import subprocess
from pathlib import Path

from sqlalchemy import select

from app.core import db
from app.core.settings import Settings
from app.documents.models import Document, MadeBy
from app.records.models import Entry, EntryState
from app.routes.models import RouteState
from app.seals.models import SealUse
from pki.keys import SoftwareKey
from tests.factories import records, routes


def entries() -> list[Entry]:
    with db.transaction() as session:
        return list(session.scalars(select(Entry).order_by(Entry.made_at)))


def test_an_issued_document_has_number_date_seal_and_a_line_in_the_book(
    city: Settings, head: SoftwareKey, tmp_path: Path
) -> None:
    route_id = records.signed_route(city, head)
    document_id = routes.route(route_id).document_ids[0]
    entry = records.issued(city, route_id)
    assert (entry.number, entry.label, entry.state) == (1, "01/QĐ-SKHCN", EntryState.ISSUED)
    assert routes.route(route_id).state == RouteState.ISSUED
    path = tmp_path / "issued.pdf"
    path.write_bytes(records.newest_file(city, document_id))
    said = subprocess.run(["pdfsig", "-nocert", str(path)], capture_output=True, check=True, text=True).stdout
    assert said.count("Signature is Valid") == 2
    assert "Total document signed" in said
    shown = subprocess.run(["pdftotext", "-layout", str(path), "-"], capture_output=True, check=True, text=True).stdout
    assert "01/QĐ-SKHCN" in shown
    with db.transaction() as session:
        newest = session.get_one(Document, document_id).newest
        use = session.scalars(select(SealUse)).unique().one()
        assert (newest.made_by, newest.signatures) == (MadeBy.SEAL, 2)
        assert (use.version_id, use.number) == (newest.id, "01/QĐ-SKHCN")
