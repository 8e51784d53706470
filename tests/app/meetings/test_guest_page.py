"""A guest's own page, their portrait, and how both come to an end."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
import zxingcpp
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from app.core import db
from app.core.errors import Invalid, TooLarge
from app.core.settings import Settings
from app.core.storage import Storage
from app.meetings import passes, portraits, retention, sealing
from pki.passes import qr
from tests.factories import meetings as made
from tests.factories.forms import csrf_token


def picture(side: int = 400, kind: str = "JPEG", *, colour: str = "navy", **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(buffer, kind, **options)  # type: ignore[arg-type]  # Pillow's options
    return buffer.getvalue()


def page_of(guest_id: UUID) -> str:
    return made.page_of(made.letters_to(guest_id)[0])


def give(client: FlaskClient, path: str, content: bytes) -> TestResponse:
    form = {"csrf_token": csrf_token(client, "/sign-in"), "portrait": (io.BytesIO(content), "toi.jpg")}
    return client.post(f"{path}/portrait", data=form, content_type="multipart/form-data")


def stored(settings: Settings) -> list[Path]:
    # Not the demonstration's own papers.
    files = [path for path in (settings.data_dir / "objects").rglob("*") if path.is_file()]
    return [path for path in files if not path.read_bytes().startswith(b"%PDF-")]


def test_the_page_shows_the_same_code_as_the_letter(city: Settings, client: FlaskClient) -> None:
    _, guest_id = made.invited(city)
    (letter,) = made.letters_to(guest_id)
    png = next(part for part in letter.walk() if part.get_content_type() == "image/png").get_content()
    read = zxingcpp.read_barcode(Image.open(io.BytesIO(png)).convert("L"))
    assert read is not None
    (row,) = made.passes_of(guest_id)
    assert read.text == sealing.open_sealed(city, row.id, row.sealed).digits
    assert qr.render_svg(read.text) in client.get(page_of(guest_id)).get_data(as_text=True)


def test_the_page_is_kept_by_nobody_and_found_by_no_search(city: Settings, client: FlaskClient) -> None:
    _, guest_id = made.invited(city)
    answer = client.get(page_of(guest_id))
    assert answer.headers["Cache-Control"] == "no-store"
    assert "noindex" in answer.headers["X-Robots-Tag"]
    # A stricter policy would make browsers send “Origin: null” with the portrait, which is refused.
    assert answer.headers["Referrer-Policy"] == "same-origin"


def test_neither_the_token_nor_the_pass_stands_readable_in_the_database(city: Settings) -> None:
    _, guest_id = made.invited(city)
    token = page_of(guest_id).removeprefix("/p/")
    (row,), guest = made.passes_of(guest_id), made.guest(guest_id)
    digits = sealing.open_sealed(city, row.id, row.sealed).digits
    assert token.encode() not in row.sealed
    assert digits.encode() not in row.sealed
    assert guest.page_sha256 != token.encode()


@pytest.mark.parametrize("token", ["x", "A" * 32, "A" * 5000, "../../etc/passwd"])
def test_a_wrong_token_opens_nothing(city: Settings, client: FlaskClient, token: str) -> None:
    made.invited(city)
    form_token = csrf_token(client, "/sign-in")
    assert client.get(f"/p/{token}").status_code == 404
    assert client.get(f"/p/{token}/portrait").status_code == 404
    assert client.post(f"/p/{token}/portrait", data={"csrf_token": form_token}).status_code == 404
    assert client.post(f"/p/{token}/portrait/delete", data={"csrf_token": form_token}).status_code == 404


@pytest.mark.parametrize(("end", "words"), [("cancel", "Cuộc họp này đã huỷ"), ("remove", "đã thu hồi")])
def test_the_page_says_plainly_that_the_invitation_no_longer_counts(
    city: Settings, client: FlaskClient, end: str, words: str
) -> None:
    meeting_id, guest_id = made.invited(city)
    if end == "cancel":
        made.cancel(meeting_id)
    else:
        made.remove(meeting_id, guest_id)
    page = client.get(page_of(guest_id)).get_data(as_text=True)
    assert words in page
    assert "kv-pass__code" not in page
    assert give(client, page_of(guest_id), picture()).status_code == 409
    assert stored(city) == []


def test_the_page_asks_for_patience_while_the_new_code_is_made(city: Settings, client: FlaskClient) -> None:
    meeting_id, guest_id = made.invited(city)
    made.change(meeting_id, made.plan(after=timedelta(days=4)))
    page = client.get(page_of(guest_id)).get_data(as_text=True)
    assert "kv-pass__code" not in page
    made.run_jobs(city)
    assert "kv-pass__code" in client.get(page_of(guest_id)).get_data(as_text=True)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_portrait_is_kept_small_and_without_its_place(city: Settings, client: FlaskClient, kind: str) -> None:
    _, guest_id = made.invited(city)
    exif = Image.Exif()
    exif[0x010F] = "Maker of cameras"
    exif.get_ifd(0x8825)[2] = (10.0, 46.0, 0.0)
    assert give(client, page_of(guest_id), picture(900, kind, exif=exif)).status_code == 302
    kept = client.get(f"{page_of(guest_id)}/portrait").get_data()
    shown = Image.open(io.BytesIO(kept))
    assert (shown.format, shown.size) == ("WEBP", (360, 480))
    assert dict(shown.getexif()) == {}
    assert b"Maker" not in kept


def test_a_portrait_of_several_megabytes_is_taken(city: Settings, client: FlaskClient) -> None:
    _, guest_id = made.invited(city)
    noise = io.BytesIO()
    Image.effect_noise((2200, 2200), 80).convert("RGB").save(noise, "JPEG", quality=95)
    assert len(noise.getvalue()) > 2_000_000
    assert give(client, page_of(guest_id), noise.getvalue()).status_code == 302


def test_a_portrait_that_was_turned_by_the_camera_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    wide = Image.new("RGB", (800, 400), "white")
    wide.paste("black", (0, 0, 400, 400))
    buffer = io.BytesIO()
    wide.save(buffer, "JPEG", exif=exif)
    upright = Image.open(io.BytesIO(portraits.prepare(buffer.getvalue()))).convert("L")
    top, bottom = upright.getpixel((180, 40)), upright.getpixel((180, 440))
    assert isinstance(top, int)
    assert isinstance(bottom, int)
    assert top < 60 < 200 < bottom


def bomb(width: int, height: int) -> bytes:
    """Return a PNG of a few bytes that claims to be that large."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(6000, 4001), (60_000, 60_000), (2**31 - 1, 1)])
