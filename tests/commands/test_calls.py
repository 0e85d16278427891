"""Commands around calls: listing and replaying hooks, enrolling by hand, Calendly's subscription, the audit."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
import responses
from sqlalchemy import select

from funnel_app.campaigns.registry import Registry
from funnel_app.flows.intake.received_calls import list_hooks
from funnel_app.flows.maintenance.sweep import sweep
from funnel_app.flows.templates.populate import populate
from funnel_app.gateways.errors import Unavailable
from funnel_app.gateways.http.calendly import EVENTS
from funnel_app.ledger.models import Contact, Email, HookEvent
from tests.apps import application
from tests.campaigns.test_parse import CHRISTMAS
from tests.factories import LEGACY_KEY, make_deps
from tests.web.calendars import calendly, calendly_event
from tests.web.callers import BEARER, post, signup


@pytest.fixture
def run(app, monkeypatch):
    """Run `flask …` over this test's collaborators."""
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: app.test_cli_runner().invoke(args=list(arguments))


def refused(deps) -> str:
    with deps.reads() as session:
        return str(session.scalars(select(HookEvent.id).where(HookEvent.outcome == "refused")).one())


class TestHooks:
    """Nothing that an authenticated caller sent is lost."""

    def test_the_list_shows_who_was_refused_and_why(self, run, client):
        signup(client)
        post(client, {"email": "bea@", "first_name": "Bea"})
        shown = run("hooks", "list").output
        assert "ana@resend.dev" in shown and "accepted" in shown
        assert "bea@" in shown and "Not an email address" in shown
        rows = json.loads(run("hooks", "list", "--outcome", "refused", "--json").stdout)
        assert [(row["email"], row["outcome"]) for row in rows] == [("bea@", "refused")]

    def test_one_call_is_shown_with_everything(self, run, client, deps):
        post(client, {"email": "bea@", "first_name": "Bea"})
        shown = json.loads(run("hooks", "show", refused(deps)).stdout)
        assert shown["payload"] == {"email": "bea@", "first_name": "Bea"} and list(shown["errors"]) == ["email"]
        assert "There is no call" in run("hooks", "show", str(uuid4())).output

    def test_a_fixed_call_brings_the_lead_back_as_late_as_it_is(self, run, client, deps):
        post(client, {"email": "bea@", "first_name": "Bea"})
        hook_id = refused(deps)
        deps.now.forward(minutes=2)
        done = run("hooks", "replay", hook_id, "--set", "email=bea@resend.dev")
        assert done.exit_code == 0 and done.stdout.endswith(f"{hook_id}  accepted: 5 emails\n")
        with deps.reads() as session:
            due = session.scalars(select(Email.due_at).order_by(Email.step)).all()
        assert due[0] == deps.now() - timedelta(minutes=2), "its emails count from when it first came"
        assert "replayed as" in run("hooks", "list").output

    def test_a_call_that_is_still_broken_is_refused_again(self, run, client, deps):
        post(client, {"email": "bea@", "first_name": "Bea"})
        done = run("hooks", "replay", refused(deps))
        assert done.exit_code == 1 and "Not an email address" in done.output

    def test_all_that_wait_are_replayed_once(self, run, client, deps):
        for n in range(3):
            post(client, {"email": f"lead{n}@resend.dev", "first_name": "see https://x.example"})
        assert run("hooks", "replay", "--all", "--set", "first_name=Lead").exit_code == 0
        with deps.reads() as session:
            assert len(session.scalars(select(Contact)).all()) == 3
        assert "Name the calls to replay" in run("hooks", "replay", "--all").output

    def test_a_calendars_call_is_replayed_without_its_signature(self, run, client, deps):
        body = calendly_event("invitee.created", email="nobody")
        calendly(client, body, at=deps.now().timestamp())
        payload = json.dumps({**body["payload"], "email": "ana@resend.dev"})
        assert run("hooks", "replay", refused(deps), "--set", f"payload={payload}").exit_code == 0

    def test_a_replay_goes_where_the_call_went_whatever_stands_in_its_path(self, run, client, deps):
        """A question mark in the path of a call would have made it another hook's, whose proof it never had."""
        for path in ("resend%3F", "resend%3Fx=%2F..%2F", "%2e%2e%3F", "resend%23", "resend%253F"):
            client.post(f"/webhook/{path}/signup", json={"email": "ana@resend.dev"}, headers=BEARER)
        for hook in [hook["id"] for hook in list_hooks(deps.reads, "refused", 30)]:
            done = run("hooks", "replay", hook)
            assert done.exit_code == 1 and " 404: " in done.output, done.output

    def test_what_a_terminal_would_obey_is_shown_and_not_done(self, run, client):
        evil = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e"
        post(client, {"email": f"bea{evil}@", "first_name": "Bea"})
        signup(client, consent={"text": evil, "source": evil}, favourite=evil)
        said = [("hooks", "list"), ("contacts", "export", "ana@resend.dev"), ("trace", "ana@resend.dev")]
        for arguments in (*said, ("enrol", "lead_nurture", f"bea{evil}@"), ("contacts", "release", f"bea{evil}@x.dev")):
            shown = run(*arguments).output
            assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", shown), arguments
        assert json.loads(run("contacts", "export", "ana@resend.dev").stdout)

    def test_what_was_taken_is_not_replayed(self, run, client):
        hook_id = signup(client).json["hook_id"]
        assert "only refused calls are replayed" in run("hooks", "replay", hook_id).output

    def test_nobody_outside_can_claim_to_be_a_replay(self, client):
        headers = {"funnel.replay_of": "2026-11-24T12:00:00Z", "Funnel-Replay-Of": "2026-11-24T12:00:00Z"}
        assert client.post("/webhook/christmas/signup", json={"email": "a@b.dev"}, headers=headers).status_code == 401

    @pytest.mark.parametrize("entrance", ["hook", "legacy", "prefect"])
    def test_a_replay_comes_by_the_entrance_of_the_first_call(self, deps, entrance):
        text = CHRISTMAS.replace(
            'email_1 = "payload"', f'email_1 = "payload"\nemail_1_by_entrance = {{ {entrance} = "website" }}'
        )
        app = application(replace(deps, registry=Registry.load({"christmas.toml": text})))
        lost = {"email": "bea@", "assessment_score": 38}
        paths = {"hook": "/webhook/christmas/signup", "legacy": "/webhook/assessment"}
        if entrance == "prefect":
            call = f"/k/{LEGACY_KEY}/api/deployments/1ae3a3b3-e076-49c5-9b08-9c176aa47aa0/create_flow_run"
            app.test_client().post(call, json={"name": "n", "parameters": lost})
        else:
            post(app.test_client(), lost, paths[entrance])
        done = app.test_cli_runner().invoke(args=["hooks", "replay", refused(deps), "--set", "email=bea@resend.dev"])
        assert done.exit_code == 0, done.output
        with deps.reads() as session:
            first = session.scalars(select(Email).where(Email.step == 1)).one()
        assert (first.state, first.reason) == ("skipped", "sent by the website")

    def test_all_are_replayed_in_the_order_in_which_they_came(self, run, client, deps):
        for n, name in enumerate(("Anna", "Annabel")):
            deps.now.forward(minutes=n)
            post(client, {"email": "ana@resend.dev", "first_name": name, "assessment_score": "high"})
        assert run("hooks", "replay", "--all", "--set", "assessment_score=null").exit_code == 0
        with deps.reads() as session:
            assert session.scalars(select(Contact.first_name)).one() == "Annabel"

    def test_a_lead_is_recovered_from_what_was_no_json(self, run, client, deps):
        raw = b'{"email": "ana@resend.dev", "first_name": "Ana'
        client.post("/webhook/christmas/signup", data=raw, headers=BEARER, content_type="application/json")
        assert "Ana" in run("hooks", "show", refused(deps)).output
        assert run("hooks", "replay", refused(deps), "--set", "email=ana@resend.dev").exit_code == 0

    def test_what_came_at_a_wrong_address_and_cannot_be_read_is_kept_too(self, run, client, deps):
        for raw, kind in ((b"[" * 60_000, "json"), (b"{", "json"), (b"a=1&" * 1001, "x-www-form-urlencoded")):
            answer = client.post("/webhook/x/sign-up", data=raw, headers=BEARER, content_type=f"application/{kind}")
            assert answer.status_code == 404 and "kept as refused" in answer.json["detail"]
        assert len(list_hooks(deps.reads, "refused", 30)) == 3

    def test_an_object_in_latin_1_that_came_at_a_wrong_address_needs_no_other_fix(self, run, client, deps):
        raw = '{"email": "ana@resend.dev", "first_name": "Ana", "business_name": "Salão"}'.encode("latin-1")
        assert client.post("/webhook/christmas/sign-up", data=raw, headers=BEARER).status_code == 404
        assert run("hooks", "replay", refused(deps), "--set", "address=/webhook/christmas/signup").exit_code == 0
        with deps.reads() as session:
            assert session.scalars(select(Contact.first_name)).one() == "Ana"

    def test_after_30_days_a_refused_call_is_forgotten(self, client, deps):
        post(client, {"email": "bea@"})
        deps.now.forward(days=29)
        assert sweep(deps).forgotten == 0
        deps.now.forward(days=2)
        assert sweep(deps).forgotten == 1


