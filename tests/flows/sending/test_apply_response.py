"""Settle: each answer of Resend has one consequence, and none of them sends an email twice or loses it."""

from datetime import timedelta
from uuid import uuid4

import pytest

from funnel_app.flows.maintenance.sweep import sweep
from funnel_app.flows.sending.apply_response import apply_response
from funnel_app.flows.sending.deliver import Outcome, deliver
from funnel_app.flows.sending.submit import repeat
from funnel_app.gateways.errors import Unavailable
from funnel_app.gateways.resend.answers import Answer, AnswerKind
from funnel_app.ledger import contacts
from funnel_app.ledger.models import Email
from tests.flows.leads import WorkerDied, die, email_ids, look, opt_in, request_of

LOST = Answer(AnswerKind.UNKNOWN, detail="the answer did not come in 7 s")
RATE = Answer(AnswerKind.RATE_LIMITED, detail="429 rate_limit_exceeded", retry_after=3.0)
QUOTA = Answer(AnswerKind.QUOTA, detail="429 daily_quota_exceeded", retry_after=7200.0)
BAD_KEY = Answer(AnswerKind.PAUSED, detail="401 missing_api_key")
BUSY = Answer(AnswerKind.CONCURRENT, detail="409 concurrent_idempotent_requests")
OTHER = Answer(AnswerKind.CONFLICT, detail="409 invalid_idempotent_request")
REFUSED = Answer(AnswerKind.INVALID, detail="422 validation_error: the address is not one")
NO_CONNECTION = Answer(AnswerKind.UNREACHABLE, detail="connection refused")


def first_email(deps, address="ana@resend.dev"):
    return email_ids(opt_in(deps, address))[0]


def pass_time(deps, seconds):
    """Let time go by, and do what the sweep and a free worker do then."""
    deps.now.forward(seconds=seconds)
    deps.queues.queued.clear()
    sweep(deps)
    for name in deps.queues.queued:
        if name.startswith("request-"):
            repeat(deps, _id(name))
    deps.queues.queued.clear()


def _id(name):
    return type(uuid4())(name.removeprefix("request-"))


def keys(deps):
    return {key for key, _ in deps.mailer.calls}


@pytest.mark.parametrize("refusal", [RATE, BAD_KEY, BUSY, OTHER, REFUSED, QUOTA, NO_CONNECTION])
def test_a_lost_answer_followed_by_any_refusal_sends_once(ready, refusal):
    ready.mailer.script = [("lost", LOST), refusal]
    first = first_email(ready)
    deliver(ready, [first])
    assert look(ready, first).state == "sending"
    for _ in range(4):
        pass_time(ready, 3 * 3600 if refusal is QUOTA else 60)
    assert ready.mailer.sent_to() == ["ana@resend.dev"]
    assert len(keys(ready)) == 1, "the key never changes once an outcome was unknown"
    payloads = [payloads for _, payloads in ready.mailer.calls]
    assert payloads == payloads[:1] * len(payloads), "nor does the payload"
    expected = "ambiguous" if refusal in (OTHER, REFUSED, QUOTA) else "sent"
    assert look(ready, first).state == expected


@pytest.mark.parametrize("answer", [RATE, BAD_KEY, NO_CONNECTION, QUOTA])
def test_a_refusal_that_passes_is_followed_by_the_same_request(ready, answer):
    ready.mailer.script = [answer]
    first = first_email(ready)
    deliver(ready, [first])
    waiting = request_of(ready, first)
    assert (waiting.state, waiting.unknown_since, waiting.last_error) == ("open", None, answer.detail)
    assert ready.pause.current() is not None
    pass_time(ready, (answer.retry_after or 60) + 1)
    assert (look(ready, first).state, keys(ready)) == ("sent", {f"email-{first}-1"})
    assert ready.pause.current() is None, "what was sent proves that sending works"


def test_a_first_try_that_still_runs_proves_that_resend_is_there(ready):
    ready.mailer.script = [LOST, BUSY]
    deliver(ready, [first_email(ready)])
    assert ready.pause.current().kind == "outage"
    pass_time(ready, 5)
    assert ready.pause.current() is None


def test_a_rate_limit_waits_as_long_as_it_says(ready):
    ready.mailer.script = [RATE]
    first = first_email(ready)
    deliver(ready, [first])
    assert request_of(ready, first).next_attempt_at == ready.now() + timedelta(seconds=3)
    pass_time(ready, 2)
    assert len(ready.mailer.calls) == 1


def test_a_fault_of_the_account_pauses_all_sending_and_fails_nothing(ready):
    ready.mailer.script = [BAD_KEY]
    first, second = first_email(ready), first_email(ready, "bea@resend.dev")
    deliver(ready, [first])
    assert ready.pause.current().kind == "config"
    assert deliver(ready, [second]) is Outcome.PAUSED
    assert (look(ready, first).state, look(ready, second).state) == ("sending", "planned")


