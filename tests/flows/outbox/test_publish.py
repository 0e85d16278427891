"""Outbox: what happens to a lead is told to every receiver, in its order, until each has taken it."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from funnel_app.campaigns.canary import CANARY
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.maintenance.sweep import complete
from funnel_app.flows.outbox.history import (
    forget_published,
    list_events,
    publish_again,
    publish_given_up,
    publish_since,
)
from funnel_app.flows.outbox.publish import publish_events
from funnel_app.flows.outbox.receiver_status import away, find_receivers
from funnel_app.flows.privacy.erase import erase
from funnel_app.flows.privacy.export import export
from funnel_app.flows.privacy.suppress import release, suppress
from funnel_app.flows.privacy.unsubscribe import undo, unsubscribe
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.sending.record_event import record_event
from funnel_app.gateways.errors import Rejected, Unavailable
from funnel_app.ledger import outgoing_events
from funnel_app.ledger.models import Contact, Scope
from funnel_app.ledger.models.outbox import OutgoingEvent
from funnel_app.rules.emails.reports import Report
from tests.factories import make_deps
from tests.flows.leads import assess, call, email_ids, opt_in, write_templates

ZAP, N8N = "https://hooks.zapier.example/hooks/catch/1/secret", "https://n8n.example/webhook/funnel"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def listening(engine, *urls, **more):
    return make_deps(engine, events_webhook_urls=urls or (ZAP,), events_webhook_secrets=(SECRET,), **more)


@pytest.fixture
def told(engine):
    deps = listening(engine)
    write_templates(deps)
    return deps


def types(deps, url=ZAP):
    return [event["type"] for to, event, _ in deps.receivers.taken if to == url]


def tell_all(deps):
    """Tell until nothing may be told any more; return what kinds were taken meanwhile."""
    before = len(deps.receivers.taken)
    while publish_events(deps):
        pass
    return [event["type"] for _, event, _ in deps.receivers.taken[before:]]


def report(deps, email_id, kind):
    values = {"at": deps.now(), "resend_id": None, "detail": "no such user", "email_id": email_id}
    record_event(deps, Report(provider_event_id=f"msg_{email_id}_{kind}", kind=kind, **values))


def token_of(deps):
    with deps.reads() as session:
        return session.scalars(select(Contact.unsubscribe_token)).one()


def test_a_lead_that_comes_in_is_told_with_who_it_is(told):
    receipt = opt_in(told)
    assert tell_all(told) == ["lead.enrolled"]
    url, event, headers = told.receivers.taken[0]
    assert (url, headers["webhook-id"]) == (ZAP, list_events(told, None, 1)[0]["event_id"])
    assert event["timestamp"] == "2026-11-24T12:00:00Z"
    assert event["data"]["lead"]["email"] == "ana@resend.dev"
    assert event["data"] | {"lead": None} == {
        "lead": None,
        "enrolment_id": str(receipt.enrolment_id),
        "campaign": "christmas",
        "sequence": "lead_nurture",
        "sequence_title": told.registry.title_of_sequence("christmas", "lead_nurture"),
        "mode": "test",
    }
    assert tell_all(told) == []


def test_a_second_call_that_starts_nothing_tells_nothing(told):
    opt_in(told)
    opt_in(told)
    assert tell_all(told) == ["lead.enrolled"]


def test_a_delivery_is_told_once_however_often_it_is_reported(told):
    first = email_ids(opt_in(told))[0]
    deliver(told, [first])
    for _ in range(2):
        report(told, first, "email.delivered")
    assert tell_all(told) == ["lead.enrolled", "email.delivered"]
    data = told.receivers.taken[-1][1]["data"]
    assert (data["email_id"], data["step"], data["template"]) == (str(first), 1, "lead_nurture_email_1")
    assert data["email_title"] == told.registry.title_of_email("lead_nurture_email_1")


@pytest.mark.parametrize(("kind", "reason"), [("email.bounced", "no such user"), ("email.complained", "")])
def test_a_bounce_or_complaint_is_told_with_its_reason_and_ends_the_sequence(told, kind, reason):
    first = email_ids(opt_in(told))[0]
    deliver(told, [first])
    report(told, first, kind)
    assert tell_all(told) == ["lead.enrolled", kind, "sequence.ended"]
    bad, ended = (event["data"] for _, event, _ in told.receivers.taken[-2:])
    assert reason in bad["reason"]
    assert (ended["how"], ended["event"]) == ("exited", None)


def test_a_sequence_that_an_event_ends_says_which_one(told):
    opt_in(told)
    assess(told)
    tell_all(told)
    assert Counter(types(told)) == {"lead.enrolled": 2, "sequence.ended": 1}
    ended = next(event["data"] for _, event, _ in told.receivers.taken if event["type"] == "sequence.ended")
    assert (ended["sequence"], ended["how"], ended["event"]) == ("lead_nurture", "exited", "assessment")


def test_a_sequence_that_came_to_its_end_is_completed(told):
    for email_id in email_ids(opt_in(told)):
        told.now.forward(hours=1)
        deliver(told, [email_id])
        report(told, email_id, "email.delivered")
    complete(told)
    assert tell_all(told) == ["lead.enrolled", *["email.delivered"] * 5, "sequence.ended"]
    ended = told.receivers.taken[-1][1]["data"]
    assert (ended["how"], "reason" in ended) == ("completed", False)


def test_who_unsubscribes_and_who_takes_it_back_is_told(told):
    opt_in(told)
    unsubscribe(told, token_of(told))
    unsubscribe(told, token_of(told))
    undo(told, token_of(told))
    assert tell_all(told) == ["lead.enrolled", "lead.unsubscribed", "sequence.ended", "lead.resubscribed"]
    gone = told.receivers.taken[1][1]["data"]
    assert (gone["scope"], gone["by"]) == ("marketing", "lead")


def test_who_an_operator_suppresses_and_releases_is_told(told):
    opt_in(told)
    suppress(told, "ana@resend.dev", Scope.ALL)
    release(told, "ana@resend.dev")
    assert tell_all(told) == ["lead.enrolled", "lead.unsubscribed", "sequence.ended", "lead.resubscribed"]
    assert told.receivers.taken[1][1]["data"]["by"] == "operator"


def test_of_an_erased_lead_nothing_is_told_but_that_it_is_to_be_forgotten(told):
    opt_in(told)
    erase(told, "ana@resend.dev")
    assert tell_all(told) == ["lead.erased"]
    assert set(told.receivers.taken[0][1]["data"]["lead"]) == {"id"}


@pytest.mark.both_databases
def test_an_export_says_who_was_told_what(told):
    opt_in(told)
    tell_all(told)
    (found,) = export(told, "ana@resend.dev")["told_to_others"]
    assert (found["type"], found["to"], found["state"]) == ("lead.enrolled", "hooks.zapier.example", "taken")


def test_the_canary_is_no_lead(told):
    enrol(told, replace(call(), campaign=CANARY))
    assert tell_all(told) == []


def test_nothing_is_kept_where_nobody_listens(deps):
    opt_in(deps)
    assert list_events(deps, None, 10) == []
    assert publish_events(deps) == 0


def test_each_receiver_has_its_own_and_one_that_is_away_keeps_no_other_back(engine):
    deps = listening(engine, ZAP, N8N)
    deps.receivers.fault = lambda url, event: Unavailable("n8n.example", "answered 503") if url == N8N else None
    opt_in(deps)
    tell_all(deps)
    assert (types(deps, ZAP), types(deps, N8N)) == (["lead.enrolled"], [])
    zap, n8n = find_receivers(deps)
    assert (zap.waiting, zap.failing_since, n8n.waiting, n8n.error) == (0, None, 1, "answered 503")
    deps.receivers.fault = lambda url, event: None
    assert tell_all(deps) == [], "it rests first"
    deps.now.forward(seconds=5)
    tell_all(deps)
    same = {headers["webhook-id"] for _, _, headers in deps.receivers.taken}
    assert (types(deps, N8N), len(same)) == (["lead.enrolled"], 1)
    assert find_receivers(deps)[1].failing_since is None


def test_a_dead_receiver_is_asked_ever_more_seldom_and_once_each_time(told):
    asked = []
    told.receivers.fault = lambda url, event: asked.append(told.now()) or Unavailable("zap", "cannot be reached")
    for number in range(12):
        opt_in(told, f"lead{number}@resend.dev")
    publish_events(told)
    assert len(asked) <= 8, "those in the air when it was found dead"
    del asked[:]
    for _ in range(12 * 12):
        told.now.forward(minutes=5)
        publish_events(told)
    assert 24 <= len(asked) <= 36
    told.receivers.fault = lambda url, event: None
    told.now.forward(minutes=30)
    assert len(tell_all(told)) == 12


def test_an_event_that_is_refused_keeps_its_lead_back_and_nobody_else(told):
    told.receivers.fault = lambda url, event: (
        Rejected("zap", "answered 422", "422") if event["data"]["lead"]["email"] == "ana@resend.dev" else None
    )
    opt_in(told)
    unsubscribe(told, token_of(told))
    opt_in(told, "bea@resend.dev")
    tell_all(told)
    told.now.forward(seconds=5)
    tell_all(told)
    assert [event["data"]["lead"]["email"] for _, event, _ in told.receivers.taken] == ["bea@resend.dev"]
    told.receivers.fault = lambda url, event: None
    told.now.forward(hours=6)
    assert tell_all(told) == ["lead.enrolled", "lead.unsubscribed", "sequence.ended"]


@pytest.mark.both_databases
def test_what_nobody_takes_in_three_days_is_given_up_and_can_be_told_again(told):
    opt_in(told)
    told.receivers.fault = lambda url, event: Unavailable("zap", "answered 500")
    for _ in range(13):
        told.now.forward(hours=6)
        publish_events(told)
    assert [(row["state"], row["error"]) for row in list_events(told, None, 9)] == [("given_up", "answered 500")]
    told.receivers.fault = lambda url, event: None
    assert tell_all(told) == []
    assert publish_given_up(told) == 1
    assert tell_all(told) == ["lead.enrolled"]


@pytest.mark.both_databases
def test_told_again_has_the_same_id(told):
    opt_in(told)
    tell_all(told)
    (row,) = list_events(told, "taken", 9)
    assert publish_again(told, [UUID(row["id"])]) == 1
    told.now.forward(minutes=1)
    assert tell_all(told) == ["lead.enrolled"]
    assert publish_since(told, told.now() - timedelta(hours=1)) == 1
    tell_all(told)
    assert len({headers["webhook-id"] for _, _, headers in told.receivers.taken}) == 1


@pytest.mark.both_databases
def test_what_waits_for_a_receiver_that_is_set_no_more_is_shown_and_given_up(engine):
    before = listening(engine)
    opt_in(before)
    after = listening(engine, N8N)
    assert [(each.host, each.waiting) for each in find_receivers(after)] == [
        ("n8n.example", 0),
        ("a receiver that is set no more", 1),
    ]
    after.now.forward(days=3, seconds=1)
    forget_published(after)
    assert [row["state"] for row in list_events(after, None, 9)] == ["given_up"]
    after.now.forward(days=31)
    forget_published(after)
    assert list_events(after, None, 9) == []


@pytest.mark.both_databases
def test_two_processes_that_tell_at_once_tell_each_thing_once(told):
    for number in range(30):
        opt_in(told, f"lead{number}@resend.dev")
    with ThreadPoolExecutor(3) as processes:
        list(processes.map(lambda _: tell_all(told), range(3)))
    with told.reads() as session:
        states = Counter(session.scalars(select(OutgoingEvent.state)))
    assert states == {"taken": 30}
    assert len(told.receivers.taken) == 30


@pytest.mark.both_databases
def test_a_receiver_that_is_slow_after_a_long_wait_for_the_ledger_is_told_once(told, monkeypatch):
    opt_in(told)
    any_free = outgoing_events.any_free

    def any_free_and_a_wait(*given):
        found = any_free(*given)
        told.now.forward(seconds=20)
        return found

    def tell_beside(*_):
        monkeypatch.setattr(outgoing_events, "any_free", any_free)
        told.now.forward(seconds=15)
        assert publish_events(told) == 0

    monkeypatch.setattr(outgoing_events, "any_free", any_free_and_a_wait)
    told.receivers.fault = tell_beside
    assert publish_events(told) == 1


def test_a_process_that_dies_between_the_answer_and_its_note_tells_it_once_more_under_the_same_id(told):
    opt_in(told)
    unsubscribe(told, token_of(told))
    told.receivers.dies_after = 1
    with pytest.raises(SystemExit):
        publish_events(told)
    assert tell_all(told) == [], "the dead one's lease holds"
    told.now.forward(seconds=30)
    assert tell_all(told) == ["lead.enrolled", "lead.unsubscribed", "sequence.ended"]
    first, again = (headers["webhook-id"] for _, _, headers in told.receivers.taken[:2])
    assert first == again


@pytest.mark.both_databases
def test_what_was_put_off_while_the_clock_was_a_year_ahead_goes_when_it_is_right_again(told):
    told.receivers.fault = lambda url, event: Rejected("zap", "answered 422", "422")
    told.now.forward(days=365)
    opt_in(told)
    publish_events(told)
    told.receivers.fault = lambda url, event: None
    told.now.forward(days=-365)
    assert tell_all(told) == ["lead.enrolled"]


def test_two_receivers_at_one_host_are_told_apart_and_each_is_told_of(engine):
    deps = listening(engine, ZAP, N8N, ZAP + "2")
    opt_in(deps)
    said = {ZAP: "answered 410", f"{ZAP}2": "answered 503"}
    deps.receivers.fault = lambda url, event: Unavailable("hooks.zapier.example", said[url]) if url in said else None
    publish_events(deps)
    assert [each.host for each in find_receivers(deps)] == [
        "hooks.zapier.example, address 1 of EVENTS_WEBHOOK_URL",
        "n8n.example",
        "hooks.zapier.example, address 3 of EVENTS_WEBHOOK_URL",
    ]
    assert [words.partition(";")[0] for words in away(deps).values()] == ["answered 410", "answered 503"]
