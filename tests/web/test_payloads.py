"""Payloads that are odd, broken or hostile: a clear answer, no fault of ours, and nothing of a known caller lost."""

import gzip
import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError
from sqlalchemy import select

from funnel_app.bodies import bytes_of
from funnel_app.gateways.redis.throttle import Throttle
from funnel_app.ledger.models import Contact, HookEvent
from funnel_app.web.hooks import booking, calcom_schemas, calendly, maybe, noshow, onboarding, resend, signup
from funnel_app.web.legacy.prefect import ENTRANCES
from tests.apps import application
from tests.factories import LEGACY_KEY
from tests.web.calendars import booking as cal_booking
from tests.web.calendars import calcom as call_calcom
from tests.web.calendars import calcom_event, calendly_event, missed
from tests.web.calendars import calendly as call_calendly
from tests.web.callers import BEARER, SIGNUP, event, post
from tests.web.callers import signup as sign_up

LONG = "x" * 400


@pytest.fixture
def client(deps):
    """A caller of the application."""
    return application(deps).test_client()


def send(client, raw: bytes, content_type: str = "application/json"):
    return client.post(SIGNUP, data=raw, headers=BEARER, content_type=content_type)


def kept(deps) -> list[HookEvent]:
    with deps.reads() as session:
        return list(session.scalars(select(HookEvent)))


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "field",
    [
        rb'"x": "a\u0000b"', rb'"x\u0000": "a"', rb'"x": "\ud800"', rb'"utm_source": "a\u0000"',
        rb'"consent": {"text": "\udfff"}', b'"x": ' + b"9" * 4000,
        rb'"x": [{"y": "\ud83d\ude00 \ude00"}]', rb'"timezone": "Europe/Berlin"',
    ],
)  # fmt: skip
def test_what_no_database_keeps_is_substituted_and_never_costs_a_lead(client, deps, field):
    answer = send(client, b'{"email": "ana@resend.dev", ' + field + b"}")
    assert answer.status_code == 202, answer.json
    assert "\x00" not in json.dumps(kept(deps)[0].payload, ensure_ascii=False)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b'{"email": NaN}', "NaN is not a number that JSON knows"),
        (b'{"x": -Infinity}', "-Infinity is not a number"),
        (b'{"x": 1e999}', "1e999 is too large a number"),
        (b'{"x": ' + b"9" * 5000 + b"}", "a number has more digits than any that is meant"),
        (b'{"x": "\xff"', "at line 1, character 10, a comma or a closing bracket is missing."),
        (b'{"x" 1}', "at line 1, character 6, a colon is missing"),
        (b'{"x": 1} {}', "at line 1, character 10, something follows the end"),
        (b'{"x": "a', "at line 1, character 7, a text begins here and does not end"),
        (b'{\n"x": "a\nb"}', "at line 2, character 8, a line break or a tab stands in a text"),
        (rb'{"x": "\q"}', "a backslash stands before what it may not"),
        (rb'{"x": "\u12"}', "a backslash stands before what it may not"),
        (b'{"x": }', "a value is missing"),
        (b'{"email": "ana@resend.dev",}', "at line 1, character 28, a field's name in double quotes is missing"),
        (b"", "The payload is empty."),
        (b" \n", "The payload is empty."),
        (b"[" * 60_000, "nested too deep"),
        (b'{"x": ' + b"[" * 25 + b"]" * 25 + b"}", "deeper than 20"),
        (b'["ana@resend.dev"]', "must be a JSON object"),
        (b'[{"email": "ana@resend.dev"}, {"email": "bea@resend.dev"}]', "must be a JSON object"),
        (b'"text"', "must be a JSON object"),
    ],
)
def test_what_is_not_json_is_told_why_and_kept_as_it_came(client, deps, raw, words):
    answer = send(client, raw)
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert words in answer.json["detail"]
    (refused,) = kept(deps)
    assert refused.outcome == "refused" and words in refused.errors["body"][0]
    assert bytes_of(refused.payload) == raw


ANDRE = {"email": "ana@resend.dev", "first_name": "André"}


