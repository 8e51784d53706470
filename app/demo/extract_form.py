"""A fillable form of our own making: a citizen asks for a copy of an extract from the civil register."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Final

import pikepdf
from pikepdf import Array, Dictionary, Name, Object

from pki.forms.filling import TICKED
from pki.pades.lettering import face, font_object, subset_of

TITLE: Final = "Đơn đề nghị cấp bản sao trích lục hộ tịch"
PURPOSE: Final = "Xin bản sao trích lục khai sinh, kết hôn hoặc khai tử đã đăng ký tại phường."
# Login of the ward's clerk, who publishes it.
CLERK: Final = "nga"
# Of the citizen who has filled it in, and what she answered.
CITIZEN: Final = "lan"
ANSWERS: Final = {
    "ho_ten": "Nguyễn Thị Lan",
    "noi_cu_tru": "12 đường Hoàng Hoa Thám, phường Bến Đỏ",
    "nguoi_co_ten": "Nguyễn Văn Ưởng",
    "quan_he": "cha_me",
    "loai": "khai_sinh",
    "so_ban": "2",
    "ly_do": "Bổ sung hồ sơ nhập học cho con.",
    "cam_doan": TICKED,
}
_WIDTH: Final = 595.28
_HEIGHT: Final = 841.89
_LEFT: Final = 85.0
_FIELD_LEFT: Final = 235.0
_RIGHT: Final = 540.0
_REQUIRED: Final = 1 << 1
_MULTILINE: Final = 1 << 12
_RADIO: Final = (1 << 15) | (1 << 14)
_COMBO: Final = 1 << 17
_FONT_TEXT: Final = "/Helv 12 Tf 0 g"


@dataclass(frozen=True)
class _Row:
    # Name, the words before it on the paper, the words for a screen reader.
    name: str
    words: str
    tooltip: str
    top: float
    height: float = 20.0
    flags: int = _REQUIRED
    options: tuple[tuple[str, str], ...] = ()


_ROWS: Final = (
    _Row("ho_ten", "Họ và tên:", "Họ và tên của bạn", 640),
    _Row("noi_cu_tru", "Nơi cư trú:", "Nơi cư trú hiện nay", 610),
    _Row("nguoi_co_ten", "Người trong sổ:", "Họ và tên người có tên trong sổ hộ tịch", 580),
    _Row(
        "quan_he",
        "Quan hệ với bạn:",
        "Người đó là gì của bạn",
        550,
        options=(
            ("ban_than", "Chính tôi"),
            ("cha_me", "Cha hoặc mẹ"),
            ("con", "Con"),
            ("vo_chong", "Vợ hoặc chồng"),
            ("khac", "Người khác"),
        ),
    ),
    _Row("so_ban", "Số bản sao:", "Số bản sao cần cấp", 440, flags=_REQUIRED),
    _Row("ly_do", "Dùng vào việc:", "Bản sao dùng vào việc gì", 410, height=58, flags=_MULTILINE),
)
_KINDS: Final = (("khai_sinh", "Khai sinh"), ("ket_hon", "Kết hôn"), ("khai_tu", "Khai tử"))
_KIND_TOP: Final = 520.0
_KIND_STEP: Final = 24.0
_PROMISE: Final = "Tôi cam đoan những lời khai trên là đúng."
_PROMISE_BASE: Final = 318.0


def make() -> bytes:
    """Return the form: an A4 page with seven questions, a promise to tick, and a place for the signature."""
    with pikepdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(_WIDTH, _HEIGHT))
        page.obj.Resources = Dictionary(Font=Dictionary())
        page.obj.Contents = pdf.make_stream(_paper(pdf, page.obj.Resources.Font))
        fields = [_asked(pdf, row) for row in _ROWS]
        fields.insert(4, _radio(pdf))
        fields += [_promise(pdf), _signature(pdf)]
        page.obj.Annots = Array([one for field in fields for one in (field.Kids if "/Kids" in field else [field])])
        pdf.Root.AcroForm = Dictionary(Fields=Array(fields), DA=pikepdf.String(_FONT_TEXT))
        pdf.Root.Lang = pikepdf.String("vi-VN")
        output = BytesIO()
        pdf.save(output, min_version="1.7", deterministic_id=True)
    return output.getvalue()


def _paper(pdf: pikepdf.Pdf, fonts: Object) -> bytes:
    """What is printed: the heading, the words before each field, a line below each, and a frame for the signature."""
    lines = [
        (161.5, 790.0, 13.0, "F2", "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"),
        (218.0, 772.0, 13.0, "F2", "Độc lập - Tự do - Hạnh phúc"),
        (128.0, 725.0, 14.0, "F2", TITLE.upper()),
        (_LEFT, 690.0, 12.0, "F1", "Kính gửi: Ủy ban nhân dân phường Bến Đỏ"),
        (_LEFT, _KIND_TOP - 14, 12.0, "F1", "Đề nghị cấp trích lục:"),
        (_LEFT + 24, _PROMISE_BASE, 12.0, "F1", _PROMISE),
        (400.0, 270.0, 12.0, "F2", "Người đề nghị"),
    ]
    lines += [(_LEFT, row.top - 14, 12.0, "F1", row.words) for row in _ROWS]
    lines += [
        (_FIELD_LEFT + 22, _KIND_TOP - 14 - at * _KIND_STEP, 12.0, "F1", label) for at, (_, label) in enumerate(_KINDS)
    ]
    parts = ["0.55 w 0.4 G"]
    for row in _ROWS:
        bottom = row.top - row.height
        parts.append(f"{_FIELD_LEFT} {bottom:.1f} m {_RIGHT} {bottom:.1f} l S")
    for name, style in (("F1", "Regular"), ("F2", "Bold")):
        shown = face(style)
        text = "".join(line for *_, font, line in lines if font == name)
        data, glyph_ids = subset_of(shown, text)
        fonts[Name(f"/{name}")] = font_object(pdf, shown, data, glyph_ids)
        for x, y, size, font, line in lines:
            if font == name:
                glyphs = "".join(f"{glyph_ids[shown.glyphs[ord(letter)]]:04X}" for letter in line)
                parts.append(f"BT 0 g /{name} {size} Tf 1 0 0 1 {x} {y} Tm <{glyphs}> Tj ET")
    return "\n".join(parts).encode("ascii")


def _asked(pdf: pikepdf.Pdf, row: _Row) -> Object:
    made = Dictionary(
        Type=Name.Annot,
        Subtype=Name.Widget,
        FT=Name.Ch if row.options else Name.Tx,
        T=pikepdf.String(row.name),
        TU=pikepdf.String(row.tooltip),
        Ff=row.flags | (_COMBO if row.options else 0),
        DA=pikepdf.String(_FONT_TEXT),
        Rect=[_FIELD_LEFT, row.top - row.height, _RIGHT, row.top],
        F=4,
    )
    if row.options:
        made.Opt = Array([Array([pikepdf.String(value), pikepdf.String(label)]) for value, label in row.options])
    if row.name == "so_ban":
        made.MaxLen = 2
    return pdf.make_indirect(made)


def _radio(pdf: pikepdf.Pdf) -> Object:
    field = pdf.make_indirect(
        Dictionary(
            FT=Name.Btn,
            T=pikepdf.String("loai"),
            TU=pikepdf.String("Bạn cần trích lục nào"),
            Ff=_RADIO | _REQUIRED,
            V=Name.Off,
            Kids=Array(),
        )
    )
    for at, (value, label) in enumerate(_KINDS):
        top = _KIND_TOP - 2 - at * _KIND_STEP
        field.Kids.append(
            pdf.make_indirect(
                Dictionary(
                    Type=Name.Annot,
                    Subtype=Name.Widget,
                    Parent=field,
                    TU=pikepdf.String(label),
                    Rect=[_FIELD_LEFT, top - 14, _FIELD_LEFT + 14, top],
                    AS=Name.Off,
                    AP=Dictionary(N=_states(pdf, value, "4 4 6 6 re f")),
                    F=4,
                )
            )
        )
    return field


def _promise(pdf: pikepdf.Pdf) -> Object:
    return pdf.make_indirect(
        Dictionary(
            Type=Name.Annot,
            Subtype=Name.Widget,
            FT=Name.Btn,
            T=pikepdf.String("cam_doan"),
            TU=pikepdf.String(_PROMISE),
            Ff=_REQUIRED,
            V=Name.Off,
            AS=Name.Off,
            Rect=[_LEFT, _PROMISE_BASE - 3, _LEFT + 14, _PROMISE_BASE + 11],
            AP=Dictionary(N=_states(pdf, "co", "1.4 w 3 7 m 6 3.5 l 11 11 l S")),
            F=4,
        )
    )


def _states(pdf: pikepdf.Pdf, on: str, drawn: str) -> Dictionary:
    """The two looks of a box of 14 points: empty, and with what `drawn` draws."""
    frame = "0.8 w 0 G 0 g 0.5 0.5 13 13 re S"
    look = {"Type": Name.XObject, "Subtype": Name.Form, "BBox": Array([0, 0, 14, 14])}
    states = Dictionary(Off=pdf.make_stream(frame.encode("ascii"), **look))
    states[Name(f"/{on}")] = pdf.make_stream(f"{frame} {drawn}".encode("ascii"), **look)
    return states


def _signature(pdf: pikepdf.Pdf) -> Object:
    return pdf.make_indirect(
        Dictionary(
            Type=Name.Annot,
            Subtype=Name.Widget,
            FT=Name.Sig,
            T=pikepdf.String("chu_ky"),
            Rect=[345, 190, 540, 255],
            F=4,
        )
    )
