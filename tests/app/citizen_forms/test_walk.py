"""A form's way: filled in by a citizen, signed with their key, sent, worked on; and everybody who must not see it."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from uuid import UUID, uuid4

import pikepdf
import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.audit.models import AuditEntry
from app.citizen_forms.models import CitizenForm, SubmissionState
from app.core import db
from app.demo import extract_form
from app.notices.models import Notice
from app.registry.models import Agency
from tests.app.signing.conftest import Signer
from tests.factories.citizen_forms import (
    ANSWERS,
    act,
    change,
    changed_form,
    fill,
    filled,
    sent,
    sign,
    submission_of,
    token,
)

SignIn = Callable[[str], FlaskClient]
JSON = {"Accept": "application/json"}


def letters() -> list[str]:
    with db.transaction() as session:
        return [one.kind for one in session.scalars(select(Notice).order_by(Notice.created_at))]


def acts() -> list[str]:
    with db.transaction() as session:
        query = select(AuditEntry.act).where(AuditEntry.object_kind == "form_submission").order_by(AuditEntry.id)
        return list(session.scalars(query))


def test_a_form_goes_from_the_citizen_to_the_agency_and_back(sign_in: SignIn, lan: Signer, form_id: UUID) -> None:
    citizen, clerk = sign_in("lan"), sign_in("nga")
    submission_id = sent(citizen, lan, form_id)
    reference = submission_of(submission_id).reference
    assert reference in citizen.get(f"/forms/submissions/{submission_id}").get_data(as_text=True)
    assert "1 hồ sơ của người dân" in clerk.get("/").get_data(as_text=True)
    inbox = clerk.get("/forms/inbox?q=nguyen thi lan").get_data(as_text=True)
    assert reference in inbox
    assert "Hợp lệ" in inbox
    page = clerk.get(f"/forms/inbox/{submission_id}").get_data(as_text=True)
    assert "Trần Văn Ưởng" in page
    assert "Nguyễn Thị Lan đã ký" in page
    assert act(clerk, f"inbox/{submission_id}/take").status_code == 302
    assert act(clerk, f"inbox/{submission_id}/finish", note="Mời bà đến nhận.").status_code == 302
    assert "Mời bà đến nhận." in citizen.get(f"/forms/submissions/{submission_id}").get_data(as_text=True)
    assert letters() == ["form_received", "form_done"]
    assert acts() == ["form_filled", "form_sent", "form_taken", "form_done"]


def test_the_agency_gets_the_very_paper_that_the_citizen_signed(sign_in: SignIn, lan: Signer, form_id: UUID) -> None:
    citizen, clerk = sign_in("lan"), sign_in("nga")
    submission_id = sent(citizen, lan, form_id)
    received = clerk.get(f"/forms/inbox/{submission_id}/content").data
    assert received == citizen.get(f"/forms/submissions/{submission_id}/content").data
    with pikepdf.open(BytesIO(received)) as pdf:
        values = {str(one.T): str(one.V) for one in pdf.Root.AcroForm.Fields if "/V" in one}
    assert values["ho_ten"] == "Nguyễn Thị Lan"
    assert values["loai"] == "/khai_sinh"


def test_a_question_that_must_be_answered_is_asked_again(sign_in: SignIn, lan: Signer, form_id: UUID) -> None:
    citizen = sign_in("lan")
    for name in ("q0", "q3", "q4", "q7"):
        answer = fill(citizen, form_id, **{name: None})
        assert answer.status_code == 422, name
        assert "Hãy trả lời: " in answer.get_data(as_text=True)
    assert fill(citizen, form_id, q6=None).status_code == 302


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("q0", "x" * 200, "Câu trả lời dài quá"),
        ("q5", "123", "Câu trả lời dài quá"),
        ("q6", "a\n" * 40, "Câu trả lời dài quá"),
        ("q2", "Lan \N{SMILING FACE WITH SMILING EYES}", "ký tự không in được"),
        ("q3", "khong_co", ""),
        ("q4", "khong_co", ""),
    ],
)
def test_an_answer_that_the_paper_cannot_hold_is_refused_at_its_question(
    sign_in: SignIn, lan: Signer, form_id: UUID, name: str, value: str, sentence: str
) -> None:
    answer = fill(sign_in("lan"), form_id, **{name: value})
    assert answer.status_code == 422
    assert sentence in answer.get_data(as_text=True)


def test_the_same_answers_sent_twice_are_one_draft(sign_in: SignIn, lan: Signer, form_id: UUID) -> None:
    citizen = sign_in("lan")
    first = filled(citizen, form_id)
    assert filled(citizen, form_id) == first
    assert filled(citizen, form_id, q5="3") != first
    assert sign(citizen, lan, first).status_code == 200
    # What is signed is done with: the same answers are another form then.
    assert filled(citizen, form_id) != first


def test_a_form_that_is_not_signed_is_not_sent(sign_in: SignIn, lan: Signer, form_id: UUID) -> None:
    citizen = sign_in("lan")
    submission_id = filled(citizen, form_id)
    assert act(citizen, f"submissions/{submission_id}/send").status_code == 409
    assert submission_of(submission_id).state == SubmissionState.DRAFT


def test_sending_twice_sends_once(sign_in: SignIn, lan: Signer, form_id: UUID) -> None:
    citizen = sign_in("lan")
    submission_id = sent(citizen, lan, form_id)
    assert act(citizen, f"submissions/{submission_id}/send").status_code == 302
    assert letters() == ["form_received"]
    assert acts().count("form_sent") == 1


def test_answers_change_until_they_are_signed(sign_in: SignIn, lan: Signer, form_id: UUID) -> None:
    citizen = sign_in("lan")
    submission_id = filled(citizen, form_id)
    assert change(citizen, submission_id, q0="Nguyễn Thị Lan Anh").status_code == 302
    assert submission_of(submission_id).answers["ho_ten"] == "Nguyễn Thị Lan Anh"
    assert sign(citizen, lan, submission_id).status_code == 200
    assert change(citizen, submission_id, q0="Khác").status_code == 409
    assert submission_of(submission_id).answers["ho_ten"] == "Nguyễn Thị Lan Anh"


def test_a_citizen_withdraws_what_is_not_done(sign_in: SignIn, lan: Signer, form_id: UUID) -> None:
    citizen, clerk = sign_in("lan"), sign_in("nga")
    submission_id = sent(citizen, lan, form_id)
    for _ in range(2):
        assert act(citizen, f"submissions/{submission_id}/withdraw").status_code == 302
    assert act(clerk, f"inbox/{submission_id}/take").status_code == 409
    assert act(clerk, f"inbox/{submission_id}/finish", note="x").status_code == 409
    assert submission_of(submission_id).state == SubmissionState.WITHDRAWN
    other = sent(citizen, lan, form_id)
    assert act(clerk, f"inbox/{other}/finish", note="Xong").status_code == 302
    assert act(citizen, f"submissions/{other}/withdraw").status_code == 409


def test_a_form_that_is_sent_back_is_filled_in_again_from_its_answers(
    sign_in: SignIn, lan: Signer, form_id: UUID
) -> None:
    citizen, clerk = sign_in("lan"), sign_in("nga")
    submission_id = sent(citizen, lan, form_id)
    assert act(clerk, f"inbox/{submission_id}/send-back").status_code == 422
    assert act(clerk, f"inbox/{submission_id}/send-back", note="Thiếu nơi sinh.").status_code == 302
    assert letters() == ["form_received", "form_sent_back"]
    page = citizen.get(f"/forms/submissions/{submission_id}").get_data(as_text=True)
    assert "Thiếu nơi sinh." in page
    again = citizen.get(f"/forms/{form_id}/fill?from={submission_id}").get_data(as_text=True)
    assert "Trần Văn Ưởng" in again
    assert act(clerk, f"inbox/{submission_id}/finish", note="x").status_code == 409


def test_two_officials_take_a_form_once(sign_in: SignIn, lan: Signer, form_id: UUID) -> None:
    clerk = sign_in("nga")
    submission_id = sent(sign_in("lan"), lan, form_id)
    assert act(clerk, f"inbox/{submission_id}/take").status_code == 302
    assert act(clerk, f"inbox/{submission_id}/take").status_code == 409


def test_a_form_is_nobodys_but_its_citizens_and_its_agencys(sign_in: SignIn, lan: Signer, form_id: UUID) -> None:
    citizen = sign_in("lan")
    draft, submission_id = filled(citizen, form_id, q5="7"), sent(citizen, lan, form_id)
    document_id = submission_of(submission_id).document_id
    # An official of another agency, who is a citizen too.
    stranger, clerk = sign_in("minh"), sign_in("nga")
    for one in (draft, submission_id):
        for path in ("", "/content", "/change"):
            assert stranger.get(f"/forms/submissions/{one}{path}", headers=JSON).status_code == 404, path
        for path in ("send", "withdraw"):
            assert act(stranger, f"submissions/{one}/{path}").status_code == 404, path
        assert stranger.get(f"/forms/{form_id}/fill?from={one}", headers=JSON).status_code == 404
        for path in ("", "/content"):
            assert stranger.get(f"/forms/inbox/{one}{path}", headers=JSON).status_code == 404
        assert act(stranger, f"inbox/{one}/take").status_code == 404
        assert stranger.get(f"/documents/{submission_of(one).document_id}", headers=JSON).status_code == 404
    assert clerk.get(f"/forms/inbox/{draft}", headers=JSON).status_code == 404
    assert "Trích lục" not in stranger.get("/forms/inbox").get_data(as_text=True)
    for path in (f"/forms/inbox/{submission_id}", "/forms/inbox", "/forms/ours"):
        assert citizen.get(path, headers=JSON).status_code == 403, path
    for path in ("", "/download", "/sign"):
        assert citizen.get(f"/documents/{document_id}{path}", headers=JSON).status_code == 403, path


def test_a_citizen_signs_their_own_forms_only(sign_in: SignIn, lan: Signer, form_id: UUID) -> None:
    citizen = sign_in("lan")
    submission_id = filled(citizen, form_id)
    assert sign(sign_in("minh"), lan, submission_id).status_code == 404
    assert act(citizen, f"submissions/{submission_id}/withdraw").status_code == 302
    # What is withdrawn is signed no more.
    assert sign(citizen, lan, submission_id).status_code == 404


def test_papers_of_forms_stand_in_no_list_of_documents(sign_in: SignIn, lan: Signer, form_id: UUID) -> None:
    with db.transaction() as session:
        form = session.get_one(CitizenForm, form_id)
        # As if the form were of the agency whose official looks.
        form.agency_id = session.scalars(select(Agency.id).where(Agency.code == "H99.02")).one()
    submission_id = sent(sign_in("lan"), lan, form_id)
    official = sign_in("minh")
    assert extract_form.TITLE not in official.get("/documents").get_data(as_text=True)
    document_id = submission_of(submission_id).document_id
    assert official.get(f"/documents/{document_id}", headers=JSON).status_code == 404
    assert official.get(f"/forms/inbox/{submission_id}").status_code == 200


def test_what_is_exported_begins_no_formula_and_is_recorded(sign_in: SignIn, lan: Signer, form_id: UUID) -> None:
    citizen, clerk = sign_in("lan"), sign_in("nga")
    sent(citizen, lan, form_id)
    with db.transaction() as session:
        session.get_one(CitizenForm, form_id).title = "=cmd()"
    text = clerk.get("/forms/inbox/export.csv").data.decode("utf-8-sig")
    assert len(text.splitlines()) == 2
    assert ",'=cmd()," in text
    assert "Họ và tên của bạn: Nguyễn Thị Lan; Nơi cư trú hiện nay: 12 đường" in text
    with db.transaction() as session:
        assert session.scalars(select(AuditEntry.facts).where(AuditEntry.act == "forms_exported")).one() == {"rows": 1}
    answers = [clerk.get("/forms/inbox/export.csv", headers=JSON).status_code for _ in range(6)]
    assert answers == [200] * 5 + [429]


def test_the_inbox_is_searched_by_reference_form_and_state(sign_in: SignIn, lan: Signer, form_id: UUID) -> None:
    clerk = sign_in("nga")
    reference = submission_of(sent(sign_in("lan"), lan, form_id)).reference
    for query, found in (
        (f"q={reference[3:7].lower()}", True),
        ("q=trich luc", True),
        ("q=%", False),
        ("q=Pham", False),
        ("state=received", True),
        ("state=done", False),
        ("state=draft", True),
    ):
        assert (reference in clerk.get(f"/forms/inbox?{query}").get_data(as_text=True)) is found, query


def publish(client: FlaskClient, pdf: bytes, **changes: str) -> tuple[int, str]:
    data = {**token(client), "title": "Đơn xin", "purpose": "Để xin.", **changes}
    answer = client.post(
        "/forms/ours/new",
        data={**data, "file": (BytesIO(pdf), "don.pdf", "application/pdf")},
        content_type="multipart/form-data",
    )
    return answer.status_code, answer.get_data(as_text=True)


def test_a_clerk_publishes_a_form_and_ends_it(client: FlaskClient, sign_in: SignIn, lan: Signer, form_id: UUID) -> None:
    clerk, citizen = sign_in("nga"), sign_in("lan")
    assert publish(clerk, extract_form.make())[0] == 302
    assert "Đơn xin" in client.get("/forms/?q=don xin").get_data(as_text=True)
    draft = filled(citizen, form_id)
    for _ in range(2):
        assert act(clerk, f"ours/{form_id}/end").status_code == 302
    assert extract_form.TITLE not in client.get("/forms/").get_data(as_text=True)
    assert client.get(f"/forms/{form_id}").status_code == 200
    assert fill(citizen, form_id).status_code == 409
    assert sign(citizen, lan, draft).status_code == 200
    assert act(citizen, f"submissions/{draft}/send").status_code == 409


@pytest.mark.parametrize(
    ("pdf", "sentence"),
    [
        (b"no pdf", "Tệp không phải là PDF"),
        (b"%PDF-1.7 broken", "Tệp không phải là PDF"),
        (changed_form(lambda pdf: pdf.Root.AcroForm.__setattr__("Fields", [])), "không có ô nào để điền"),
        (changed_form(lambda pdf: pdf.Root.AcroForm.__setattr__("XFA", pikepdf.Array())), "XFA"),
        (changed_form(lambda pdf: pdf.Root.AcroForm.Fields[0].__setattr__("T", "noi_cu_tru")), "hai ô trùng tên"),
    ],
    ids=["no PDF", "broken", "no fields", "XFA", "one name twice"],
)
def test_a_form_that_no_page_could_ask_is_not_published(
    sign_in: SignIn, city: object, pdf: bytes, sentence: str
) -> None:
    status, page = publish(sign_in("nga"), pdf)
    assert status == 422
    assert sentence in page


def test_nobody_else_publishes_or_ends_a_form(sign_in: SignIn, form_id: UUID) -> None:
    assert act(sign_in("lan"), f"ours/{form_id}/end").status_code == 403
    # A clerk of another agency.
    assert act(sign_in("thu"), f"ours/{form_id}/end").status_code == 404
    assert act(sign_in("nga"), f"ours/{uuid4()}/end").status_code == 404
    with db.transaction() as session:
        assert session.get_one(CitizenForm, form_id).ended_at is None


def test_the_blank_form_is_there_for_everybody(client: FlaskClient, form_id: UUID) -> None:
    blank = client.get(f"/forms/{form_id}/blank")
    assert blank.data.startswith(b"%PDF-")
    page = client.get(f"/forms/{form_id}").get_data(as_text=True)
    assert "Họ và tên của bạn" in page
    assert set(ANSWERS) == {f"q{at}" for at in range(8)}
