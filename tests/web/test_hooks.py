"""The hooks of CRM and website besides signup: what starts, what ends, and every rule of their payloads."""

import hashlib
import hmac
import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from funnel_app.ledger.models import Contact, Enrolment, HookEvent
from funnel_app.web.legacy.prefect import ENTRANCES
from tests.factories import HOOK_SECRET
from tests.web.callers import BEARER, SIGNUP, post, signup

CALL = "2026-11-26T15:00:00-05:00"
EVENT = "https://api.calendly.com/scheduled_events/E1"
NOSHOW, MAYBE = "/webhook/christmas/noshow", "/webhook/christmas/maybe"
ONBOARDING, BOOKING = "/webhook/christmas/onboarding", "/webhook/christmas/booking"

GOOD = {
    NOSHOW: {"calendly_event_uri": EVENT, "scheduled_time": "2026-11-24T10:00:00Z", "reschedule_url": "https://c.example/r"},
    MAYBE: {"call_date": "2026-11-24T10:00:00Z", "objections": ["price", "time"]},
    ONBOARDING: {"payment_confirmed": True, "payment_date": "2026-11-24T10:00:00Z", "package_type": "BusOS"},
    BOOKING: {"meeting_time": CALL, "event_uri": EVENT, "name": "Dr. Ana Roy"},
}  # fmt: skip
HANDLERS = {
    NOSHOW: ("christmas-noshow-recovery-handler", "noshow_recovery"),
    MAYBE: ("christmas-postcall-maybe-handler", "postcall_maybe"),
    ONBOARDING: ("christmas-onboarding-handler", "onboarding_phase1"),
    BOOKING: ("christmas-precall-prep-handler", "precall_prep"),
}
LEGACY = {
    "/webhook/calendly-noshow": NOSHOW,
    "/webhook/postcall-maybe": MAYBE,
    "/webhook/onboarding-start": ONBOARDING,
}


def call(client, path, **more):
    return post(client, {"email": "ana@resend.dev", **GOOD[LEGACY.get(path, path)], **more}, path)


def enrolments(deps) -> dict[str, Enrolment]:
    with deps.reads() as session:
        return {e.sequence: e for e in session.scalars(select(Enrolment))}


@pytest.mark.parametrize("path", [*GOOD, *LEGACY])
def test_each_hook_starts_its_sequence(client, path):
    answer = call(client, path)
    handler, sequence = HANDLERS[LEGACY.get(path, path)]
    assert answer.status_code == 202, answer.json
    assert (answer.json["status"], answer.json["handler"]) == ("accepted", handler)
    assert [email["template"] for email in answer.json["emails"]] == [f"{sequence}_email_{n}" for n in (1, 2, 3)]


@pytest.mark.parametrize("path", GOOD)
def test_a_repeated_call_is_a_duplicate(client, path):
    first, again = call(client, path), call(client, path)
    assert (again.status_code, again.json["status"]) == (200, "duplicate")
    assert again.json["enrolment_id"] == first.json["enrolment_id"]


@pytest.mark.parametrize("path", [*GOOD, *LEGACY, SIGNUP])
def test_a_signature_made_with_the_secret_is_a_proof_too(client, deps, path):
    body = json.dumps({"email": "ana@resend.dev", **GOOD.get(LEGACY.get(path, path), {})}).encode()

    def send(at, secret=HOOK_SECRET, signed=body):
        digest = hmac.new(secret.encode(), f"{at}.".encode() + signed, hashlib.sha256).hexdigest()
        headers = {"X-Funnel-Signature": f"t={at},v1={digest}", "Content-Type": "application/json"}
        return client.post(path, data=body, headers=headers).status_code

    now = int(deps.now().timestamp())
    assert send(now - 301) == send(now + 301) == send(now, "another-secret") == send(now, signed=b"{}") == 401
    assert client.post(path, data=body, headers={**BEARER, "X-Funnel-Signature": "nonsense"}).status_code == 401
    assert send(now - 299) == 202


@pytest.mark.parametrize(
    ("path", "change", "field"),
    [
        (NOSHOW, {"calendly_event_uri": None}, "calendly_event_uri"),
        (NOSHOW, {"scheduled_time": None}, "scheduled_time"),
        (NOSHOW, {"scheduled_time": "2026-11-24T10:00:00"}, "scheduled_time"),
        (NOSHOW, {"reschedule_url": "javascript:alert(1)"}, "reschedule_url"),
        (NOSHOW, {"reschedule_url": "http://c.example"}, "reschedule_url"),
        (MAYBE, {"call_date": None}, "call_date"),
        (MAYBE, {"call_date": "2026-11-24"}, "call_date"),
        (ONBOARDING, {"payment_confirmed": False}, "payment_confirmed"),
        (ONBOARDING, {"payment_confirmed": None}, "payment_confirmed"),
        (ONBOARDING, {"payment_confirmed": None, "payment_status": "pending"}, "payment_confirmed"),
        (ONBOARDING, {"payment_confirmed": False, "payment_status": "paid"}, "payment_confirmed"),
        (ONBOARDING, {"payment_date": None}, "payment_date"),
        (ONBOARDING, {"portal_url": "portal"}, "portal_url"),
        (BOOKING, {"meeting_time": None}, "meeting_time"),
        (BOOKING, {"meeting_time": "tomorrow"}, "meeting_time"),
        (BOOKING, {"name": "see www.evil.example"}, "name"),
        (BOOKING, {"email": None}, "email"),
    ],
)
def test_a_field_that_cannot_be_used_is_named_and_the_call_is_kept(client, deps, path, change, field):
    answer = call(client, path, **change)
    assert (answer.status_code, list(answer.json["errors"])) == (422, [field])
    with deps.reads() as session:
        assert session.scalars(select(HookEvent.outcome)).all() == ["refused"]