def test_a_refusal_for_good_fails_the_email_in_resends_words(ready):
    ready.mailer.script = [REFUSED]
    first = first_email(ready)
    deliver(ready, [first])
    failed = look(ready, first)
    assert failed.state == "failed"
    assert failed.reason == "Resend refused it: the address is not one"
    assert request_of(ready, first).state == "refused"
    pass_time(ready, 60)
    assert len(ready.mailer.calls) == 1


def test_a_conflict_is_left_to_a_person(ready):
    ready.mailer.script = [OTHER]
    first = first_email(ready)
    deliver(ready, [first])
    assert look(ready, first).state == "ambiguous"
    pass_time(ready, 3600)
    assert len(ready.mailer.calls) == 1, "the sweep never repeats what is ambiguous"


@pytest.mark.both_databases
def test_an_outcome_unknown_for_an_hour_becomes_ambiguous(ready):
    ready.mailer.script = [LOST] * 100
    first = first_email(ready)
    deliver(ready, [first])
    pass_time(ready, 30 * 60)
    assert look(ready, first).state == "sending"
    pass_time(ready, 31 * 60)
    doubtful = look(ready, first)
    assert (doubtful.state, doubtful.reason) == ("ambiguous", "may have gone out: Resend's answer did not come")
    assert request_of(ready, first).next_attempt_at is None


def test_a_key_that_resend_may_have_forgotten_is_not_used_again_in_doubt(ready):
    # From a minute past midnight, since a letter that waited into another day is made again.
    ready.now.forward(hours=17, minutes=1)
    ready.mailer.script = [QUOTA, LOST]
    first = first_email(ready)
    deliver(ready, [first])
    pass_time(ready, 22.9 * 3600)
    assert (look(ready, first).state, len(ready.mailer.calls)) == ("sending", 2)
    pass_time(ready, 600)
    assert (look(ready, first).state, len(ready.mailer.calls)) == ("ambiguous", 2)


def test_a_worker_that_died_between_the_freeze_and_its_call_leaves_it_to_another(ready, monkeypatch):
    first = first_email(ready)
    monkeypatch.setattr("funnel_app.flows.sending.deliver.submit", die)
    with pytest.raises(WorkerDied):
        deliver(ready, [first])
    pass_time(ready, 14)
    assert ready.mailer.calls == [], "its lease still holds"
    pass_time(ready, 2)
    assert request_of(ready, first).unknown_since is not None, "nobody can know whether it was made"
    assert (look(ready, first).state, len(ready.mailer.calls)) == ("sent", 1)


def test_a_worker_that_died_in_its_call_leaves_an_unknown_outcome(ready, monkeypatch):
    first = first_email(ready)
    monkeypatch.setattr("funnel_app.flows.sending.deliver.apply_response", lambda *_: None)
    deliver(ready, [first])
    monkeypatch.undo()
    pass_time(ready, 16)
    assert request_of(ready, first).unknown_since is not None
    assert (look(ready, first).state, len(ready.mailer.sent())) == ("sent", 1)


def test_a_worker_that_lost_its_lease_while_waiting_for_the_rate_makes_no_call(ready):
    first = first_email(ready)
    ready.rate.waits = [10.0, 10.0]
    steal = ready.sleep

    def lose_the_lease(seconds):
        steal(seconds)
        with ready.sessions.begin() as session:
            session.get(Email, first).lease_token = uuid4()

    object.__setattr__(ready, "sleep", lose_the_lease)
    deliver(ready, [first])
    assert ready.mailer.calls == []
    assert look(ready, first).state == "sending"


@pytest.mark.both_databases
def test_a_lease_lost_after_the_wait_makes_no_call_either(ready, monkeypatch):
    first = first_email(ready)

    def lose_the_lease(caller):
        with ready.sessions.begin() as session:
            session.get(Email, first).lease_token = uuid4()
        return 0.0

    monkeypatch.setattr(ready.rate, "wait", lose_the_lease)
    deliver(ready, [first])
    assert ready.mailer.calls == []


def test_waiting_for_the_rate_renews_the_lease(ready):
    ready.rate.waits = [5.0] * 8
    first = first_email(ready)
    begun = ready.now()
    deliver(ready, [first])
    assert ready.now() - begun == timedelta(seconds=40)
    assert look(ready, first).state == "sent"


def test_a_call_that_somebody_holds_is_not_repeated(ready, monkeypatch):
    first = first_email(ready)
    monkeypatch.setattr("funnel_app.flows.sending.deliver.submit", die)
    with pytest.raises(WorkerDied):
        deliver(ready, [first])
    repeat(ready, request_of(ready, first).id)
    assert ready.mailer.calls == []