class TestEnrol:
    """A person at the keyboard starts a sequence."""

    def test_it_starts_as_its_hook_would(self, run, deps):
        done = run("enrol", "five_day", "ana@resend.dev", "--set", "first_name=Ana", "--set", "assessment_score=38")
        assert done.exit_code == 0 and done.stdout.startswith("accepted\n  1. christmas_email_1")
        with deps.reads() as session:
            ana = session.scalars(select(Contact)).one()
        assert (ana.first_name, ana.properties["assessment_score"]) == ("Ana", 38)
        again = run("enrol", "christmas/five_day", "ANA@resend.dev", "--json")
        assert (again.exit_code, json.loads(again.stdout)["status"]) == (1, "duplicate")

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (("six_day", "ana@resend.dev"), "There is no sequence six_day; there are christmas/lead_nurture"),
            (("five_day", "ana"), "ana is not an email address"),
            (("five_day", "ana@resend.dev", "--set", "first_name=Win at bit.ly"), "a name carries no link"),
            (("five_day", "ana@resend.dev", "--set", "colour=teal"), "colour cannot be set; these can: first_name"),
            (("five_day", "ana@resend.dev", "--set", "red_systems=two"), "red_systems=two: this is a number."),
            (
                ("five_day", "ana@resend.dev", "--set", "red_systems=inf"),
                "red_systems=inf: this is a number that ends.",
            ),
            (("five_day", "ana@resend.dev", "--set", f"red_systems={'9' * 400}"), "this is a number that ends."),
            (("precall_prep", "ana@resend.dev"), "precall_prep is about a call: --set call_time="),
            (("precall_prep", "ana@resend.dev", "--set", "call_time=2026-12-03T15:00"), "is about a call"),
        ],
    )
    def test_what_cannot_be_used_is_said(self, run, arguments, words):
        done = run("enrol", *arguments)
        assert done.exit_code == 1 and words in done.output

    def test_one_too_many_is_said_and_no_stack_is_shown(self, run):
        for day in range(1, 11):
            run("enrol", "precall_prep", "ana@resend.dev", "--set", f"call_time=2026-12-{day:02}T15:00:00Z")
        done = run("enrol", "precall_prep", "ana@resend.dev", "--set", "call_time=2026-12-11T15:00:00Z")
        assert done.exit_code == 1 and "Too many sequences were started for this address today" in done.output

    def test_a_call_gets_its_reminders(self, run):
        done = run("enrol", "precall_prep", "ana@resend.dev", "--set", "call_time=2026-12-03T15:00:00-05:00")
        assert "2026-12-03T19:54:00Z" in done.output


