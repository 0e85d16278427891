"""Reconcile: an email of which no event comes is asked after, at growing intervals, until its end is known."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from funnel_app.campaigns.reasons import with_words
from funnel_app.campaigns.states import SOFT_BOUNCE
from funnel_app.flows.maintenance.sweep import sweep
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.sending.reconcile import UNASKABLE, has_unconfirmed, reconcile
from funnel_app.flows.sending.record_event import record_event
from funnel_app.gateways.errors import Rejected, Unavailable
from funnel_app.ledger.models import Suppression
from tests.flows.leads import email_ids, look, opt_in
from tests.flows.sending.test_record_event import report


@pytest.fixture
def sent(ready):
    """An email that Resend took four minutes ago, and of which nothing was heard."""
    first = email_ids(opt_in(ready))[0]
    deliver(ready, [first])
    ready.now.forward(minutes=4)
    return first


def says(deps, last):
    deps.mailer.last_events = {"resend-0-0": last} if last else {}
    return reconcile(deps)


def test_nobody_is_asked_in_the_first_three_minutes(ready):
    deliver(ready, email_ids(opt_in(ready))[:1])
    ready.now.forward(minutes=2, seconds=59)
    assert not has_unconfirmed(ready) and says(ready, "delivered") == 0 and ready.mailer.asked == []
    ready.now.forward(seconds=1)
    assert has_unconfirmed(ready)


@pytest.mark.parametrize(
    ("last", "state", "reason"),
    [
        ("delivered", "delivered", None),
        ("opened", "delivered", None),
        ("clicked", "delivered", None),
        ("delivery_delayed", "delayed", "the recipient's server does not take it yet; Resend tries again"),
        ("bounced", "bounced", "the recipient's server refused it"),
        ("complained", "complained", "its reader marked it as spam"),
        ("suppressed", "suppressed", "on Resend's suppression list"),
        ("failed", "failed", "Resend could not send it"),
        ("canceled", "failed", "Resend could not send it"),
    ],
)
def test_what_resend_says_counts_as_if_its_event_had_come(ready, sent, last, state, reason):
    assert says(ready, last) == 1
    assert (look(ready, sent).state, look(ready, sent).reason) == (state, reason)


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("last", "reason"),
    [
        ("sent", "no word of its delivery yet; asked, Resend says “sent”"),
        ("queued", "no word of its delivery yet; asked, Resend says “queued”"),
        (None, "no word of its delivery yet; asked, Resend does not know it: is RESEND_API_KEY of another team?"),
    ],
)
def test_without_an_answer_it_is_asked_again_at_growing_intervals(ready, sent, last, reason):
    gaps = []
    for _ in range(9):
        assert says(ready, last) == 0
        found = look(ready, sent)
        assert (found.state, found.reason) == ("sent", reason)
        gaps.append(found.next_check_at - ready.now())
        assert not has_unconfirmed(ready), "not before its time"
        ready.now.at = found.next_check_at
    assert gaps == [timedelta(minutes=m) for m in (6, 12, 24, 48, 96, 192, 360, 360, 360)]
    assert len(ready.mailer.asked) == 9


@pytest.mark.both_databases
def test_a_key_that_may_only_send_is_recognised_and_said(ready, sent):
    ready.mailer.asking_fault = Rejected("resend", "restricted to only send emails", code="restricted_api_key")
    assert reconcile(ready) == 0
    assert (look(ready, sent).state, look(ready, sent).reason) == ("sent", UNASKABLE)
    record_event(ready, report(ready, sent))
    assert (look(ready, sent).state, look(ready, sent).reason) == ("delivered", None)


@pytest.mark.parametrize("fault", [Unavailable("resend", "503"), Rejected("resend", "API key is invalid")])
def test_where_resend_does_not_answer_only_one_is_asked_after(ready, sent, fault):
    deliver(ready, email_ids(opt_in(ready, "bea@resend.dev"))[:1])
    ready.now.forward(minutes=4)
    ready.mailer.asking_fault = fault
    assert reconcile(ready) == 0
    assert len(ready.mailer.asked) == 1
    assert look(ready, sent).reason == f"no word yet, and {fault}"


def test_a_redis_that_is_away_is_nothing_that_resend_said(ready, sent, monkeypatch):
    def away(caller):
        raise Unavailable("redis", "Connection refused")

    with monkeypatch.context() as without_redis, pytest.raises(Unavailable, match="redis"):
        without_redis.setattr(ready.rate, "wait", away)
        reconcile(ready)
    assert (look(ready, sent).reason, look(ready, sent).checks, ready.mailer.asked) == (None, 0, [])
    assert says(ready, "delivered") == 1, "asked at once when it is back, and not minutes later"


@pytest.mark.both_databases
def test_a_bounce_that_was_told_as_transient_forbids_no_address(ready, sent):
    record_event(ready, report(ready, sent, SOFT_BOUNCE, detail=with_words("mailbox is full", "452 4.2.2")))
    assert says(ready, "bounced") == 1
    assert (look(ready, sent).state, look(ready, sent).reason) == ("bounced", "mailbox is full")
    with ready.reads() as session:
        assert session.scalars(select(Suppression)).all() == []


def test_a_delay_that_becomes_a_bounce_forbids_the_address(ready, sent):
    says(ready, "delivery_delayed")
    assert says(ready, "bounced") == 1
    with ready.reads() as session:
        assert len(session.scalars(select(Suppression)).all()) == 1


def test_a_delay_of_over_three_days_ends(ready, sent):
    says(ready, "delivery_delayed")
    ready.now.forward(days=3, minutes=1)
    assert says(ready, "delivery_delayed") == 1
    assert (look(ready, sent).state, look(ready, sent).reason) == (
        "bounced",
        "the recipient's server did not take it for 3 days",
    )


def test_the_sweep_queues_one_job_for_all_and_lets_waiting_letters_go_first(ready, sent):
    ready.queues.queued.clear()
    swept = sweep(ready)
    assert (swept.overdue, swept.asked) == (1, 0), "email 2 is due by now"
    for email_id in ready.queues.emails():
        deliver(ready, [email_id])
    assert sweep(ready).asked == 1 and ready.queues.queued == ["reconcile"]
    assert sweep(ready).asked == 0, "it waits there already"


def test_questions_keep_to_the_teams_rate(ready, sent):
    ready.rate.waits = [2.0, 1.0]
    before = ready.now()
    assert says(ready, "delivered") == 1
    assert ready.now() - before == timedelta(seconds=3)