@pytest.mark.parametrize(
    ("raw", "content_type", "encoding"),
    [
        (b"\xef\xbb\xbf" + json.dumps(ANDRE).encode(), "application/json", ""),
        (json.dumps(ANDRE).encode("utf-16"), "application/json", ""),
        (json.dumps(ANDRE, ensure_ascii=False).encode("latin-1"), "application/json; charset=iso-8859-1", ""),
        (json.dumps(ANDRE, ensure_ascii=False).encode("latin-1"), "application/json", ""),
        (json.dumps(json.dumps(ANDRE)).encode(), "application/json", ""),
        (json.dumps([ANDRE]).encode(), "application/json", ""),
        (json.dumps(ANDRE).encode(), "text/plain", ""),
        (gzip.compress(json.dumps(ANDRE).encode(), mtime=0), "application/json", "gzip"),
        (b"email=ana%40resend.dev&first_name=Andr%C3%A9", "application/x-www-form-urlencoded", ""),
    ],
)
def test_what_is_meant_is_read_however_it_is_wrapped(client, deps, raw, content_type, encoding):
    headers = {**BEARER, **({"Content-Encoding": encoding} if encoding else {})}
    assert client.post(SIGNUP, data=raw, headers=headers, content_type=content_type).status_code == 202
    with deps.reads() as session:
        assert session.scalars(select(Contact.first_name)).one() == "André"


@pytest.mark.both_databases
def test_a_form_may_have_fields_within_fields_and_fields_twice(client, deps):
    body = b"email=ana%40resend.dev&consent[ip]=203.0.113.7&utm_source=a&utm_source=b&objections[]=price"
    assert send(client, body, "application/x-www-form-urlencoded").status_code == 202
    (call,) = kept(deps)
    assert call.payload["consent"] == {"ip": "203.0.113.7"} and call.payload["utm_source"] == ["a", "b"]


def test_a_form_of_too_many_fields_is_refused_and_kept(client, deps):
    raw = b"email=ana%40resend.dev" + b"&x=1" * 1000
    answer = send(client, raw, "application/x-www-form-urlencoded")
    assert answer.status_code == 400 and "the form has more fields than any that is meant" in answer.json["detail"]
    assert [bytes_of(call.payload) for call in kept(deps)] == [raw]


@pytest.mark.parametrize(
    ("raw", "encoding", "status"),
    [
        (b"\x8b", "br", 415), (b"{", "gzip", 400), (gzip.compress(b" " * 70_000, mtime=0), "gzip", 413),
        (b"\xff\xfe\xfd", "", 400), (gzip.compress(b"{", mtime=0), "gzip", 400), (b"\x1f\x8b\x00", "", 400),
    ],
)  # fmt: skip
def test_what_nobody_can_read_is_kept_byte_for_byte(client, deps, raw, encoding, status):
    headers = {**BEARER, **({"Content-Encoding": encoding} if encoding else {})}
    answer = client.post(SIGNUP, data=raw, headers=headers, content_type="application/json")
    assert answer.status_code == status
    assert [bytes_of(call.payload) for call in kept(deps)] == ([] if status == 413 else [raw])


def test_another_content_type_is_told_and_kept_and_a_strangers_never(client, deps):
    assert send(client, b"<email>ana@resend.dev</email>", "text/xml").status_code == 415
    assert [event.payload for event in kept(deps)] == [{"body": "<email>ana@resend.dev</email>"}]
    for raw in (b"{", b'{"email": "nobody"}', b"x" * 70_000):
        for headers in ({}, {"X-Funnel-Signature": "t=1,v1=2"}, {"Authorization": "Bearer wrong"}):
            answer = client.post(SIGNUP, data=raw, headers=headers, content_type="application/json")
            assert answer.status_code in {401, 413}
    assert len(kept(deps)) == 1, "nothing of a stranger is stored"


def test_64_kb_are_taken_and_a_byte_more_is_not(client):
    frame = len(b'{"email": "ana@resend.dev", "x": ""}')
    assert send(client, b'{"email": "ana@resend.dev", "x": "' + b"x" * (65_536 - frame) + b'"}').status_code == 202
    assert send(client, b'{"email": "ana@resend.dev", "x": "' + b"x" * (65_537 - frame) + b'"}').status_code == 413


@pytest.mark.both_databases
@pytest.mark.parametrize("address", ["ana@bücher.example", "ANA@xn--bcher-kva.example", " ana@BÜCHER.example "])
def test_an_international_domain_is_one_person_in_either_spelling(client, deps, address):
    sign_up(client, email="ana@bücher.example")
    assert sign_up(client, email=address).json["status"] == "duplicate"
    with deps.reads() as session:
        assert session.scalars(select(Contact.email_norm)).all() == ["ana@xn--bcher-kva.example"]


