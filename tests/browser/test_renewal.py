"""A holder renews with the key that lives in their browser, and no officer is asked."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
from playwright.sync_api import expect

from app.core import postgres
from tests.browser.looking import Watched
from tests.browser.running import City
from tests.browser.test_certificate_signature_check import get_certificate

Enter = Callable[..., Watched]


def five_days_before_its_end(city: City, login: str) -> None:
    """Bring the end of somebody's certificate near: the city's clock is the real one."""
    url = postgres.attach(city.data)
    assert url is not None
    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as connection:
        connection.execute(
            "UPDATE certificate SET not_after = now() + interval '5 days'"
            " WHERE person_id = (SELECT person_id FROM account WHERE login = %s)",
            (login,),
        )


def test_a_holder_renews_in_the_browser_that_has_the_key_and_not_in_another(city: City, person: Enter) -> None:
    lan = get_certificate(person, "lan", "Nguyễn Thị Lan")
    five_days_before_its_end(city, "lan")
    elsewhere = person("lan", width=390)
    elsewhere.page.goto("/certificates/")
    elsewhere.page.get_by_role("button", name="Gia hạn").click()
    expect(elsewhere.page.get_by_role("heading", name="Khoá không có trong trình duyệt này")).to_be_visible()
    expect(elsewhere.page.get_by_role("button", name="Gia hạn ngay")).to_be_hidden()
    elsewhere.expect_well_made()

    lan.page.goto("/")
    lan.page.get_by_role("link", name="Hãy gia hạn ngay").click()
    lan.expect_well_made()
    lan.page.get_by_role("button", name="Gia hạn ngay").click()
    expect(lan.page.get_by_text("Chứng thư số của bạn đã sẵn sàng")).to_be_visible(timeout=30_000)
    lan.page.goto("/certificates/")
    expect(lan.page.get_by_text("Đã có chứng thư số mới thay thế").first).to_be_visible()
    lan.page.get_by_role("link", name="Mọi việc đã làm đứng tên tôi").click()
    expect(lan.page.get_by_text("Gia hạn chứng thư số bằng khoá cũ")).to_be_visible()
    lan.expect_well_made()
    lan.expect_no_errors()