@pytest.mark.parametrize(
    ("path", "change"),
    [
        (NOSHOW, {"event_type": "x" * 256}),
        (MAYBE, {"objections": ["price"] * 21}),
        (MAYBE, {"objections": ["price", 1, None]}),
        (MAYBE, {"call_notes": "a\x00b"}),
        (MAYBE, {"call_notes": "word " * 1001}),
        (ONBOARDING, {"payment_amount": -1}),
    ],
)
def test_what_a_call_can_do_without_is_corrected_and_said(client, deps, path, change):
    assert call(client, path, **change).status_code == 202
    with deps.reads() as session:
        assert set(session.scalars(select(HookEvent.errors)).one()) == set(change)


REQUIRED = {
    NOSHOW: {"email", "scheduled_time", "calendly_event_uri"},
    MAYBE: {"email", "call_date"},
    ONBOARDING: {"email", "payment_confirmed", "payment_date"},
    BOOKING: {"email", "meeting_time"},
    SIGNUP: {"email"},
}


@pytest.mark.parametrize("path", REQUIRED)
def test_every_optional_field_may_be_null_and_the_others_are_named(client, path):
    hook = path.rpartition("/")[2]
    optional = dict.fromkeys(set(ENTRANCES[hook].schema.fields) - REQUIRED[path])
    answer = post(client, {**GOOD.get(path, {}), "email": "ana@resend.dev", **optional}, path)
    assert answer.status_code == 202, answer.json
    blank = {**GOOD.get(path, {}), "email": "ben@resend.dev", **dict.fromkeys(optional, "")}
    assert post(client, blank, path).status_code == 202, "a form's empty field is one that is left out"
    missing = set(post(client, {}, path).json["errors"])
    renamed = {"calendly_event_uri": "calendly_event", "payment_confirmed": "payment"}
    # Rules over several fields are asked only of fields that are good each by itself.
    assert missing in ({renamed.get(name, name) for name in REQUIRED[path]}, REQUIRED[path] - set(renamed))


def test_paid_is_a_confirmed_payment(client):
    assert call(client, ONBOARDING, payment_confirmed=None, payment_status="Paid").status_code == 202


def test_an_event_id_and_its_uri_are_the_same_call(client):
    call(client, NOSHOW)
    assert call(client, NOSHOW, calendly_event_uri=None, calendly_event_id="E1").json["status"] == "duplicate"
    assert call(client, NOSHOW, calendly_event_uri="https://api.calendly.com/scheduled_events/E2").status_code == 202


def test_the_variables_of_a_hook_are_kept_for_the_templates(client, deps):
    call(client, NOSHOW)
    call(client, MAYBE, objections=None, objection="price")
    call(client, ONBOARDING, observation_dates=["8 January", "9 January"], portal_url="https://p.example/x")
    found = enrolments(deps)
    assert found["noshow_recovery"].variables["reschedule_url"] == "https://c.example/r"
    assert found["noshow_recovery"].variables["scheduled_time"] == "2026-11-24T10:00:00+00:00"
    assert found["postcall_maybe"].variables["objections"] == "price"
    assert found["onboarding_phase1"].variables["observation_dates"] == ["8 January", "9 January"]


def test_a_booking_knows_the_first_name_and_counts_back_from_the_call(client, deps):
    emails = call(client, BOOKING).json["emails"]
    assert [email["due_at"] for email in emails] == [f"2026-11-26T19:5{4 + n}:00Z" for n in (0, 3, 5)]
    with deps.reads() as session:
        ana = session.scalars(select(Contact)).one()
    assert (ana.first_name, ana.name) == ("Ana", "Dr. Ana Roy")


def test_a_booking_without_an_event_is_known_by_its_time(client):
    assert call(client, BOOKING, event_uri=None).status_code == 202
    assert call(client, BOOKING, event_uri=None).json["status"] == "duplicate"
    assert call(client, BOOKING, event_uri=None, meeting_time="2026-11-27T15:00:00-05:00").status_code == 202


