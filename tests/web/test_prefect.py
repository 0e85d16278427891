"""The old website's addresses: who may call, and a run's state that never says more than what happened."""

import pytest
from sqlalchemy import select

from funnel_app.ledger import emails
from funnel_app.ledger.models import Enrolment, EnrolmentState, HookEvent
from tests.apps import application
from tests.factories import LEGACY_KEY, make_deps
from tests.flows.leads import email_ids_of
from tests.web.callers import BEARER

SIGNUP = "1ae3a3b3-e076-49c5-9b08-9c176aa47aa0"
IDS = {
    SIGNUP: {},
    "3400e152-1cbe-4d8f-9f8a-0dd73569afa1": {"calendly_event_id": "E1", "scheduled_time": "2026-11-24T10:00:00Z"},
    "ed929cd9-34b3-4655-b128-1a1e08a59cbd": {"call_date": "2026-11-24T10:00:00Z"},
    "db47b919-1e55-4de2-b52c-6e2b0b2a2285": {"payment_status": "paid", "payment_date": "2026-11-24T10:00:00Z"},
    "5445a75a-ae20-4d65-8120-7237e68ae0d5": {"meeting_time": "2026-11-26T10:00:00Z"},
}
KEY = f"/k/{LEGACY_KEY}/api"


def create(client, deployment=SIGNUP, base=KEY, headers=None, **body):
    parameters = {"email": "ana@resend.dev", "first_name": "Ana", **IDS.get(deployment, {})}
    body = {"name": "from the website", "parameters": parameters, **body}
    return client.post(f"{base}/deployments/{deployment}/create_flow_run", json=body, headers=headers)


def state_of(client, run) -> str:
    return client.get(f"{KEY}/flow_runs/{run.json['id']}").json["state"]["type"]


@pytest.mark.parametrize("deployment", IDS)
def test_each_deployment_starts_its_sequence(client, deps, deployment):
    run = create(client, deployment)
    assert run.status_code == 201
    assert run.json["deployment_id"] == deployment and run.json["state"]["type"] == "SCHEDULED"
    with deps.reads() as session:
        assert session.scalars(select(Enrolment)).one().hook_event_id is not None


def test_bearer_opens_the_plain_address_and_the_key_only_its_own(client):
    assert create(client, base="/api", headers=BEARER).status_code == 201
    assert create(client, base="/api").status_code == 401
    assert create(client, base="/k/another-key-of-nobody/api").status_code == 401
    headers = {"Authorization": f"Bearer {LEGACY_KEY}"}
    assert client.post("/webhook/christmas/signup", json={"email": "a@resend.dev"}, headers=headers).status_code == 401


def test_without_a_key_the_door_is_not_there(sqlite):
    client = application(make_deps(sqlite, legacy_key=None)).test_client()
    assert create(client).status_code == 404
    assert client.get("/k/anything/api/health").status_code == 404


def test_while_the_key_is_rotated_both_open(sqlite):
    client = application(make_deps(sqlite, legacy_key="the-new-key-of-16,the-old-key-of-16")).test_client()
    answers = [client.get(f"/k/{key}/api/health").status_code for key in ("the-new-key-of-16", "the-old-key-of-16")]
    assert answers == [200, 200]
    assert client.get("/k/the-new-key-of-16,the-old-key-of-16/api/health").status_code == 401


def test_faults_of_parameters_are_told(client):
    answer = create(client, parameters={"email": "ana@resend.dev", "assessment_score": [1]})
    assert answer.json["detail"].endswith("Failure reason: assessment_score: Not a valid number.")


@pytest.mark.parametrize(
    ("path", "answer"),
    [("health", True), ("ready", {"message": "OK"}), ("admin/version", "3.8.8"), ("version", "0.8.4")],
)
def test_what_a_client_asks_first(client, path, answer):
    assert client.get(f"{KEY}/{path}").json == answer
    assert client.get(f"/api/{path}").status_code == 401


def test_there_is_no_csrf_token(client):
    assert client.get(f"{KEY}/csrf-token?client=x").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "flow_runs/no-uuid", "flow_runs/00000000-0000-4000-8000-000000000000", "flows/no-uuid",
        "flows/00000000-0000-4000-8000-000000000000", "deployments/no-uuid", "deployments/name/a/b",
        "deployments/00000000-0000-4000-8000-000000000000",
    ],
)  # fmt: skip
def test_what_is_not_there_is_404_with_a_detail(client, path):
    answer = client.get(f"{KEY}/{path}")
    assert answer.status_code == 404 and answer.json["detail"]


