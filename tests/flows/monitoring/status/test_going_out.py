"""What is late right after a stop goes out now: every place says so, and none calls it late for no reason."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from funnel_app.campaigns.states import State
from funnel_app.flows.console.pausing import PauseRequest, pause_sending, resume_sending
from funnel_app.flows.console.today import look_at_today
from funnel_app.flows.monitoring.checks.emails import invariants
from funnel_app.flows.monitoring.checks.redis import overdue
from funnel_app.flows.monitoring.headline import current_headline
from funnel_app.flows.monitoring.notifications.notify import notify
from funnel_app.flows.monitoring.probes.watch import watch
from funnel_app.flows.monitoring.statistics.stats import ledger_stats
from funnel_app.flows.monitoring.status.going_out import going_out
from funnel_app.flows.sending.deliver import deliver
from funnel_app.ledger import incidents
from funnel_app.ledger.models import Email
from tests.factories import make_deps
from tests.flows.leads import email_ids, opt_in, write_templates
from tests.flows.monitoring.live import GOOD, LIVE, silent

LEADS = ("ana@resend.dev", "bea@resend.dev", "cleo@resend.dev")
# Longer than an email may be late, and with few looks of the watch, which are what such a test takes its time for.
STANDS, LOOKS_EVERY = timedelta(minutes=2), timedelta(seconds=20)


@pytest.fixture
def live(engine):
    deps = make_deps(engine, **LIVE)
    write_templates(deps, GOOD)
    return deps


def speak(deps):
    deps.process_status.silent.clear()
    deps.queues.dead.clear()


def pause(deps, what="all", until=""):
    pause_sending(deps, PauseRequest(what, "typo in it", until), "Olga")


def redis(deps, away):
    deps.queues.away = deps.process_status.away = away


# How each stop begins, and how it ends.
STOPS = {
    "a pause that somebody ends": (pause, lambda deps: resume_sending(deps, "all", "Olga")),
    "the pause of one sequence": (
        lambda deps: pause(deps, "lead_nurture"),
        lambda deps: resume_sending(deps, "lead_nurture", "Olga"),
    ),
    "a pause that ends by itself": (
        lambda deps: pause(deps, until=(deps.now() + STANDS).isoformat()),
        lambda deps: None,
    ),
    "a key that Resend refuses": (
        lambda deps: deps.pause.pause("401 bad key", 3600, "config"),
        lambda deps: deps.pause.lift(),
    ),
    "a silent scheduler": (lambda deps: silent(deps, "scheduler"), speak),
    "silent workers": (lambda deps: silent(deps, "worker"), speak),
    "a Redis that is away": (lambda deps: redis(deps, away=True), lambda deps: redis(deps, away=False)),
}


def stand_still(deps, stop):
    """Let emails come due while sending stands still and the watch looks, and then let it go on."""
    begin, end = STOPS[stop]
    begin(deps)
    found = [opt_in(deps, address) for address in LEADS]
    for _ in range(STANDS // LOOKS_EVERY):
        watch(deps)
        deps.now.forward(seconds=LOOKS_EVERY.seconds)
    end(deps)
    deps.now.forward(seconds=6)
    return found


@pytest.mark.parametrize("stop", STOPS)
def test_every_place_says_that_what_waited_goes_out_now_until_all_has_gone_and_never_again(live, stop):
    waited = stand_still(live, stop)
    see_that_every_place_says_so(live)
    first, second = email_ids(waited[0])[:2]
    change(live, second, due_at=live.now() - STANDS / 2)
    seen = [going_out(live)]
    for state in (State.SENDING, State.PLANNED):
        change(live, first, state=state)
        seen.append(going_out(live))
    live.pause.pause("429", 5, "rate_limited")
    seen.append(going_out(live))
    live.pause.lift()
    assert seen == [4, 4, 4, 4], "in flight, tried again, behind another email, or seconds later: it goes out"
    for email_id in (first, *(email_ids(receipt)[0] for receipt in waited[1:]), second):
        deliver(live, [email_id])
        seen.append(going_out(live))
    assert seen[-1] == 0 and seen == sorted(seen, reverse=True)
    assert current_headline(live).sentence.startswith("All is well")
    opt_in(live, "dora@resend.dev")
    live.now.forward(seconds=10)
    assert current_headline(live).sentence.startswith("All is well"), "what comes due afterwards has not waited"


@pytest.mark.both_databases
def test_the_pause_of_one_sequence_is_told_on_both_databases(live):
    stand_still(live, "the pause of one sequence")
    see_that_every_place_says_so(live)


def see_that_every_place_says_so(live):
    assert current_headline(live).sentence == "Sending goes on: 3 emails that waited go out now"
    today = look_at_today(live)
    assert today.unexplained == 0
    if today.overdue:
        assert today.why_late == "sending has just gone on, and they go out now"
    assert [str(check.status) for check in (*overdue(live), *invariants(live))] == ["ok", "ok"]
    assert "3 emails that waited go out now" in next(overdue(live)).detail
    assert ledger_stats(live)["unexplained"] == 0
    live.alerts.posted.clear()
    watch(live)
    notify(live)
    with live.reads() as session:
        assert not incidents.current(session, {"overdue"})
    assert not any("Emails are late" in text for _, text in live.alerts.posted)


@pytest.mark.parametrize("stop", STOPS)
def test_what_has_not_gone_a_minute_later_is_late_for_no_reason(live, stop):
    stand_still(live, stop)
    live.now.forward(seconds=70)
    watch(live)
    assert (
        current_headline(live).sentence == "1 thing needs you: Emails are late: 3 due for over 60 seconds and not sent"
    )
    assert look_at_today(live).unexplained == 3 and next(overdue(live)).status == "fault"


@pytest.mark.parametrize("stop", STOPS)
def test_while_it_stands_still_nothing_goes_out(live, stop):
    begin, _ = STOPS[stop]
    begin(live)
    opt_in(live)
    live.now.forward(minutes=5)
    watch(live)
    assert going_out(live) == 0


def test_a_missing_worker_of_two_explains_nothing(live):
    live.process_status.silent.add("worker:2")
    opt_in(live)
    for _ in range(12):
        live.now.forward(seconds=10)
        watch(live)
    assert going_out(live) == 0 and look_at_today(live).unexplained == 1


def change(deps, email_id, **values):
    with deps.sessions.begin() as session:
        session.execute(update(Email).where(Email.id == email_id).values(**values))