API = "http://calendly.test"


class TestCalendly:
    """A subscription that Calendly disabled is noticed and fixed."""

    @pytest.fixture
    def run(self, sqlite):
        deps = make_deps(sqlite, calendly_token="token", calendly_api_url=API)
        runner = application(deps).test_cli_runner()
        return lambda *arguments: runner.invoke(args=["calendly", *arguments])

    @pytest.fixture
    def api(self):
        with responses.RequestsMock() as mock:
            mock.get(f"{API}/users/me", json={"resource": {"current_organization": f"{API}/organizations/O"}})
            yield mock

    @staticmethod
    def row(state="active", events=EVENTS, url="https://funnel.example/webhook/christmas/calendly"):
        return {"uri": f"{API}/webhook_subscriptions/S1", "callback_url": url, "state": state, "events": list(events)}

    def listing(self, api, *rows):
        other = self.row(url="https://elsewhere.example")
        second = {"collection": list(rows), "pagination": {"next_page": None}}
        first = {"collection": [other], "pagination": {"next_page": f"{API}/webhook_subscriptions?page=2"}}
        api.get(f"{API}/webhook_subscriptions?page=2", json=second)
        api.get(f"{API}/webhook_subscriptions", json=first, match=[responses.matchers.query_param_matcher(
            {"organization": f"{API}/organizations/O", "scope": "organization"})])  # fmt: skip

    @pytest.mark.parametrize(
        ("rows", "code", "words"),
        [
            ([{}], 0, "Calendly calls https://funnel.example/webhook/christmas/calendly with every event"),
            ([], 1, "Calendly does not call https://funnel.example/webhook/christmas/calendly"),
            ([{"state": "disabled"}], 1, "is disabled: Calendly gave up after 24 hours of failures"),
            ([{"events": EVENTS[:2]}], 1, "invitee_no_show.deleted; run flask calendly subscribe --campaign christmas"),
        ],
    )
    def test_check(self, run, api, rows, code, words):
        self.listing(api, *(self.row(**row) for row in rows))
        done = run("check")
        assert done.exit_code == code and words in done.output

    def test_with_several_campaigns_one_must_be_named(self, sqlite):
        deps = make_deps(sqlite, calendly_token="token", calendly_api_url=API)
        campaign = deps.registry.campaign("christmas")
        both = replace(deps.registry, campaigns={"christmas": campaign, "easter": replace(campaign, name="easter")})
        done = application(replace(deps, registry=both)).test_cli_runner().invoke(args=["calendly", "check"])
        assert done.exit_code == 1 and "Say which with --campaign: christmas, easter." in done.output

    @pytest.mark.parametrize(
        ("rows", "said"),
        [([{}], "already subscribed"), ([], "subscribed"), ([{"state": "disabled"}], "subscribed again")],
    )
    def test_subscribe(self, run, api, rows, said):
        self.listing(api, *(self.row(**row) for row in rows))
        if "again" in said:
            api.delete(f"{API}/webhook_subscriptions/S1", status=204)
        if said != "already subscribed":
            api.post(f"{API}/webhook_subscriptions", json={"resource": self.row()}, status=201)
        assert run("subscribe").output.strip() == said
        if said != "already subscribed":
            sent = json.loads(api.calls[-1].request.body)
            assert sent["signing_key"] and sent["events"] == list(EVENTS) and sent["scope"] == "organization"

    @pytest.mark.parametrize(
        ("answer", "words"),
        [
            (
                {"status": 401, "json": {"title": "Unauthenticated", "message": "The access token is invalid"}},
                "is invalid",
            ),
            ({"status": 503, "body": "<html>"}, "calendly: 503"),
            ({"status": 429, "json": []}, "calendly: 429"),
            ({"body": responses.ConnectionError("no route")}, "cannot be reached: ConnectionError"),
        ],
    )
    def test_what_calendly_says_is_told(self, run, answer, words):
        with responses.RequestsMock() as mock:
            mock.get(f"{API}/users/me", **answer)
            done = run("check")
        assert done.exit_code == 1 and words in done.output

    def test_what_is_not_set_is_named(self, sqlite):
        runner = application(make_deps(sqlite)).test_cli_runner()
        assert "CALENDLY_TOKEN is not set" in runner.invoke(args=["calendly", "check"]).output
        keyless = make_deps(sqlite, calendly_token="token", calendly_signing_keys=(), calendly_api_url=API)
        runner = application(keyless).test_cli_runner()
        assert "CALENDLY_SIGNING_KEY is not set" in runner.invoke(args=["calendly", "subscribe"]).output
        assert "There is no campaign 'x'" in runner.invoke(args=["calendly", "check", "--campaign", "x"]).output


