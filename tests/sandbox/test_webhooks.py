"""Resend's events: signed, repeated until taken, and bendable by switches."""

from datetime import UTC, datetime

import pytest
import requests
import resend

from funnel_app.gateways.errors import Rejected
from funnel_app.gateways.resend.inbox import Inbox
from sandbox.resend.outcomes import planned_events
from sandbox.resend.webhooks import Delivery
from sandbox.signing import signing_key
from tests.pace import patient
from tests.process.watching import wait_until
from tests.sandbox.conftest import control, letter, received

SENT, DELIVERED = "email.sent", "email.delivered"


@pytest.mark.parametrize(
    ("recipient", "types"),
    [
        ("delivered+1@resend.dev", [SENT, DELIVERED]),
        ("Ana <ana@client.example>", [SENT, DELIVERED]),
        ("bounced+1@resend.dev", [SENT, "email.bounced"]),
        ("softbounce@resend.dev", [SENT, "email.delivery_delayed", DELIVERED]),
        ("complained@resend.dev", [SENT, DELIVERED, "email.complained"]),
        ("suppressed@resend.dev", ["email.suppressed"]),
    ],
)
def test_the_recipient_decides_what_happens_and_each_event_is_signed(telling, receiver, recipient, types):
    resend.Emails.send(letter(to=recipient))
    assert receiver.types(len(types)) == types
    assert received(telling)[0]["last_event"] == types[-1].removeprefix("email.")


def test_a_silent_recipient_has_no_events():
    assert planned_events("silent+x@resend.dev", datetime(2026, 11, 23, tzinfo=UTC), 1) == []


def test_an_event_tells_the_email_its_tags_as_an_object_and_the_bounce(telling, receiver):
    tags = [{"name": "email", "value": "a-1"}, {"name": "step", "value": "2"}]
    sent = resend.Emails.send(letter(to="bounced@resend.dev", tags=tags))
    _, bounced = receiver.events(2)
    assert bounced["data"]["email_id"] == sent["id"]
    assert bounced["data"]["tags"] == {"email": "a-1", "step": "2"}
    assert bounced["data"]["to"] == ["bounced@resend.dev"]
    assert bounced["data"]["bounce"]["type"] == "Permanent"
    assert bounced["created_at"].endswith("Z")


def test_an_event_is_told_again_with_the_same_id_until_it_is_taken(telling, receiver):
    receiver.answers = [500, 302]
    resend.Emails.send(letter(to="suppressed@resend.dev"))
    ids = {headers["svix-id"] for headers, _ in receiver.wait_for(3)}
    assert len(ids) == 1


def test_retries_come_soon_and_end_after_two_minutes():
    first = Delivery(0, 0, None, None, None, 0, first_due=0)  # type: ignore[arg-type]
    pauses = []
    for attempt in (1, 2, 3, 4):
        first.attempts = attempt
        pauses.append(first.retry_at(10.0))
    assert pauses == [10.2, 11.0, 15.0, 15.0]
    assert first.retry_at(116.0) is None


def test_nobody_listening_is_survived(telling, receiver):
    receiver.answers = []
    control(telling, {"webhooks.url": "http://127.0.0.1:9/closed"})
    sent = resend.Emails.send(letter(to="suppressed@resend.dev"))
    email = telling.sandbox.emails[sent["id"]]
    wait_until("the courier tries", lambda: email.events[0].told)
    assert email.events[0].told[0] == "ConnectionError"


def test_held_events_go_out_when_webhooks_are_enabled_again(telling, receiver):
    control(telling, {"webhooks.enabled": False})
    sent = resend.Emails.send(letter())
    assert resend.Emails.get(sent["id"])["last_event"] == "delivered"
    assert receiver.received == []
    control(telling, {"webhooks.enabled": True})
    assert receiver.types(2) == [SENT, DELIVERED]


def test_a_delivered_event_can_come_before_the_answer(telling, receiver):
    control(telling, {"webhooks.before_answer": True})
    sent = resend.Emails.send(letter())
    arrived = [event for event in receiver.events(len(receiver.received)) if event["type"] == DELIVERED]
    assert [event["data"]["email_id"] for event in arrived] == [sent["id"]]
    assert sorted(receiver.types(2)) == [DELIVERED, SENT]


def test_duplicates_carry_the_same_id(telling, receiver):
    control(telling, {"webhooks.duplicate": True})
    resend.Emails.send(letter(to="suppressed@resend.dev"))
    ids = [headers["svix-id"] for headers, _ in receiver.wait_for(2)]
    assert ids[0] == ids[1]


def test_events_can_come_in_reverse(telling, receiver):
    control(telling, {"webhooks.reverse": True})
    resend.Emails.send(letter())
    assert receiver.types(2) == [DELIVERED, SENT]
    assert received(telling)[0]["last_event"] == "delivered"


def test_events_wait_for_their_delay(telling, receiver):
    control(telling, {"webhooks.delay_s": 0.05})
    resend.Emails.send(letter())
    first, second = receiver.events(2)
    assert (first["type"], second["type"]) == (SENT, DELIVERED)
    assert first["created_at"] < second["created_at"]


def test_a_created_webhook_gets_only_the_types_it_wants_under_its_own_secret(telling, receiver):
    made = resend.Webhooks.create({"endpoint": receiver.url, "events": [DELIVERED]})
    control(telling, {"webhooks.url": None})
    resend.Emails.send(letter())
    [(headers, body)] = receiver.wait_for(1)
    short = {name: headers[f"svix-{name}"] for name in ("id", "timestamp", "signature")}
    proof = {"payload": body, "headers": short, "webhook_secret": made["signing_secret"]}
    assert resend.Webhooks.verify(proof)["type"] == DELIVERED


def test_a_reset_forgets_events_on_their_way(telling, receiver):
    control(telling, {"webhooks.enabled": False})
    resend.Emails.send(letter(subject="before"))
    control(telling, None, "/reset")
    control(telling, {"webhooks.delay_s": 0})
    resend.Emails.send(letter(subject="after"))
    assert {event["data"]["subject"] for event in receiver.events(2)} == {"after"}


@pytest.mark.parametrize("secret", ["whsec_", "whsec_!", "c2VjcmV0", ""])
def test_a_secret_that_is_none_is_refused(telling, secret):
    with pytest.raises(ValueError, match=r"whsec_|base64|Only|padding"):
        signing_key(secret)
    answer = requests.post(telling.url + "/control", json={"webhooks.secret": secret}, timeout=patient(5))
    assert answer.status_code == 400


def test_what_somebody_writes_is_told_without_its_text_and_given_out_by_the_api(telling, receiver):
    sent = resend.Emails.send(letter(to="delivered@resend.dev"))
    receiver.events(2)
    written = requests.post(
        f"{telling.url}/control/written", json={"answers": sent["id"], "text": "Yes."}, timeout=patient(5)
    ).json()
    told = receiver.events(3)[-1]
    assert (told["type"], told["data"]["email_id"]) == ("email.received", written["id"])
    assert (told["data"]["from"], "text" in told["data"]) == ("delivered@resend.dev", False)
    read = Inbox(lambda: datetime.now(UTC)).read(written["id"])
    own = Inbox(lambda: datetime.now(UTC)).message_id(sent["id"])
    assert (read.text, read.headers["in-reply-to"]) == ("Yes.", own)
    with pytest.raises(Rejected) as gone:
        Inbox(lambda: datetime.now(UTC)).read("00000000-0000-4000-8000-000000000000")
    assert gone.value.code == "not_found"