@pytest.mark.both_databases
@pytest.mark.parametrize("before", [None, RATE])
def test_a_call_is_its_worker_s_alone_however_long_that_waited_for_the_ledger(ready, monkeypatch, before):
    first, lock = first_email(ready), contacts.lock_of_emails
    if before is not None:
        ready.mailer.script = [before]
        deliver(ready, [first])
        ready.now.forward(seconds=5)
    calls = len(ready.mailer.calls)

    def lock_after_a_while(session, ids):
        ready.now.forward(seconds=20)
        lock(session, ids)

    def while_it_is_in_the_air():
        monkeypatch.setattr(contacts, "lock_of_emails", lock)
        repeat(ready, look(ready, first).request_id)

    ready.mailer.script = [while_it_is_in_the_air]
    monkeypatch.setattr(contacts, "lock_of_emails", lock_after_a_while)
    deliver(ready, [first]) if before is None else repeat(ready, look(ready, first).request_id)
    assert look(ready, first).state == "sent" and len(ready.mailer.calls) == calls + 1


def test_nothing_is_repeated_while_sending_is_paused(ready):
    ready.mailer.script = [RATE]
    first = first_email(ready)
    deliver(ready, [first])
    ready.now.forward(seconds=4)
    ready.pause.pause("the key is wrong", 600, "config")
    repeat(ready, request_of(ready, first).id)
    assert len(ready.mailer.calls) == 1


def test_an_answer_that_is_recorded_stays(ready):
    first = first_email(ready)
    deliver(ready, [first])
    apply_response(ready, request_of(ready, first).id, REFUSED)
    assert look(ready, first).state == "sent"


def test_an_answer_is_recorded_though_redis_went_away_during_the_call(ready, monkeypatch):
    first = first_email(ready)

    def away():
        raise Unavailable("redis", "connection refused")

    monkeypatch.setattr(ready.pause, "clear", away)
    with pytest.raises(Unavailable):
        deliver(ready, [first])
    assert (look(ready, first).state, len(ready.mailer.calls)) == ("sent", 1)


def test_a_turn_to_call_is_given_back_whatever_becomes_of_the_call(ready, monkeypatch):
    first = first_email(ready)
    deliver(ready, [first])
    with monkeypatch.context() as broken, pytest.raises(WorkerDied):
        broken.setattr("funnel_app.flows.sending.deliver.freeze", die)
        deliver(ready, [first_email(ready, "cem@resend.dev")])
    ready.mailer.script = [RATE]
    deliver(ready, [first_email(ready, "bea@resend.dev")])
    repeat(ready, request_of(ready, first).id)
    assert ready.rate.in_turn == set()


def test_the_rate_that_resend_names_is_learnt(ready):
    ready.mailer.script = [Answer(AnswerKind.RATE_LIMITED, detail="429", retry_after=1.0, rate=5.0)]
    deliver(ready, [first_email(ready)])
    assert ready.rate.learned == [5.0]


def batch_of_three(deps):
    return [first_email(deps, f"lead{n}@resend.dev") for n in range(3)]


@pytest.mark.both_databases
def test_a_batch_refused_as_a_whole_is_split_into_single_requests(ready):
    ready.mailer.script = [REFUSED]
    batch = batch_of_three(ready)
    deliver(ready, batch)
    assert {look(ready, email_id).state for email_id in batch} == {"planned"}
    for email_id in batch:
        deliver(ready, [email_id])
    assert {key for key, _ in ready.mailer.calls[1:]} == {f"email-{email_id}-2" for email_id in batch}
    assert sorted(ready.mailer.sent_to()) == [f"lead{n}@resend.dev" for n in range(3)]


def test_a_refused_line_of_a_batch_fails_alone(ready):
    lines = Answer(AnswerKind.ACCEPTED, ids=("a", None, "c"), refused={1: "not an address"})
    ready.mailer.script = [("taken", lines)]
    batch = batch_of_three(ready)
    deliver(ready, batch)
    payloads = ready.mailer.calls[0][1]
    order = [payload["to"][0] for payload in payloads]
    found = {look(ready, each).enrolment.contact.email: look(ready, each) for each in batch}
    assert [found[address].state for address in order] == ["sent", "failed", "sent"]
    assert [found[address].resend_id for address in order] == ["a", None, "c"]
    assert found[order[1]].reason == "Resend refused it: not an address"


def test_a_batch_in_doubt_is_never_split(ready):
    ready.mailer.script = [("lost", LOST), REFUSED]
    batch = batch_of_three(ready)
    deliver(ready, batch)
    pass_time(ready, 30)
    assert {look(ready, email_id).state for email_id in batch} == {"ambiguous"}


@pytest.mark.both_databases
def test_recording_the_answer_never_moves_a_delivered_email_back(ready):
    first = first_email(ready)

    def delivered_meanwhile():
        with ready.sessions.begin() as session:
            session.get(Email, first).state = "delivered"

    ready.mailer.script = [delivered_meanwhile]
    deliver(ready, [first])
    sent = look(ready, first)
    assert (sent.state, sent.resend_id, sent.sent_at) == ("delivered", "resend-0-0", ready.now())