def test_a_picture_that_would_fill_the_memory_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(TooLarge):
        portraits.prepare(bomb(*size))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a" + bytes(100),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\x89PNG\r\n\x1a\n" + bytes(64),
        picture()[:300],
        picture(199),
        bomb(400, 400),
    ],
)
def test_what_is_no_whole_picture_of_a_face_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid):
        portraits.prepare(content)


def test_a_picture_over_eight_megabytes_is_refused() -> None:
    with pytest.raises(TooLarge, match="8 MB"):
        portraits.prepare(picture() + bytes(8 * 1024 * 1024))


def test_a_deleted_or_replaced_portrait_is_gone_from_the_disk(city: Settings, client: FlaskClient) -> None:
    _, guest_id = made.invited(city)
    path = page_of(guest_id)
    give(client, path, picture(colour="navy"))
    give(client, path, picture(colour="olive"))
    assert len(stored(city)) == 1
    client.post(f"{path}/portrait/delete", data={"csrf_token": csrf_token(client, path)})
    assert stored(city) == []
    assert client.get(f"{path}/portrait").status_code == 404


def test_a_portrait_that_another_guest_gave_too_stays_for_them(city: Settings, client: FlaskClient) -> None:
    meeting_id = made.call()
    lan = made.add(meeting_id)
    binh = made.add(meeting_id, made.NewGuest("Trần Bình", "binh@example.vn", ""))
    made.send(meeting_id)
    made.run_jobs(city)
    for guest_id in (lan, binh):
        give(client, page_of(guest_id), picture())
    client.post(f"{page_of(lan)}/portrait/delete", data={"csrf_token": csrf_token(client, page_of(lan))})
    assert client.get(f"{page_of(binh)}/portrait").status_code == 200


