"""The kinds of documents of Decree 30/2020 (Article 7 and Annex III) and how number and symbol are written."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from typing import Final

LETTER: Final = "CV"
LONGEST_SYMBOL: Final = 40
# `QĐ-SKHCN`, `SKHCN-VP`: letters, figures, hyphens, a full stop, `&` as in "BT&XH".
_SYMBOL: Final = re.compile(r"[0-9A-ZĐÂÊÔĂƠƯa-zđ&.]+(-[0-9A-ZĐÂÊÔĂƠƯa-zđ&.]+)*")
_SILENT: Final = frozenset({"và", "của", "các", "về"})
# What agencies of these kinds are called for short, whatever place follows.
_BODIES: Final = (("ủy ban nhân dân", "UBND"), ("uỷ ban nhân dân", "UBND"), ("hội đồng nhân dân", "HĐND"))


class Kind(StrEnum):
    """The abbreviations of Annex III; a letter (công văn) has none in its symbol and is called `CV` here."""

    RESOLUTION = "NQ"
    DECISION = "QĐ"
    DIRECTIVE = "CT"
    REGULATION = "QC"
    RULES = "QyĐ"
    ANNOUNCEMENT = "TC"
    NOTICE = "TB"
    GUIDANCE = "HD"
    PROGRAMME = "CTr"
    PLAN = "KH"
    OPTION = "PA"
    SCHEME = "ĐA"
    PROJECT = "DA"
    REPORT = "BC"
    MINUTES = "BB"
    SUBMISSION = "TTr"
    CONTRACT = "HĐ"
    LETTER = "CV"
    TELEGRAM = "CĐ"
    MEMORANDUM = "BGN"
    UNDERSTANDING = "BTT"
    AUTHORISATION = "GUQ"
    INVITATION = "GM"
    INTRODUCTION = "GGT"
    LEAVE = "GNP"
    SENDING_SLIP = "PG"
    TRANSFER_SLIP = "PC"
    REPORTING_SLIP = "PB"
    OFFICIAL_NOTE = "ThC"
    # Certified copies of every form count together, and their symbol says which form it is (Annex I, part II).
    COPY = "SAO"


class CopyForm(StrEnum):
    """The forms of a certified copy (Decree 30/2020, Article 25), by the abbreviations of Annex III."""

    # The whole of an original.
    FULL = "SY"
    # The whole of a full copy.
    OF_A_COPY = "SL"
    # Some pages of an original.
    EXTRACT = "TrS"


# What a route may end as.
ISSUED_KINDS: Final = tuple(kind for kind in Kind if kind is not Kind.COPY)


# How documents of the kinds are called at the head of the paper.
_NAMES: Final = (
    ("nghị quyết", "NQ"), ("quyết định", "QĐ"), ("chỉ thị", "CT"), ("quy chế", "QC"), ("quy định", "QyĐ"),
    ("thông cáo", "TC"), ("thông báo", "TB"), ("hướng dẫn", "HD"), ("chương trình", "CTr"), ("kế hoạch", "KH"),
    ("phương án", "PA"), ("đề án", "ĐA"), ("dự án", "DA"), ("báo cáo", "BC"), ("biên bản", "BB"), ("tờ trình", "TTr"),
    ("hợp đồng", "HĐ"), ("công điện", "CĐ"), ("bản ghi nhớ", "BGN"), ("bản thỏa thuận", "BTT"),
    ("giấy ủy quyền", "GUQ"), ("giấy mời", "GM"), ("giấy giới thiệu", "GGT"), ("giấy nghỉ phép", "GNP"),
    ("phiếu gửi", "PG"), ("phiếu chuyển", "PC"), ("phiếu báo", "PB"), ("thư ", "ThC"),
)  # fmt: skip


def guess(title: str) -> Kind:
    """Return the kind that a title begins with; a letter, which has no such beginning, for every other one."""
    lowered = " ".join(title.lower().split())
    return next((Kind(kind) for name, kind in _NAMES if lowered.startswith(name)), Kind.LETTER)


def label(number: int, symbol: str) -> str:
    """Return number and symbol as they stand on the paper; a number below 10 has a nought before it."""
    return f"{number:02}/{symbol}"


def is_symbol(text: str) -> bool:
    """Say whether the text can stand behind the stroke."""
    return len(text) <= LONGEST_SYMBOL and _SYMBOL.fullmatch(text) is not None


def usual_symbol(kind: Kind, agency_name: str) -> str:
    """Return what an agency of that name writes unless it chose otherwise: `QĐ-SKHCN`, in letters `SKHCN-VP`."""
    short = abbreviation(agency_name)
    return f"{short}-VP" if kind in (Kind.LETTER, Kind.OFFICIAL_NOTE) else f"{kind}-{short}"


def copy_symbol(form: CopyForm, agency_name: str) -> str:
    """Return what stands behind the number of a certified copy: `SY-SKHCN`."""
    return f"{form}-{abbreviation(agency_name)}"


def abbreviation(agency_name: str) -> str:
    """Return the first letters of an agency's name in capitals, `UBND` for a people's committee of any place."""
    lowered = agency_name.strip().lower()
    for long, short in _BODIES:
        if lowered.startswith(long):
            return short
        lowered = lowered.replace(long, short.lower())
    words = [word for word in re.split(r"[\s,\-–]+", lowered) if word and word not in _SILENT]
    shortened = "".join(word if f" {word}" in (" ubnd", " hđnd") else _plain(word[0]) for word in words)
    return re.sub(r"[^0-9A-ZĐÂÊÔĂƠƯ]", "", shortened.upper())[:20] or "CQ"


def _plain(letter: str) -> str:
    """Take the tone off a letter, but keep Ă Â Đ Ê Ô Ơ Ư, which are letters of their own."""
    parts = unicodedata.normalize("NFD", letter)
    tones = "\u0300\u0301\u0303\u0309\u0323"
    return unicodedata.normalize("NFC", "".join(one for one in parts if one not in tones))