class TestLongNames:
    """Names of things that are longer than a column differ still, and cost nothing."""

    @pytest.mark.parametrize("end", ["booking", "noshow"])
    def test_an_event_of_255_characters_is_known_again(self, client, end):
        names = {"booking": ("event_uri", "meeting_time"), "noshow": ("calendly_event_id", "scheduled_time")}[end]
        payload = {"email": "ana@resend.dev", names[1]: "2026-11-26T20:00:00Z"}
        path = f"/webhook/christmas/{end}"
        first = post(client, {**payload, names[0]: "x" * 255}, path)
        assert first.status_code == 202
        assert post(client, {**payload, names[0]: "x" * 255}, path).json["status"] == "duplicate"
        assert post(client, {**payload, names[0]: "x" * 254 + "y"}, path).json["status"] == "accepted"

    @pytest.mark.both_databases
    def test_calendars_with_long_ids_are_known_again(self, client, deps):
        at = deps.now().timestamp()
        told = [calendly_event("invitee.created", event=f"{LONG}{n}") for n in (1, 2, 1)]
        assert [call_calendly(client, body, at=at).json["status"] for body in told] == [
            "accepted",
            "accepted",
            "duplicate",
        ]
        booked = [calcom_event("BOOKING_CREATED", cal_booking(f"c{LONG}{n}")) for n in (1, 2, 1)]
        assert [call_calcom(client, body).json["status"] for body in booked] == ["accepted", "accepted", "duplicate"]
        moved = calcom_event(
            "BOOKING_RESCHEDULED", cal_booking("new", "2026-12-01T20:00:00Z", rescheduleUid=f"c{LONG}1")
        )
        assert [row["sequence"] for row in call_calcom(client, moved).json["ended"]] == ["precall_prep"]
        no_show = calcom_event("BOOKING_NO_SHOW_UPDATED", missed(f"c{LONG}2"))
        assert call_calcom(client, no_show).status_code in {200, 202}

    def test_a_key_of_255_characters_is_each_addresses_own(self, client):
        key = {"Idempotency-Key": "k" * 255}
        payload = {"email": "ana@resend.dev", "call_date": "2026-11-24T10:00:00Z"}
        assert post(client, {"email": "ana@resend.dev"}, **key).status_code == 202
        assert post(client, payload, "/webhook/christmas/maybe", **key).status_code == 202


@pytest.mark.parametrize(
    "odd",
    [
        {"name": "Ana\x00"}, {"name": "A\ud800"}, {"timezone": "\ud800"}, {"tracking": {"utm_source": "a\x00"}},
        {"questions_and_answers": [{"question": "a\x00", "answer": "\ud800"}]}, {"questions_and_answers": [None, 7]},
        {"reschedule_url": "https://a\x00"}, {"tracking": {"utm_source": {"a": 1}}}, {"event": ""},
    ],
)  # fmt: skip
def test_what_a_stranger_typed_into_a_calendar_never_costs_a_booking(client, deps, odd):
    body = calendly_event("invitee.created")
    body["payload"].update(odd)
    assert call_calendly(client, body, at=deps.now().timestamp()).status_code == 202


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"])
def test_a_time_at_the_end_of_time_is_refused(client, deps, at):
    assert sign_up(client, assessment_score=38, email_1_sent_at=at).status_code == 422
    told = calendly_event("invitee.created", at=at)
    assert call_calendly(client, told, at=deps.now().timestamp()).json["status"] == "ignored"
    assert call_calcom(client, calcom_event("BOOKING_CREATED", cal_booking(at=at))).json["status"] == "ignored"
    # When it was told can be done without, as can when somebody agreed.
    assert call_calcom(client, calcom_event("BOOKING_CREATED", cal_booking(), at)).status_code == 202
    assert sign_up(client, email="bea@resend.dev", consent={"at": at}).status_code == 202


ANY_TEXT = st.text(alphabet=st.characters(), max_size=40) | st.sampled_from(
    [
        "ana@resend.dev",
        "2026-11-24T10:00:00Z",
        "9999-12-31T23:59:59-12:00",
        "",
        "NaN",
        "38",
        "true",
        "https://x.example",
    ]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)
SCHEMAS = [
    signup.SignupSchema, noshow.NoShowSchema, maybe.MaybeSchema, onboarding.OnboardingSchema, booking.BookingSchema,
    calendly.CalendlySchema, calendly.InviteeSchema,
    calcom_schemas.CalcomSchema, calcom_schemas.BookingSchema, calcom_schemas.NoShowUpdatedSchema,
]  # fmt: skip
FUZZED = settings(max_examples=60, suppress_health_check=list(HealthCheck))