def test_a_booking_that_is_told_again_at_another_time_moves_its_reminders(client):
    call(client, BOOKING)
    moved = call(client, BOOKING, meeting_time="2026-11-27T15:00:00-05:00")
    assert moved.json["status"] == "duplicate"
    assert [email["due_at"] for email in moved.json["emails"]] == [f"2026-11-27T19:5{4 + n}:00Z" for n in (0, 3, 5)]


def test_of_reminders_that_are_late_together_only_the_last_goes(client, deps):
    soon = deps.now() + timedelta(minutes=2)
    emails = call(client, BOOKING, meeting_time=soon.isoformat()).json["emails"]
    assert [(email["state"], email["reason"]) for email in emails] == [
        ("skipped", "the call was in less than 5 minutes"),
        ("planned", None),
        ("planned", None),
    ]


def test_a_booking_of_a_call_that_has_begun_reminds_nobody(client, deps):
    emails = call(client, BOOKING, meeting_time=deps.now().isoformat()).json["emails"]
    assert {(email["state"], email["reason"]) for email in emails} == {("skipped", "the call had begun")}


def test_a_booking_ends_what_led_to_it(client):
    signup(client)
    signup(client, assessment_score=38)
    ended = call(client, BOOKING).json["ended"]
    assert [row["sequence"] for row in ended] == ["five_day"]


def test_onboarding_ends_all_marketing_and_blocks_what_comes_late(client):
    signup(client, assessment_score=38)
    call(client, NOSHOW)
    call(client, MAYBE)
    assert {row["sequence"] for row in call(client, ONBOARDING).json["ended"]} == {"postcall_maybe"}
    late = call(client, NOSHOW, calendly_event_uri="https://api.calendly.com/scheduled_events/E2")
    assert (late.status_code, late.json["status"]) == (200, "ignored")
    assert late.json["reason"].startswith("“After a missed call” does not start: the contact already ")


class TestIdempotencyKeys:
    """An Idempotency-Key replays the answer that was given, for a day."""

    KEY = {"Idempotency-Key": "order-7"}  # noqa: RUF012

    def test_the_same_call_has_the_same_answer(self, client):
        first = signup_with(client, self.KEY)
        again = signup_with(client, self.KEY)
        assert (again.status_code, again.json) == (first.status_code, first.json) and first.status_code == 202

    def test_another_payload_is_a_conflict(self, client, deps):
        signup_with(client, self.KEY)
        other = signup_with(client, self.KEY, first_name="Bea")
        assert (other.status_code, other.content_type) == (409, "application/problem+json")
        with deps.reads() as session:
            assert session.scalars(select(Contact.first_name)).one() == "Ana"

    @pytest.mark.both_databases
    def test_after_a_day_the_key_is_free(self, client, deps):
        signup_with(client, self.KEY)
        deps.now.forward(hours=25)
        assert signup_with(client, self.KEY, first_name="Bea").json["status"] == "duplicate"

    def test_the_same_key_at_another_hook_is_another_call(self, client):
        signup_with(client, self.KEY)
        answer = post(client, {"email": "ana@resend.dev", **GOOD[MAYBE]}, MAYBE, **self.KEY)
        assert answer.status_code == 202

    def test_a_key_that_is_too_long_is_refused(self, client):
        assert signup_with(client, {"Idempotency-Key": "x" * 256}).status_code == 400


def signup_with(client, headers, **payload):
    return post(client, {"email": "ana@resend.dev", "first_name": "Ana", **payload}, SIGNUP, **headers)


class TestCaps:
    """Nobody starts more sequences than people do; what was refused for that is kept."""

    def test_for_one_address(self, client, deps):
        for n in range(10):
            assert call(client, BOOKING, event_uri=f"e{n}").status_code == 202
        refused = call(client, BOOKING, event_uri="e10")
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "86400")
        with deps.reads() as session:
            assert session.scalars(select(HookEvent.errors).where(HookEvent.outcome == "refused")).one()["limit"]
        deps.now.forward(days=1, seconds=1)
        assert call(client, BOOKING, event_uri="e10", meeting_time="2026-11-30T15:00:00Z").status_code == 202

    def test_from_one_ip_address(self, client):
        answers = [
            signup(client, email=f"lead{n}@resend.dev", consent={"ip": "203.0.113.9"}).status_code for n in range(31)
        ]
        assert answers == [202] * 30 + [429]
        assert signup(client, email="other@resend.dev", consent={"ip": "203.0.113.10"}).status_code == 202


@pytest.mark.parametrize("depth", [21, 50_000])
def test_what_is_nested_too_deep_is_refused(client, depth):
    body = b'{"email":"ana@resend.dev","x":' + b"[" * depth + b"]" * depth + b"}"
    if len(body) > 65_536:
        body = b"[" * 65_000
    answer = client.post(SIGNUP, data=body, headers=BEARER, content_type="application/json")
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
