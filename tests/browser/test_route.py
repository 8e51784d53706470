"""A paper on its way: composed, started, sent back and found again, on a phone and a desktop, by keyboard alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.keyboard import choose, press, search, tab_to
from tests.browser.looking import Watched
from tests.factories.documents import plain_pdf

Enter = Callable[..., Watched]


def upload(page: Page, title: str) -> None:
    page.goto("/documents/new")
    page.get_by_label("Tên văn bản").fill(title)
    page.locator('input[type="file"]').set_input_files(
        {"name": "to-trinh.pdf", "mimeType": "application/pdf", "buffer": plain_pdf("To trinh")}
    )
    page.locator('main button[type="submit"]').click()
    page.wait_for_url("**/documents/*-*")


@pytest.mark.parametrize("width", [390, 1280])
def test_a_paper_is_sent_on_its_way_and_comes_back_by_keyboard_alone(person: Enter, width: int) -> None:
    title = f"Tờ trình mua sắm thiết bị {width}"
    drafter = person("minh", width=width)
    page = drafter.page
    upload(page, title)
    press(page, "Trình ký, hoặc xem")
    press(page, "Tiếp tục")
    drafter.expect_well_made()

    search(page, "Tên, cơ quan hoặc chức vụ", "hanh")
    drafter.expect_well_made()
    choose(page, "Lê Thị Mỹ Hạnh")
    choose(page, "Ký nháy", down=2)
    press(page, "Thêm bước này")
    search(page, "Cơ quan trong thành phố", "ben do")
    choose(page, "Ủy ban nhân dân phường Bến Đỏ")
    press(page, "Thêm cơ quan")
    drafter.expect_well_made()
    press(page, "Bắt đầu trình")
    assert page.get_by_text("Đang trình").count()
    drafter.expect_well_made()
    route = page.url

    head = person("hanh", width=width)
    head.page.goto("/")
    press(head.page, "chờ đến lượt bạn xử lý")
    head.expect_well_made()
    press(head.page, title)
    head.expect_well_made()
    press(head.page, "Trả lại, kèm lý do")
    tab_to(head.page, "Vì sao bạn trả lại?")
    head.page.keyboard.type("Thiếu báo giá")
    head.expect_well_made()
    press(head.page, "Trả lại văn bản")
    head.expect_well_made()

    page.goto("/routes")
    assert page.get_by_text("Thiếu báo giá").count()
    page.goto(route)
    drafter.expect_well_made()
    press(page, "Rút lại")
    drafter.expect_well_made()
    press(page, "Rút lại")
    assert page.get_by_text("Người soạn đã rút lại").count()
