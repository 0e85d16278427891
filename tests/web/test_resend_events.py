"""Resend's events: only signed ones, each once, and whatever form they have never an error that loses one."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from funnel_app.flows.replies.history import list_received
from funnel_app.flows.replies.work import answer_received
from funnel_app.flows.sending.deliver import deliver
from funnel_app.gateways.resend.inbox import IncomingEmail
from funnel_app.ledger import contacts, engagements
from funnel_app.ledger.models import EmailEvent, Suppression
from tests.flows.leads import email_ids, look, opt_in, write_templates
from tests.web.callers import event


@pytest.fixture
def sent(deps):
    """An email that Resend accepted."""
    write_templates(deps)
    first = email_ids(opt_in(deps))[0]
    deliver(deps, [first])
    return look(deps, first)


def report(email, kind="email.delivered", **data):
    return {
        "type": kind,
        "created_at": "2026-11-24T12:00:05.000Z",
        "data": {"email_id": email.resend_id, "tags": {"email": str(email.id)}, **data},
    }


def reports(deps) -> list[EmailEvent]:
    with deps.reads() as session:
        return list(session.scalars(select(EmailEvent).where(EmailEvent.provider_event_id.is_not(None))))


def test_a_delivery_is_recorded_once(client, deps, sent):
    answers = [event(client, report(sent)) for _ in range(3)]
    assert [answer.json["status"] for answer in answers] == ["recorded", "duplicate", "duplicate"]
    assert {answer.status_code for answer in answers} == {200}
    assert look(deps, sent.id).state == "delivered"
    assert look(deps, sent.id).delivered_at.isoformat() == "2026-11-24T12:00:05+00:00"


@pytest.mark.parametrize(
    ("signed", "why"),
    [
        ({"secret": "whsec_b3RoZXItc2VjcmV0LW9mLXNvbWVib2R5LWVsc2U="}, "another secret"),
        ({"ago": 600}, "too old"),
        ({"ago": -600}, "from the future"),
        ({"svix-id": "msg_2"}, "another id than was signed"),
        ({"svix-signature": "v1,AAAA"}, "no signature of this"),
        ({"svix-signature": ""}, "none"),
    ],
)
def test_what_is_not_signed_by_resend_is_refused(client, deps, sent, signed, why):
    answer = event(client, report(sent), **signed)
    assert (answer.status_code, answer.content_type) == (401, "application/problem+json"), why
    assert "RESEND_WEBHOOK_SECRET" in answer.json["detail"]
    assert reports(deps) == []


def test_a_call_without_any_proof_is_refused(client):
    assert client.post("/webhook/resend", json={"type": "email.sent"}).status_code == 401


@pytest.mark.parametrize("kind", ["contact.created", "domain.updated", ""])
def test_what_says_nothing_of_an_email_is_only_acknowledged(client, deps, kind):
    assert event(client, {"type": kind, "data": {}}).json == {"status": "ignored"}
    assert reports(deps) == []


def test_an_event_without_data_is_refused(client):
    answer = event(client, {"type": "email.sent"})
    assert (answer.status_code, answer.json["detail"]) == (400, "The event has no data.")


@pytest.mark.parametrize("tags", [None, {}, {"email": "no uuid"}, [{"name": "email", "value": "x"}]])
def test_an_event_without_our_tag_is_found_by_resends_id(client, deps, sent, tags):
    event(client, report(sent, tags=tags))
    assert look(deps, sent.id).state == "delivered"


def test_an_event_of_a_stranger_is_kept(client, deps):
    body = {"type": "email.delivered", "created_at": "2026-11-24T12:00:05Z", "data": {"email_id": "the-websites"}}
    assert event(client, body).json == {"status": "recorded"}
    assert [(kept.email_id, kept.resend_id) for kept in reports(deps)] == [(None, "the-websites")]


@pytest.mark.parametrize("at", [None, "soon", "2026-11-24T12:00:05"])
def test_a_time_that_cannot_be_read_is_now(client, deps, sent, at):
    event(client, {**report(sent), "created_at": at})
    assert look(deps, sent.id).delivered_at.tzinfo is not None


@pytest.mark.parametrize(
    ("bounce", "state", "reason", "suppressed"),
    [
        ({"type": "Permanent", "message": "550 no such user"}, "bounced", "mailbox does not exist", 1),
        ({"type": "Permanent", "diagnosticCode": ["smtp; 550 5.1.1 x"]}, "bounced", "mailbox does not exist", 1),
        ({"type": "Permanent", "subType": "NoEmail"}, "bounced", "mailbox does not exist", 1),
        ({"type": "Permanent", "message": "go away"}, "bounced", "the recipient's server refused it", 1),
        ({"type": "Transient", "message": "452 mailbox full"}, "delayed", "mailbox is full", 0),
    ],
)
def test_a_bounce_says_why_and_a_permanent_one_suppresses(client, deps, sent, bounce, state, reason, suppressed):
    event(client, report(sent, "email.bounced", bounce=bounce))
    assert (look(deps, sent.id).state, look(deps, sent.id).reason) == (state, reason)
    with deps.reads() as session:
        assert len(session.scalars(select(Suppression)).all()) == suppressed


def test_a_failure_says_why(client, deps, sent):
    event(client, report(sent, "email.failed", failed={"reason": "reached_daily_quota"}))
    assert (look(deps, sent.id).state, look(deps, sent.id).reason) == (
        "failed",
        "Resend could not send it: the daily quota of the Resend account was used up",
    )


def received(**data):
    return {"type": "email.received", "created_at": "2026-11-24T12:00:05.000Z", "data": {"email_id": "in-1", **data}}


def test_what_somebody_writes_is_kept_once_before_anything_is_asked(client, deps):
    said = received(
        **{"from": "Ana <ana@resend.dev>", "subject": "Re: Hi\r\nBcc: x", "attachments": [{}, 3, {"filename": "a"}]}
    )
    assert [event(client, said).json["status"] for _ in range(2)] == ["recorded", "duplicate"]
    row = list_received(deps.reads, None, 2)[0]
    assert (row["from"], row["name"], row["subject"], row["read"]) == ("ana@resend.dev", "Ana", "Re: Hi Bcc: x", False)
    assert row["attachments"] == ["a file without a name", "a file without a name", "a"]
    assert deps.inbox.asked == []


@pytest.mark.parametrize("data", [{}, {"from": 7, "subject": None, "attachments": "x"}, {"from": "<" * 9000}])
def test_whatever_form_it_has_something_is_kept(client, deps, data):
    assert event(client, received(**data)).json == {"status": "recorded"}
    assert len(list_received(deps.reads, None, 2)) == 1


def test_an_email_that_came_and_has_no_id_is_refused_and_one_that_went_on_and_bounced_is_told(client, deps):
    assert event(client, {"type": "email.received", "data": {}}).status_code == 400
    event(client, received(**{"from": "bo@elsewhere.example"}))
    deps.inbox.letters["in-1"] = IncomingEmail({}, "Hello", None)
    object.__setattr__(deps, "settings", replace(deps.settings, reply_forward_to="delivered@resend.dev"))
    answer_received(deps)
    row = list_received(deps.reads, None, 1)[0]
    bounce = {"email_id": "r", "tags": {"reply": row["id"]}, "bounce": {"type": "Permanent", "message": "full"}}
    event(client, {"type": "email.bounced", "data": bounce})
    assert list_received(deps.reads, None, 1)[0]["forward"] == "refused"


def test_a_click_is_kept_clean_and_whatever_form_it_has_none_is_an_error(client, deps, sent):
    agent = "Mozilla\r\n/5.0\x00" + "z" * 999
    good = {"link": "https://x.example/a?e=ana@x", "ipAddress": "203.0.113.7", "userAgent": agent}
    for number, click in enumerate([good, {"link": 7}, {"link": "javascript:alert(1)"}, {}, "x", None]):
        told = report(sent, "email.clicked", click=click)
        assert event(client, told, event_id=f"msg_c{number}").status_code == 200
    with deps.reads() as session:
        (kept,) = engagements.of_contact(session, contacts.find(session, "ana@resend.dev").id)
    assert (kept.link, kept.ip, kept.agent[:12]) == ("https://x.example/a", "203.0.113.7", "Mozilla /5.0")
    assert len(kept.agent) < 201
    assert look(deps, sent.id).state == "sent"
