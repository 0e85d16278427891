"""Fields of a signup: what may be left out, what is corrected, and what refuses."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from funnel_app.campaigns.registry import Registry
from funnel_app.ledger.models import Contact, Email
from funnel_app.web.hooks.calendly import INVITEE, CalendlySchema
from funnel_app.web.hooks.decoration import LEFT_OUT
from tests.apps import application
from tests.factories import make_deps
from tests.web.callers import BEARER, SIGNUP, post, signup
from tests.web.test_signup import errors_of, hooks

OPTIONAL = [
    "first_name", "business_name", "timezone", "consent", "utm_source", "assessment_score", "gps_score", "money_score",
    "red_systems", "orange_systems", "yellow_systems", "green_systems", "weakest_system_1", "weakest_system_2",
    "strongest_system", "revenue_leak_total", "email_1_sent_at", "email_1_status",
]  # fmt: skip


def test_every_optional_field_may_be_null(client):
    assert signup(client, **dict.fromkeys(OPTIONAL)).status_code == 202


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", None),
        ("email", "ana"),
        ("email", "ana@"),
        ("email", "ana@resend.dev\r\nBcc: everybody@resend.dev"),
        ("email", f"{'a' * 60}@{'b' * 200}.dev"),
        ("email", 7),
        ("email", ["ana@resend.dev"]),
        ("email", "josé@resend.dev"),
        ("email", "34123121212@sms.cal.com"),
        ("first_name", "Win at casino-pills.ca"),
        ("first_name", "Call +1 888 555 0100"),
        ("assessment_score", -1),
        ("assessment_score", 101),
        ("assessment_score", "high"),
        ("assessment_score", "NaN"),
        ("gps_score", 100.1),
        ("money_score", -0.1),
        ("red_systems", 9),
        ("red_systems", -1),
        ("red_systems", 1.5),
        ("revenue_leak_total", -1),
        ("revenue_leak_total", "Infinity"),
        ("email_1_sent_at", "2026-11-24T11:59:00"),
        ("email_1_sent_at", "yesterday"),
        ("email_1_sent_at", "2019-01-01T00:00:00Z"),
        ("email_1_sent_at", "2029-11-30T00:00:00Z"),
    ],
)
def test_a_field_that_cannot_be_used_is_named(client, field, value):
    assert list(errors_of(signup(client, **{field: value}))) == [field]


def test_only_what_has_to_be_fixed_is_named(client):
    assert errors_of(signup(client, email=None, consent={"ip": "nowhere"}, timezone=7)) == {
        "email": ["Field may not be null."]
    }


DECORATION = [
    ({"first_name": "x" * 61}, {"first_name"}, {}),
    ({"first_name": "Ana Maria " * 9}, {"first_name"}, {"first_name": ("Ana Maria " * 6).strip()}),
    ({"first_name": "A\u00a0n\u200ba"}, {"first_name"}, {"first_name": "A na"}),
    ({"first_name": {"is": "a table"}}, {"first_name"}, {}),
    ({"first_name": "+1 888 555 0100"}, {"first_name"}, {}),
    ({"business_name": "Salon //evil.example"}, set(), {"business_name": "Salon //evil.example"}),
    ({"business_name": "Data: The Salon"}, set(), {"business_name": "Data: The Salon"}),
    ({"weakest_system_1": "http://evil.example"}, set(), {}),
    ({"timezone": "../../etc/passwd"}, {"timezone"}, {}),
    ({"timezone": "america/toronto "}, {"timezone"}, {"timezone": "America/Toronto"}),
    ({"utm_source": "x" * 256}, {"utm_source"}, {"utm_source": "x" * 255}),
    ({"utm_source": ["a", "b"]}, {"utm_source"}, {"utm_source": "a"}),
    ({"utm_source": 7}, set(), {"utm_source": "7"}),
    ({"consent": "yes"}, {"consent"}, {}),
    ({"consent": True}, {"consent"}, {}),
    ({"consent": {"ip": "nowhere", "text": "Yes"}}, {"consent.ip"}, {"consent_text": "Yes"}),
    ({"consent": {"ip": "203.0.113.7:5123"}}, {"consent.ip"}, {"consent_ip": "203.0.113.7"}),
    ({"consent": {"ip": "fe80::1%eth0<script>"}}, {"consent.ip"}, {"consent_ip": None}),
    ({"consent": {"at": "2026-11-24T11:59:00"}}, {"consent.at"}, {}),
    ({"consent": {"at": "", "ip": " "}}, set(), {}),
    ({"red_systems": "2.0"}, set(), {"red_systems": 2}),
]


@pytest.mark.parametrize(("odd", "told", "kept"), DECORATION)
def test_decoration_never_refuses_a_lead_and_the_record_says_what_became_of_it(client, deps, odd, told, kept):
    answer = post(client, {"email": "ana@resend.dev", **odd})
    assert answer.status_code == 202, answer.json
    assert set(hooks(deps)[0].errors or {}) == told
    with deps.reads() as session:
        ana = session.scalars(select(Contact)).one()
    found = {name: getattr(ana, name, None) or ana.properties.get(name) for name in ("first_name", "timezone", *kept)}
    assert found == {"first_name": None, "timezone": None, **kept}


def test_what_a_program_writes_for_nothing_is_left_out(client, deps):
    fields = {"first_name": "undefined", "business_name": "{{business}}", "weakest_system_1": "-"}
    assert signup(client, assessment_score=38, **fields).status_code == 202
    with deps.reads() as session:
        ana = session.scalars(select(Contact)).one()
    assert (ana.first_name, ana.business_name, "weakest_system_1" in ana.properties) == (None, None, False)


@pytest.mark.parametrize(
    ("status", "state"),
    [("sent", "skipped"), ("Sent ", "skipped"), ("", "skipped"), (None, "skipped"), ("failed", "planned")],
)
def test_the_website_sent_email_1_unless_it_says_that_it_failed(client, status, state):
    told = {"assessment_score": 38, "email_1_sent_at": "2026-11-24T11:59:30Z", "email_1_status": status}
    assert signup(client, **told).json["emails"][0]["state"] == state


def test_more_systems_than_there_are_is_a_fault_of_each_count(client):
    errors = errors_of(signup(client, red_systems=3, orange_systems=3, yellow_systems=3))
    counts = ("red_systems", "orange_systems", "yellow_systems")
    assert errors == {name: ["There are 8 systems, and the four counts make 9."] for name in counts}


def test_a_missing_address_is_named(client):
    assert list(errors_of(post(client, {"first_name": "Ana"}))) == ["email"]


@pytest.mark.parametrize("name", ["O’Brien 李小龍", "مریم\u200cزاده"])
def test_names_of_any_script_are_names(client, deps, name):
    assert signup(client, first_name=name).status_code == 202
    with deps.reads() as session:
        assert session.scalars(select(Contact.first_name)).one() == name


def test_a_refused_payload_is_kept_with_its_faults(client, deps):
    payload = {"email": "ana", "first_name": "Ana"}
    errors = errors_of(post(client, payload))
    (kept,) = hooks(deps)
    assert (kept.outcome, kept.campaign, kept.hook) == ("refused", "christmas", "signup")
    assert (kept.payload, kept.errors) == (payload, errors)


def test_a_refused_payload_on_a_legacy_path_is_kept_too(client, deps):
    errors_of(post(client, {"email": "ana"}, "/webhook/assessment"))
    assert (hooks(deps)[0].outcome, hooks(deps)[0].hook) == ("refused", "signup")


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{not json", "application/json", 400),
        (b"", "application/json", 400),
        (b"[1, 2]", "application/json", 400),
        (b'"text"', "application/json", 400),
        (b'{"pad": "' + b"x" * 65536 + b'"}', "application/json", 413),
    ],
)
def test_what_is_not_a_payload_is_a_problem_document(client, body, content_type, status):
    answer = client.post(SIGNUP, data=body, headers=BEARER, content_type=content_type)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert answer.json["status"] == status and answer.json["title"] and answer.json["detail"]


def test_an_unknown_campaign_is_named(client):
    answer = post(client, {"email": "ana@resend.dev"}, "/webhook/easter/signup")
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
    assert answer.json["detail"] == "There is no campaign 'easter'; there are christmas."


@pytest.mark.parametrize("opened", [{}, {"quiet": ("booking",)}], ids=["no campaign", "no hook"])
def test_a_lead_at_an_address_that_no_file_opens_is_kept_until_one_does(client, deps, opened):
    def open_campaigns(names):
        christmas = deps.registry.campaign("christmas")
        others = {
            name: replace(christmas, name=name, hooks={hook: christmas.hooks[hook] for hook in hooks})
            for name, hooks in names.items()
        }
        object.__setattr__(deps, "registry", Registry({"christmas": christmas, **others}))

    open_campaigns(opened)
    assert client.post("/webhook/quiet/signup", json={"email": "x@resend.dev"}).status_code == 401
    assert post(client, {"email": "ana@resend.dev"}, "/webhook/quiet/signup").status_code == 404
    (kept,) = hooks(deps)
    assert (kept.outcome, kept.payload, set(kept.errors)) == ("refused", {"email": "ana@resend.dev"}, {"address"})
    open_campaigns({"quiet": ("signup",)})
    done = client.application.test_cli_runner().invoke(args=["hooks", "replay", str(kept.id)])
    assert done.exit_code == 0 and "accepted: 5 emails" in done.output


@pytest.mark.parametrize(("method", "path", "status"), [("get", SIGNUP, 405), ("get", "/nowhere", 404)])
def test_other_calls_are_problem_documents_too(client, method, path, status):
    answer = getattr(client, method)(path)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")


def test_a_ledger_that_is_away_is_said_and_nothing_is_promised(client, deps, monkeypatch):
    def away(*_):
        raise OperationalError("SELECT 1", {}, Exception("connection refused"))

    monkeypatch.setattr("funnel_app.web.hooks.common.enrol", away)
    answer = signup(client)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert "nothing was recorded" in answer.json["detail"] and "refused" not in answer.json["detail"]


def test_redis_away_is_no_reason_to_refuse(client, deps):
    deps.queues.away = True
    assert signup(client).status_code == 202


def test_live_mode_counts_in_days(sqlite):
    deps = make_deps(sqlite, testing_mode=False)
    signup(application(deps).test_client())
    with deps.reads() as session:
        due = [email.due_at - deps.now() for email in session.scalars(select(Email).order_by(Email.step))]
    assert due == [timedelta(days=n) for n in range(5)]


def test_one_visitor_has_one_count_whatever_address_of_theirs_they_come_from_and_say_later(client):
    """The count is of what each call said: a later call of the same person does not take it back."""
    answers = []
    for n in range(31):
        address = f"lead{n}@resend.dev"
        answers.append(signup(client, email=address, consent={"ip": f"2001:db8:1:2::{n:x}"}).status_code)
        signup(client, email=address, consent={"ip": f"198.51.100.{n}"})
    assert answers == [202] * 30 + [429]
    assert signup(client, email="else@resend.dev", consent={"ip": "2001:db8:1:3::1"}).status_code == 202


def test_one_mailbox_has_one_count_whatever_tag_its_address_carries(client):
    answers = [signup(client, email=f"victim+{n}@resend.dev").status_code for n in range(11)]
    assert answers == [202] * 10 + [429]
    assert signup(client, email="other@resend.dev").status_code == 202


def test_a_sender_may_call_a_field_what_our_notes_are_called():
    envelope = CalendlySchema().load(
        {"event": "invitee.created", "payload": {LEFT_OUT: 7, "tracking": {LEFT_OUT: "x"}}}
    )
    assert envelope == {"event": "invitee.created", "payload": {LEFT_OUT: 7, "tracking": {LEFT_OUT: "x"}}, LEFT_OUT: {}}
    assert INVITEE.load({"email": "ana@resend.dev", "tracking": {LEFT_OUT: "x"}}) == {
        "email": "ana@resend.dev", "tracking": {LEFT_OUT: "x"}, LEFT_OUT: {},
    }  # fmt: skip
