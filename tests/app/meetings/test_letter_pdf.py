"""The paper letter: what it says, the seal on it, the code in it, as other programs read them."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

import pikepdf
import pypdfium2
import pytest
import zxingcpp
from flask import Flask
from flask_babel import force_locale

from app.core import db
from app.core.settings import Settings
from app.core.storage import Storage
from app.meetings import desk_code, letter_pdf, retention, sealing, tasks
from app.meetings.guests import NewGuest
from app.verification import invitation_letters
from app.verification.page import RegisterNote
from tests.factories import meetings as made


def letter_of(guest_id: UUID) -> bytes:
    """Return the file that travels with the newest mail to a guest."""
    part = next(one for one in made.letters_to(guest_id)[-1].walk() if one.get_content_type() == "application/pdf")
    assert isinstance(part, EmailMessage)
    assert part.get_filename() == "giay-moi.pdf"
    content = part.get_content()
    assert isinstance(content, bytes)
    return content


def words_of(pdf: bytes) -> str:
    done = subprocess.run(["pdftotext", "-layout", "-", "-"], input=pdf, stdout=subprocess.PIPE, check=True)
    return " ".join(done.stdout.decode().split())


def code_in(pdf: bytes) -> str:
    page = pypdfium2.PdfDocument(pdf)[0].render(scale=2.5).to_pil().convert("L")
    # Letters side by side look like bars to a reader of every kind.
    (found,) = zxingcpp.read_barcodes(page, formats=zxingcpp.BarcodeFormat.QRCode)
    return found.text


def test_the_letter_says_who_invites_whom_when_and_where_and_bears_the_code_of_the_pass(city: Settings) -> None:
    meeting_id, guest_id = made.invited(city)
    letter, meeting = letter_of(guest_id), made.meeting(meeting_id)
    words = words_of(letter)
    for said in (
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "GIẤY MỜI",
        "Nguyễn Thị Lan, Công ty A",
        "Họp giao ban",
        "Ông Trần Văn Minh",
        "giờ Việt Nam",
        meeting.room.building.address,
        "được xoá một ngày sau cuộc họp",
    ):
        assert said in words, said
    (row,) = made.passes_of(guest_id)
    shown = sealing.open_sealed(city, row.id, row.sealed)
    assert f"{shown.desk_code[:4]} {shown.desk_code[4:]}" in words
    assert code_in(letter) == shown.digits


def test_pdfsig_finds_the_seal_of_the_inviting_agency_over_the_whole_file(city: Settings, tmp_path: Path) -> None:
    _, guest_id = made.invited(city)
    file = tmp_path / "letter.pdf"
    file.write_bytes(letter_of(guest_id))
    told = subprocess.run(["pdfsig", "-nocert", str(file)], capture_output=True, text=True, check=False).stdout
    assert "Signature Validation: Signature is Valid." in told
    assert "Sở Khoa học và Công nghệ" in told
    assert "Total document signed" in told


def test_the_sealed_part_names_the_pass_by_a_digest_and_holds_no_secret_in_words(city: Settings) -> None:
    _, guest_id = made.invited(city)
    (row,) = made.passes_of(guest_id)
    with pikepdf.open(io.BytesIO(letter_of(guest_id))) as pdf:
        assert str(pdf.docinfo[letter_pdf.PASS_NAME]) == row.secret_sha256.hex()


def test_the_same_letter_gives_the_same_bytes() -> None:
    letter = letter_pdf.Letter("Sở", "ngày 23", "Họp", "a", "b\n\nc", "d", "12345678", "7" + "1" * 290, "ab")
    assert letter_pdf.render(letter) == letter_pdf.render(letter)


@pytest.mark.parametrize("name", ["Đ" * 200, "李小龍 🎉 Lan", "x " * 400])
def test_a_letter_is_made_for_names_of_every_kind_and_stays_on_its_page(city: Settings, name: str) -> None:
    meeting_id = made.call(made.plan(title="Hội nghị " + "rất dài " * 20))
    guest_id = made.add(meeting_id, NewGuest(name.strip()[:200], "lan@example.vn", "Công ty " * 20))
    made.send(meeting_id)
    made.run_jobs(city)
    letter = letter_of(guest_id)
    assert len(pypdfium2.PdfDocument(letter)) == 1
    (row,) = made.passes_of(guest_id)
    assert code_in(letter) == sealing.open_sealed(city, row.id, row.sealed).digits


def test_a_change_brings_a_new_letter_with_the_same_number_which_ends_with_the_invitation(city: Settings) -> None:
    meeting_id, guest_id = made.invited(city)
    made.change(meeting_id, made.plan(after=timedelta(days=4)))
    made.run_jobs(city)
    assert "thay cho giấy mời đã gửi trước đây" in words_of(letter_of(guest_id))
    earlier, newer = (sealing.open_sealed(city, row.id, row.sealed) for row in made.passes_of(guest_id))
    assert re.fullmatch(r"\d{8}", newer.desk_code)
    assert earlier.desk_code == newer.desk_code
    assert earlier.digits != newer.digits
    meeting = made.meeting(meeting_id)
    made.remove(meeting_id, guest_id)
    with db.transaction() as session:
        code, building = newer.desk_code, meeting.room.building_id
        assert desk_code.find(session, city, building, code, now=meeting.starts_at) is None


def test_the_stored_letter_is_unreadable_without_the_applications_secret_and_is_forgotten(city: Settings) -> None:
    _, guest_id = made.invited(city)
    with db.transaction() as session:
        row = session.get_one(type(made.passes_of(guest_id)[0]), made.passes_of(guest_id)[0].id)
        assert row.letter is not None
        assert b"%PDF" not in row.letter
        assert sealing.open_letter(city, row.id, row.letter) == letter_of(guest_id)
    with db.transaction() as session:
        retention.forget(session, Storage(city.data_dir / "objects"), now=made.now() + timedelta(days=40))
    with db.transaction() as session:
        assert session.get_one(type(row), row.id).letter is None


def test_the_number_for_the_desk_finds_its_guest_on_the_day_in_the_building_and_nowhere_else(city: Settings) -> None:
    meeting_id, guest_id = made.invited(city)
    (row,) = made.passes_of(guest_id)
    meeting, code = made.meeting(meeting_id), sealing.open_sealed(city, row.id, row.sealed).desk_code
    building, day = meeting.room.building_id, meeting.starts_at

    def found(code: str = code, building: UUID = building, *, at: timedelta = timedelta()) -> UUID | None:
        with db.transaction() as session:
            guest = desk_code.find(session, city, building, code, now=day + at)
            return guest.id if guest is not None else None

    assert found(at=timedelta(days=-1)) is None
    assert found() == found(f" {code[:4]}-{code[4:]} ") == guest_id
    assert found(building=UUID(int=7)) is None
    assert found(f"{(int(code) + 1) % 10**8:08}") is None
    assert found("12") is None
    assert found(at=timedelta(days=2)) is None


def test_numbers_for_the_desk_cannot_be_guessed_by_trying(city: Settings) -> None:
    moment = made.now()
    with db.transaction() as session:
        for _ in range(30):
            assert desk_code.find(session, city, UUID(int=1), "00000000", now=moment) is None
        with pytest.raises(desk_code.TooMany):
            desk_code.find(session, city, UUID(int=1), "00000000", now=moment)
        assert desk_code.find(session, city, UUID(int=2), "00000000", now=moment) is None


def test_whoever_checks_the_letter_is_told_when_the_invitation_was_taken_back(city: Settings, web: Flask) -> None:
    meeting_id, guest_id = made.invited(city)
    letter = letter_of(guest_id)

    def told(pdf: bytes, *, after: timedelta = timedelta()) -> RegisterNote | None:
        with db.transaction() as session:
            return invitation_letters.note_of(session, pdf, now=made.now() + after)

    with web.test_request_context(), force_locale("en"):
        note = told(letter)
        assert note is not None
        assert not note.alarming
        assert "still counts" in note.sentence
        assert told(letter + b"\n%%EOF\n") is None
        over = told(letter, after=timedelta(days=4))
        assert over is not None
        assert "is over" in over.sentence
        made.change(meeting_id, made.plan(after=timedelta(days=4)))
        made.run_jobs(city)
        newer = told(letter)
        assert newer is not None
        assert newer.alarming
        assert "newer one" in newer.sentence
        current = letter_of(guest_id)
        made.remove(meeting_id, guest_id)
        gone = told(current)
        assert gone is not None
        assert gone.alarming
        assert "taken back" in gone.sentence


def test_a_worker_killed_before_the_letter_was_queued_leaves_nothing_and_makes_it_once_afterwards(
    city: Settings,
) -> None:
    meeting_id = made.call()
    guest_id = made.add(meeting_id)
    made.send(meeting_id)
    code = (
        "import os\nfrom app.core import db\nimport app.models\nfrom app.meetings import tasks\n"
        f"db.configure(os.environ['KYVAO_DATABASE_URL'])\ntasks.issue_pass.func({str(guest_id)!r})\n"
    )
    environment = os.environ | {"KYVAO_FAILPOINT": "invite.queued:kill"}
    killed = subprocess.run([sys.executable, "-c", code], env=environment, check=False, capture_output=True)
    assert killed.returncode == -9, killed.stderr.decode()
    assert made.passes_of(guest_id) == []
    assert made.notices_about(guest_id) == []
    made.run_jobs(city)
    tasks.issue_pass.func(str(guest_id))
    assert len(made.passes_of(guest_id)) == len(made.notices_about(guest_id)) == 1