def test_parameters_that_cannot_be_used_are_refused_as_prefect_does_and_kept(client, deps):
    answer = create(client, parameters={"first_name": "Ana"})
    assert answer.status_code == 409
    assert answer.json["detail"].startswith("Error creating flow run: Validation failed. Failure reason: email: ")
    with deps.reads() as session:
        kept = session.scalars(select(HookEvent)).one()
    assert (kept.outcome, kept.hook, kept.payload) == ("refused", "signup", {"first_name": "Ana"})


@pytest.mark.parametrize("parameters", [[], "text", 7])
def test_parameters_that_are_no_table_are_refused(client, parameters):
    assert create(client, parameters=parameters).status_code == 409


def test_a_repeated_key_answers_with_the_run_that_it_made(client):
    first = create(client, idempotency_key="k1")
    again = create(client, idempotency_key="k1", parameters={"email": "bea@resend.dev"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json["id"] == first.json["id"]


def test_a_key_is_each_deployments_own(client):
    maybe = "ed929cd9-34b3-4655-b128-1a1e08a59cbd"
    first, other = create(client, idempotency_key="k1"), create(client, maybe, idempotency_key="k1")
    assert (other.status_code, other.json["deployment_id"]) == (201, maybe)
    assert other.json["id"] != first.json["id"]


def test_a_call_too_many_is_answered_and_kept_for_a_replay(client, deps):
    booking = "5445a75a-ae20-4d65-8120-7237e68ae0d5"

    def book(n):
        return create(client, booking, parameters={"email": "ana@resend.dev", **IDS[booking], "event_uri": f"e{n}"})

    assert [book(n).status_code for n in range(11)] == [201] * 10 + [429]
    with deps.reads() as session:
        kept = session.scalars(select(HookEvent).where(HookEvent.outcome == "refused")).one()
    assert (kept.source, kept.hook, kept.payload["event_uri"]) == ("prefect", "booking", "e10")


def test_a_run_is_completed_only_when_every_email_is_delivered_or_stopped(client, deps):
    run = create(client)
    assert state_of(client, run) == "SCHEDULED"
    ids = email_ids_of(deps)
    for n, (email_id, state) in enumerate(zip(ids, ["delivered", "bounced", "skipped", "failed", "sent"], strict=True)):
        with deps.sessions.begin() as session:
            email = emails.load(session, [email_id])[0]
            email.state, email.sending_at, email.reason = state, deps.now(), "why"
        assert state_of(client, run) == "RUNNING", f"after email {n + 1}"
    with deps.sessions.begin() as session:
        emails.load(session, ids[-1:])[0].state = "delivered"
    done = client.get(f"{KEY}/flow_runs/{run.json['id']}").json
    assert (done["state"]["type"], done["end_time"] is not None) == ("COMPLETED", True)
    assert "email 2 bounced: why" in done["state"]["message"]


def test_a_paused_sequence_is_a_paused_run(client, deps):
    run = create(client)
    with deps.sessions.begin() as session:
        session.scalars(select(Enrolment)).one().state = EnrolmentState.PAUSED
    assert state_of(client, run) == "PAUSED"


def test_a_run_that_starts_nothing_is_completed_and_says_why(client):
    create(client, parameters={"email": "ana@resend.dev", "assessment_score": 38})
    run = create(client)
    assert run.json["state"]["type"] == "COMPLETED"
    assert "already took the assessment" in run.json["state"]["message"]


def test_a_refused_call_is_a_failed_run(client, deps):
    create(client, parameters={})
    with deps.reads() as session:
        refused = session.scalars(select(HookEvent.id)).one()
    assert client.get(f"{KEY}/flow_runs/{refused}").json["state"]["type"] == "FAILED"


def test_what_no_deployment_is_named_for_or_cannot_be_read_is_kept_for_a_replay(client, deps):
    assert create(client, "00000000-0000-4000-8000-000000000000").status_code == 404
    assert client.post(f"{KEY}/deployments/{SIGNUP}/create_flow_run", data=b"{").status_code == 415
    assert client.post(f"{KEY}/deployments/{SIGNUP}/create_flow_run", json=[1, 2]).status_code == 400
    assert client.post(f"/k/wrong/api/deployments/{SIGNUP}/create_flow_run", json=[1]).status_code == 401
    with deps.reads() as session:
        kept = list(session.scalars(select(HookEvent).order_by(HookEvent.id)))
    assert [list(hook.errors) for hook in kept] == [["address"], ["body"], ["body"]]
    assert LEGACY_KEY not in str([hook.errors for hook in kept])
    fixes = {"address": "address=/webhook/christmas/signup", "body": 'body={"email": "ana@resend.dev"}'}
    runner = client.application.test_cli_runner()
    for hook in kept:
        (fault,) = hook.errors
        done = runner.invoke(args=["hooks", "replay", str(hook.id), "--set", fixes[fault]])
        assert done.exit_code == 0, done.output
