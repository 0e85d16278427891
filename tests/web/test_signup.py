"""The signup hook: exact answers, every rule of its payload, and nothing of an authenticated call lost."""

import pytest
from sqlalchemy import select

from funnel_app.ledger.models import Contact, HookEvent
from tests.apps import application
from tests.factories import HOOK_SECRET, make_deps
from tests.web.callers import SIGNUP, post, signup

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
    assert again.json["reason"] == "“Nurture for new opt-ins” was already started for this contact"
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
        answer.json["reason"]
        == "“Nurture for new opt-ins” does not start: the contact already took the assessment on 24 November"
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
