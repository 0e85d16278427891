"""The signup hook: exact answers, every rule of its payload, and nothing of an authenticated call lost."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from funnel_app.campaigns.registry import Registry
from funnel_app.ledger.models import Contact, Email, HookEvent
from tests.apps import application
from tests.factories import HOOK_SECRET, make_deps
from tests.web.callers import BEARER, SIGNUP, post, signup

PATHS = [SIGNUP, "/webhook/christmas-signup", "/webhook/signup", "/webhook/assessment"]


def hooks(deps) -> list[HookEvent]:
    with deps.reads() as session:
        return list(session.scalars(select(HookEvent)))


def errors_of(answer) -> dict:
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    return answer.json["errors"]


def test_an_opt_in_is_answered_with_its_five_emails(client, deps):
    answer = signup(client)
    assert answer.status_code == 202
    body = answer.json
    assert set(body) == {
        "status", "hook_id", "contact_id", "handler", "enrolment_id", "ended", "emails", "reason"
    }  # fmt: skip
    assert (body["status"], body["handler"], body["ended"], body["reason"]) == (
        "accepted",
        "christmas-signup-handler",
        [],
        None,
    )
    assert set(body["emails"][0]) == {"id", "step", "template", "due_at", "state", "reason"}
    assert [(e["step"], e["template"], e["due_at"], e["state"]) for e in body["emails"]] == [
        (n, f"lead_nurture_email_{n}", f"2026-11-24T12:0{n - 1}:00Z", "planned") for n in range(1, 6)
    ]
    assert str(hooks(deps)[0].id) == body["hook_id"]


@pytest.mark.parametrize("path", PATHS)
def test_every_path_of_the_hook_leads_to_the_same_view(client, path):
    answer = post(client, {"email": "ana@resend.dev"}, path)
    assert (answer.status_code, answer.json["handler"]) == (202, "christmas-signup-handler")


@pytest.mark.parametrize("path", PATHS)
def test_no_path_is_open_without_proof(client, path, deps):
    answer = client.post(path, json={"email": "ana@resend.dev"})
    assert (answer.status_code, answer.content_type) == (401, "application/problem+json")
    assert hooks(deps) == []


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        f"Basic {HOOK_SECRET}",
        HOOK_SECRET,
        f"Bearer {HOOK_SECRET}x",
        "Bearer é",
    ],
)
def test_a_wrong_proof_is_refused(client, header):
    answer = client.post(SIGNUP, json={"email": "ana@resend.dev"}, headers={"Authorization": header})
    assert answer.status_code == 401
    assert answer.json["detail"] == "Send HOOK_SECRET as a bearer token: Authorization: Bearer <secret>."


def test_while_a_secret_is_rotated_both_are_good(sqlite):
    client = application(make_deps(sqlite, hook_secrets=("the-new-secret-16", "the-old-secret-16"))).test_client()
    for n, secret in enumerate(("the-new-secret-16", "the-old-secret-16")):
        headers = {"Authorization": f"bearer {secret}"}
        assert client.post(SIGNUP, json={"email": f"{n}@resend.dev"}, headers=headers).status_code == 202


@pytest.mark.parametrize(
    "assessed",
    [
        {"assessment_score": 0},
        {"red_systems": 0},
        {"green_systems": 8},
        {"assessment_score": "38.5"},
        {"orange_systems": "3"},
    ],
)
def test_a_score_or_a_count_makes_it_an_assessment(client, assessed):
    assert signup(client, **assessed).json["emails"][0]["template"] == "christmas_email_1"


@pytest.mark.parametrize("opted_in", [{}, {"assessment_score": None, "red_systems": None}, {"gps_score": 40}])
def test_without_one_it_is_an_opt_in(client, opted_in):
    assert signup(client, **opted_in).json["emails"][0]["template"] == "lead_nurture_email_1"


def test_a_repeated_call_is_a_duplicate_with_the_same_emails(client):
    first, again = signup(client), signup(client)
    assert (again.status_code, again.json["status"]) == (200, "duplicate")
    assert again.json["reason"] == "lead_nurture was already started for this contact"
    assert [e["id"] for e in again.json["emails"]] == [e["id"] for e in first.json["emails"]]


def test_an_address_is_one_person_however_it_is_written(client, deps):
    signup(client)
    assert signup(client, email=" ANA@Resend.DEV ").json["status"] == "duplicate"
    with deps.reads() as session:
        assert len(session.scalars(select(Contact)).all()) == 1


def test_an_opt_in_after_an_assessment_is_ignored_with_the_reason(client):
    signup(client, assessment_score=38)
    answer = signup(client)
    assert (answer.status_code, answer.json["status"], answer.json["enrolment_id"]) == (200, "ignored", None)
    assert (
        answer.json["reason"] == "lead_nurture does not start: the contact already took the assessment on 24 November"
    )


def test_an_assessment_ends_lead_nurture_and_says_so(client):
    signup(client)
    ended = signup(client, assessment_score=38).json["ended"]
    assert ended == [{"sequence": "lead_nurture", "reason": "took the assessment on 24 November"}]


def test_email_1_that_the_website_sent_is_skipped(client):
    emails = signup(client, assessment_score=38, email_1_sent_at="2026-11-24T11:59:30Z").json["emails"]
    assert (emails[0]["state"], emails[0]["reason"]) == ("skipped", "sent by the website")
    assert emails[1]["due_at"] == "2026-11-24T12:00:30Z"


def test_the_contact_keeps_names_consent_and_tracking(client, deps):
    signup(
        client,
        business_name="Salón  Ána",
        timezone="America/Toronto",
        utm_source="instagram",
        consent={"at": "2026-11-24T11:59:00+01:00", "text": "Yes, mail me", "source": "form", "ip": "203.0.113.9"},
    )
    with deps.reads() as session:
        ana = session.scalars(select(Contact)).one()
    assert (ana.first_name, ana.business_name, ana.timezone) == ("Ana", "Salón Ána", "America/Toronto")
    assert (ana.consent_text, ana.consent_source, ana.consent_ip) == ("Yes, mail me", "form", "203.0.113.9")
    assert ana.consent_at.isoformat() == "2026-11-24T10:59:00+00:00"
    assert ana.properties["utm_source"] == "instagram"


def test_unknown_fields_are_kept_in_the_record_and_ignored(client, deps):
    assert signup(client, favourite_colour="teal").status_code == 202
    assert hooks(deps)[0].payload["favourite_colour"] == "teal"


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
        ("first_name", "x" * 61),
        ("first_name", "Win at https://evil.example"),
        ("first_name", "www.evil.example"),
        ("first_name", "evil.com"),
        ("first_name", "Ana\x00"),
        ("first_name", "Ana\r\nBcc: x"),
        ("first_name", {"is": "a table"}),
        ("business_name", "x" * 121),
        ("business_name", "Salon //evil.example"),
        ("weakest_system_1", "http://evil.example"),
        ("timezone", "Mars/Olympus"),
        ("timezone", "../../etc/passwd"),
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
        ("utm_source", "x" * 256),
        ("consent", "yes"),
        ("consent", {"ip": "not an address"}),
        ("consent", {"at": "2026-11-24T11:59:00"}),
    ],
)
def test_a_field_that_cannot_be_used_is_named(client, field, value):
    assert list(errors_of(signup(client, **{field: value}))) == [field]


def test_faults_are_sentences_by_field_however_deep_they_are(client):
    consent = {"ip": "nowhere", "at": "2026-11-24T11:59:00"}
    errors = errors_of(signup(client, email=None, consent=consent, first_name="x" * 61))
    assert errors == {
        "email": ["Field may not be null."],
        "first_name": ["Longer than 60 characters."],
        "consent": ["at: Not a valid aware datetime.", "ip: Not a valid IP address."],
    }


@pytest.mark.parametrize(
    ("status", "state"),
    [("sent", "skipped"), ("Sent ", "skipped"), ("", "skipped"), (None, "skipped"), ("failed", "planned")],
)
def test_the_website_sent_email_1_unless_it_says_that_it_failed(client, status, state):
    told = {"assessment_score": 38, "email_1_sent_at": "2026-11-24T11:59:30Z", "email_1_status": status}
    assert signup(client, **told).json["emails"][0]["state"] == state


def test_more_systems_than_there_are_is_a_fault_of_systems(client):
    errors = errors_of(signup(client, red_systems=3, orange_systems=3, yellow_systems=3))
    assert errors == {"systems": ["There are 8 systems, and the four counts make 9."]}


def test_a_missing_address_is_named(client):
    assert list(errors_of(post(client, {"first_name": "Ana"}))) == ["email"]


@pytest.mark.parametrize(
    "name", ["Åsa", "李小龍", "O’Brien-Smith", "Нина", "محمد", "Zoë 💇", "J. R.", "Anne–Marie", "St. Vincent"]
)
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
        (b"email=ana@resend.dev", "application/x-www-form-urlencoded", 415),
        (b'{"email": "ana@resend.dev"}', "text/plain", 415),
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