def forget(settings: Settings, guest_id: UUID, after: timedelta) -> int:
    ends_at = made.guest(guest_id).meeting.ends_at
    with db.transaction() as session:
        return retention.forget(session, Storage(settings.data_dir / "objects"), now=ends_at + after)


def test_a_portrait_is_forgotten_a_day_after_the_meeting_and_not_before(city: Settings, client: FlaskClient) -> None:
    _, guest_id = made.invited(city)
    give(client, page_of(guest_id), picture())
    assert forget(city, guest_id, timedelta(days=1)) == 0
    assert len(stored(city)) == 1
    assert forget(city, guest_id, timedelta(days=1, seconds=1)) == 1
    assert stored(city) == []
    assert made.guest(guest_id).name == "Nguyễn Thị Lan"


def test_names_addresses_and_letters_are_forgotten_after_thirty_days_and_the_pass_stays(city: Settings) -> None:
    meeting_id = made.call()
    ids = [
        made.add(meeting_id),
        made.add(meeting_id, made.NewGuest("Trần Bình", "binh@example.vn", "B", "Giám đốc", "A1", "xe lăn")),
    ]
    made.send(meeting_id)
    made.run_jobs(city)
    assert forget(city, ids[0], timedelta(days=30)) == 0
    assert forget(city, ids[0], timedelta(days=30, seconds=1)) == 2
    for guest_id in ids:
        guest = made.guest(guest_id)
        assert (guest.name, guest.email, guest.organisation) == ("", "", "")
        assert (guest.title, guest.seat, guest.needs, guest.account_id) == ("", "", "", None)
        assert made.notices_about(guest_id) == []
        assert len(made.passes_of(guest_id)) == 1
    assert forget(city, ids[0], timedelta(days=31)) == 0


def test_the_pages_of_a_forgotten_guest_still_open(
    city: Settings, client: FlaskClient, sign_in: Callable[[str], FlaskClient]
) -> None:
    meeting_id, guest_id = made.invited(city)
    path = page_of(guest_id)
    forget(city, guest_id, timedelta(days=31))
    assert client.get(path).status_code == 200
    assert "Đã xoá sau 30 ngày" in sign_in("minh").get(f"/meetings/{meeting_id}").get_data(as_text=True)


def test_the_page_shows_the_number_for_the_desk_and_gives_the_sealed_letter_until_the_invitation_ends(
    city: Settings, client: FlaskClient
) -> None:
    meeting_id, guest_id = made.invited(city)
    path, (row,) = page_of(guest_id), made.passes_of(guest_id)
    number = sealing.open_sealed(city, row.id, row.sealed).desk_code
    page = client.get(path).get_data(as_text=True)
    assert f"{number[:4]} {number[4:]}" in page
    assert f"{path}/letter" in page
    answer = client.get(f"{path}/letter")
    assert answer.content_type == "application/pdf"
    assert answer.get_data().startswith(b"%PDF")
    assert b"/ByteRange" in answer.get_data()
    assert client.get(f"{path[:-1]}/letter").status_code == 404
    made.remove(meeting_id, guest_id)
    assert client.get(f"{path}/letter").status_code == 404
    assert number[4:] not in client.get(path).get_data(as_text=True)


def test_the_script_that_keeps_the_page_is_asked_for_anew_and_governs_no_more_than_guests_pages(
    client: FlaskClient,
) -> None:
    answer = client.get("/p/offline.js")
    assert answer.status_code == 200
    assert "javascript" in answer.content_type
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "Service-Worker-Allowed" not in answer.headers


def test_a_pass_gives_its_place_in_the_status_list_back_a_week_after_it_ended(city: Settings) -> None:
    _, guest_id = made.invited(city)
    (row,) = made.passes_of(guest_id)

    def given_back(after: timedelta) -> int:
        with db.transaction() as session:
            return passes.give_places_back(session, now=row.not_after + after)

    assert given_back(timedelta(days=7)) == 0
    assert given_back(timedelta(days=7, seconds=1)) == 1
    assert made.passes_of(guest_id)[0].status_index is None
    assert given_back(timedelta(days=8)) == 0
