"""Several papers one after the other, and the place that is proposed for a mark."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from app.core import db
from app.core.settings import Settings
from app.demo import official_letter
from app.documents.models import Document
from app.routes.models import Act
from app.signing import queue
from tests.app.signing.conftest import Signer
from tests.factories import routes
from tests.factories.certificates import actor
from tests.factories.documents import plain_pdf, signed, uploaded
from tests.factories.records import HEAD, LETTER
from tests.factories.routes import Step

SignIn = Callable[[str], FlaskClient]


def waiting(login: str) -> list[UUID]:
    with db.transaction() as session:
        return [one.document.id for one in queue.waiting(session, actor(login), now=routes.now())]


def test_every_paper_of_every_turn_waits_until_it_is_signed(sign_in: SignIn, city: Settings, hanh: Signer) -> None:
    client = sign_in("hanh")
    first = routes.route(routes.running(city, [HEAD], papers=2)).document_ids
    second = routes.route(routes.running(city, [Step(Act.INITIAL, "minh"), HEAD])).document_ids
    assert waiting("hanh") == list(first)
    assert waiting("minh") == list(second)
    page = client.get("/signing/queue").get_data(as_text=True)
    assert all(str(one) in page for one in first)
    signed(client, first[0], hanh.certificate, hanh.key, baseNumber=newest(first[0]))
    assert waiting("hanh") == [first[1]]


def newest(document_id: UUID) -> int:
    with db.transaction() as session:
        return session.get_one(Document, document_id).newest.number


def test_the_queue_leads_from_paper_to_paper_and_tells_what_was_left_out(
    sign_in: SignIn, city: Settings, hanh: Signer
) -> None:
    client = sign_in("hanh")
    papers = routes.route(routes.running(city, [HEAD], papers=2)).document_ids
    text = ",".join(map(str, papers))
    began = client.get("/signing/queue/begin", query_string={"document": [str(one) for one in papers]})
    assert began.status_code == 302
    first = client.get(began.location).get_data(as_text=True)
    assert "Văn bản 1/2" in first
    assert f"/documents/{papers[1]}/sign" in first
    last = client.get(f"/documents/{papers[1]}/sign", query_string={"queue": text}).get_data(as_text=True)
    assert "/signing/queue/end" in last
    signed(client, papers[0], hanh.certificate, hanh.key, baseNumber=newest(papers[0]))
    with db.transaction() as session:
        found = queue.outcomes(session, actor("hanh"), papers)
        assert [one.version is not None for one in found] == [True, False]
    ended = client.get("/signing/queue/end", query_string={"queue": text}).get_data(as_text=True)
    assert ended.count("/documents/") >= 2


def test_a_queue_shows_no_paper_that_is_another_agencys(sign_in: SignIn, city: Settings, hanh: Signer) -> None:
    paper = routes.paper(city)
    del hanh
    with db.transaction() as session:
        assert queue.outcomes(session, actor("hanh"), [paper, uuid4()]) == []
    assert sign_in("hanh").get(f"/documents/{paper}/sign", query_string={"queue": str(paper)}).status_code == 404


@pytest.mark.parametrize("text", ["", "x", ",", ",".join(str(uuid4()) for _ in range(queue.MOST + 1))])
def test_an_address_that_names_no_queue_is_none(text: str) -> None:
    assert queue.parse(text) == ()


def test_beginning_without_a_paper_comes_back_to_the_list(sign_in: SignIn, city: Settings) -> None:
    del city
    answer = sign_in("minh").get("/signing/queue/begin")
    assert (answer.status_code, answer.location) == (302, "/signing/queue")


def test_a_mark_is_proposed_between_the_post_and_the_name_of_who_signs(
    sign_in: SignIn, city: Settings, minh: Signer
) -> None:
    del city, minh
    client = sign_in("minh")
    mine = official_letter.Letter(**{**vars(LETTER), "signer": "Trần Văn Minh"})
    own, other, plain = (
        uploaded(client, pdf) for pdf in (official_letter.render(mine), official_letter.render(LETTER), plain_pdf())
    )
    place = client.get(f"/documents/{own}/mark-place").get_json()["place"]
    assert (place["page"], place["corner"]) == (1, "bottom_left")
    # The block's middle stands at 150 mm, and the mark is 66 mm wide.
    assert place["xMm"] == pytest.approx(117, abs=1)
    assert client.get(f"/documents/{other}/mark-place").get_json() == {"place": None}
    assert client.get(f"/documents/{plain}/mark-place").get_json() == {"place": None}


def test_no_place_is_told_of_another_agencys_paper(sign_in: SignIn, city: Settings) -> None:
    paper = routes.paper(city)
    assert sign_in("hanh").get(f"/documents/{paper}/mark-place").status_code == 404