class TestVerify:
    """Files, code, documents and Notion agree."""

    def test_everything_agrees(self, run, deps):
        populate(deps)
        done = run("campaigns", "verify", "--no-simulate", "--json")
        told = json.loads(done.stdout)
        assert (done.exit_code, told["ok"]) == (0, True), [c for c in told["checks"] if c["status"] != "ok"]
        assert {check["status"] for check in told["checks"]} == {"ok"}
        assert "6 sequences, 22 steps" in run("campaigns", "verify", "--no-simulate").output

    def test_a_missing_and_a_doubled_template_are_faults(self, run, deps):
        populate(deps)
        del deps.notebook.pages["christmas_email_1"]
        deps.notebook.write("christmas_email_2 copy")
        done = run("campaigns", "verify", "--no-simulate", "--json")
        faults = [check["detail"] for check in json.loads(done.stdout)["checks"] if check["status"] == "fault"]
        assert done.exit_code == 1 and len(faults) == 2
        assert faults[0].startswith("no page in the templates database is named christmas_email_1 (Make a page")
        assert faults[1].startswith("2 pages answer to christmas_email_2")

    def test_without_notion_the_rest_is_compared(self, run, deps):
        deps.notebook.fault = Unavailable("notion", "away")
        done = run("campaigns", "verify", "--no-simulate")
        assert done.exit_code == 0 and "cannot be asked: notion: away" in done.output

    def test_a_document_that_says_something_else_is_a_fault(self, run, deps, monkeypatch, tmp_path):
        deps.notebook.fault = Unavailable("notion", "away")
        (tmp_path / "ARCHITECTURE.md").write_text("nothing")
        monkeypatch.setattr("funnel_app.flows.monitoring.verify.ARCHITECTURE", tmp_path / "ARCHITECTURE.md")
        assert "run make docs" in run("campaigns", "verify", "--no-simulate").output
        (tmp_path / "ARCHITECTURE.md").unlink()
        assert run("campaigns", "verify", "--no-simulate").exit_code == 0