def test_a_schema_takes_anything_and_refuses_in_words(app):
    """Each schema has the same values, under its own names: to think them up takes longest."""

    @FUZZED
    @given(values=st.lists(ANYTHING, max_size=24), first=st.integers(0, 40), step=st.integers(1, 5))
    def load_or_say_why(values, first, step):
        for schema in SCHEMAS:
            names = [field.data_key or name for name, field in schema().fields.items()]
            payload = {names[(first + at * step) % len(names)]: value for at, value in enumerate(values)}
            try:
                assert isinstance(schema().load(payload), dict), schema
            except ValidationError as fault:
                assert fault.messages, schema

    with app.app_context():
        load_or_say_why()


@pytest.fixture
def patient(deps):
    """A caller whom no throttle stops."""
    return application(replace(deps, throttle=Throttle(None, per_minute=1_000_000))).test_client()


class TestOverHttp:
    """The same through the front door: never a fault of ours, on either database."""

    EXAMPLES = settings(FUZZED, max_examples=20)

    @pytest.mark.both_databases
    @pytest.mark.parametrize("hook", [signup, noshow, maybe, onboarding, booking], ids=lambda hook: hook.__name__[17:])
    def test_our_hooks(self, patient, hook):
        name = hook.__name__.rpartition(".")[2]
        path, schema = f"/webhook/christmas/{name}", ENTRANCES[name].schema

        @self.EXAMPLES
        @given(change=st.dictionaries(st.sampled_from([*schema.fields, "unknown"]), ANYTHING, max_size=4))
        def answers(change):
            raw = json.dumps({**schema.example, **change}).encode()
            answer = patient.post(path, data=raw, headers=BEARER, content_type="application/json")
            assert answer.status_code in {200, 202, 400, 422, 429}, (raw, answer.get_data())

        answers()

    def test_the_old_websites_calls(self, patient):
        deployments = ["1ae3a3b3-e076-49c5-9b08-9c176aa47aa0", "5445a75a-ae20-4d65-8120-7237e68ae0d5", "x"]

        @self.EXAMPLES
        @given(deployment=st.sampled_from(deployments), parameters=ANYTHING, key=ANYTHING)
        def answers(deployment, parameters, key):
            raw = json.dumps({"name": "n", "parameters": parameters, "idempotency_key": key}).encode()
            path = f"/k/{LEGACY_KEY}/api/deployments/{deployment}/create_flow_run"
            answer = patient.post(path, data=raw, content_type="application/json")
            assert answer.status_code in {200, 201, 400, 404, 409}, (raw, answer.get_data())

        answers()

    def test_resends_events(self, patient):
        names = ["email_id", "tags", "bounce", "failed", "suppressed", "to"]
        data = ANYTHING | st.dictionaries(st.sampled_from(names), ANYTHING, max_size=4)
        kinds = st.sampled_from(["email.sent", "email.bounced", "email.failed", "email.suppressed", "email.opened"])

        @self.EXAMPLES
        @given(kind=kinds | ANYTHING, at=ANYTHING, data=data)
        def answers(kind, at, data):
            answer = event(patient, {"type": kind, "created_at": at, "data": data})
            assert answer.status_code in {200, 400, 401}, (kind, at, data, answer.get_data())
            assert resend.blueprint.name == "resend"

        answers()


class TestWrongAddresses:
    """What a known caller sends to an address that is none is kept; a stranger neither leaves a row nor guesses on."""

    @pytest.mark.parametrize("path", ["/webhook/christmas/sign-up", "/webhook/Christmas/Signup", "/hooks/signup", "/"])
    def test_it_is_kept_and_said(self, client, deps, path):
        answer = post(client, {"email": "ana@resend.dev"}, path)
        assert answer.status_code in {404, 405}
        if answer.status_code == 404:
            assert "kept as refused" in answer.json["detail"]
            assert [(call.outcome, list(call.errors)) for call in kept(deps)] == [("refused", ["address"])]

    def test_a_slash_at_the_end_is_taken(self, client):
        assert post(client, {"email": "ana@resend.dev"}, f"{SIGNUP}/").status_code == 202

    @pytest.mark.both_databases
    def test_a_stranger_leaves_nothing_and_is_throttled(self, client, deps):
        assert client.post("/webhook/x", json={"email": "x@resend.dev"}).status_code == 404
        wrong = {"Authorization": "Bearer wrong"}
        answers = [client.post("/webhook/x", json={}, headers=wrong).status_code for _ in range(40)]
        assert answers[0] == 401 and answers[-1] == 429 and kept(deps) == []

    def test_a_question_before_a_call_keeps_nothing(self, client, deps):
        assert client.options(SIGNUP, headers=BEARER).status_code == 200
        assert kept(deps) == []
