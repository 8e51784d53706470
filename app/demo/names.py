"""Names as often as they are borne in Viet Nam, for registers of a size that nobody can invent by hand.

Shares of surnames after Lê Trung Hoa, “Họ và tên người Việt Nam” (2005), rounded; given and middle names fall off as
1/(rank + 4), which is close to the class lists of large schools.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from typing import Final

SURNAMES: Final = {
    "Nguyễn": 315, "Trần": 109, "Lê": 89, "Phạm": 59, "Hoàng": 26, "Huỳnh": 25, "Vũ": 20, "Võ": 19, "Phan": 28,
    "Trương": 22, "Bùi": 21, "Đặng": 19, "Đỗ": 19, "Ngô": 17, "Hồ": 15, "Dương": 14, "Đinh": 10, "Đoàn": 9, "Lâm": 8,
    "Mai": 8, "Trịnh": 7, "Đào": 7, "Cao": 6, "Lý": 6, "Hà": 6, "Lưu": 5, "Lương": 5, "Thái": 4, "Châu": 4, "Tạ": 4,
    "Phùng": 3, "Tô": 3, "Vương": 3, "Văn": 3, "Tăng": 2, "Quách": 2, "Lại": 2, "Hứa": 2, "Thạch": 2, "Diệp": 2,
    "Từ": 2, "Chu": 2, "La": 2, "Đàm": 2, "Tống": 1, "Giang": 1, "Chung": 1, "Triệu": 1, "Kiều": 1, "Hồng": 1,
    "Trang": 1, "Đồng": 1, "Danh": 1, "Lư": 1, "Lữ": 1, "Thân": 1, "Kim": 1, "Mã": 1, "Bạch": 1, "Liêu": 1,
    "Tiêu": 1, "Dư": 1, "Âu": 1, "Tôn Nữ": 1, "Nghiêm": 1, "Khuất": 1, "Ninh": 1, "Sầm": 1,
}  # fmt: skip
_MIDDLE: Final = (
    "Minh Thanh Ngọc Đức Hữu Quốc Xuân Hoàng Công Đình Quang Thu Kim Bảo Gia Anh Phương Hồng Trọng Thành Tuấn"
    " Mỹ Thùy Bích Duy Viết Như Khánh Thế Diệu Hải Nhật Mạnh Tiến Trung Quỳnh Cẩm Phước Tấn Chí Ánh Hoài Thái Tường"
    " Vĩnh Lan Đăng Huy Nguyên Lệ Tuyết Trúc Việt Phi Thiên Bá Kiều Yến Cao Mai Trường Hà Linh Phúc Khắc Thúy"
    " Uyên Vân Tú Ái Bình Doãn Hạnh Nam Ý Song Triều Sỹ Thục"
)
_GIVEN: Final = (
    "Anh Linh Hương Hùng Dũng Hà Lan Hoa Huy Nam Minh Trang Thảo Tuấn Ngọc Thủy Phương Hằng Nga Hải Long Sơn Bình Mai"
    " An Thanh Nhung Hiền Tâm Thu Yến Đức Cường Quân Vân Thắng Loan Trung Hạnh Dung Tú Kiên Quang Hiếu Khánh Châu Vy"
    " Nhi My Ngân Thư Hồng Tùng Việt Phúc Khoa Bảo Quyên Giang Tiến Đạt Duy Tân Trâm Trinh Như Oanh Hiệp Lộc Thành"
    " Phong Toàn Hưng Phượng Liên Lợi Vinh Hòa Nhân Trúc Uyên Khang Nghĩa Bích Tuyết Xuân Cúc Thúy Diễm Diệu Hậu Lâm"
    " Thịnh Tài Tín Phát Kiệt Khôi Nguyên Quý Danh Chi Ly Quỳnh Chiến Chung Công Luân Lực Mạnh Nhàn Nhật Phú Quốc Sang"
    " Tấn Thái Thiện Thơ Thuận Tiên Tín Trí Triều Trọng Trường Tuyền Tường Vũ Vượng Ý Ái Bách Cảnh Cầm Đào Điệp Đông"
    " Gấm Hảo Hoàng Huệ Khuê Lam Lệ Luyến Mận Miên Mỹ Na Nết Nở Phụng Sáu Sen Tám Thoa Thùy Út Viên Viễn Xoan Ngoan"
)
MIDDLE: Final = _MIDDLE.split()
GIVEN: Final = _GIVEN.split()
# Of a hundred people, how many have two middle names, and how many have none.
_TWO_MIDDLE: Final = 28
_NO_MIDDLE: Final = 6
# Of a hundred people, how many have “Thị” (women) and “Văn” (men) as their first middle name.
_THI: Final = 28
_VAN: Final = 19


def names(count: int, *, seed: int) -> Iterator[str]:
    """Give `count` full names; the same seed gives the same people."""
    source = random.Random(seed)  # noqa: S311  invented people, no secret
    surnames = source.choices(list(SURNAMES), weights=list(SURNAMES.values()), k=count)
    first = source.choices(MIDDLE, cum_weights=_falling(MIDDLE), k=count)
    second = source.choices(MIDDLE, cum_weights=_falling(MIDDLE), k=count)
    given = source.choices(GIVEN, cum_weights=_falling(GIVEN), k=count)
    for surname, one, two, last in zip(surnames, first, second, given, strict=True):
        shape, kind = source.randrange(100), source.randrange(100)
        middle = "Thị" if kind < _THI else "Văn" if kind < _THI + _VAN else one
        if shape < _NO_MIDDLE:
            yield f"{surname} {last}"
        elif shape < _NO_MIDDLE + _TWO_MIDDLE and middle != two:
            yield f"{surname} {middle} {two} {last}"
        else:
            yield f"{surname} {middle} {last}"


def _falling(words: Sequence[str]) -> list[float]:
    return list(itertools.accumulate(1 / (rank + 4) for rank in range(len(words))))
