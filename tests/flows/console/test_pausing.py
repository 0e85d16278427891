"""A pause of sending: nothing of it goes before its end, every place says so, and it ends by itself and by hand."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from funnel_app.flows.console.actions import list_actions
from funnel_app.flows.console.intervene import NotPossible
from funnel_app.flows.console.leads import find_lead, find_leads
from funnel_app.flows.console.pausing import (
    PauseRequest,
    going_now,
    list_pauses,
    meaning,
    pause_sending,
    resume_sending,
)
from funnel_app.flows.console.today import look_at_today
from funnel_app.flows.console.until import read_until
from funnel_app.flows.maintenance.sweep import sweep
from funnel_app.flows.monitoring.checks.redis import redis as redis_checks
from funnel_app.flows.monitoring.headline import current_headline
from funnel_app.flows.monitoring.statistics.stats import ledger_stats
from funnel_app.flows.sending import freeze as freezing
from funnel_app.flows.sending.deliver import Outcome, deliver
from funnel_app.flows.sending.submit import repeat
from funnel_app.flows.tracing.trace import trace
from funnel_app.gateways.resend.answers import Answer, AnswerKind
from funnel_app.ledger.queries.leads import Wanted
from tests.flows.leads import assess, email_ids, look, opt_in, request_of, states

TORONTO = ZoneInfo("America/Toronto")
FIVE_DAYS = "christmas/five_day"


def sent(deps, receipt):
    deliver(deps, email_ids(receipt)[:1])
    return states(deps, receipt)[0]


@pytest.mark.parametrize("what", ["all", FIVE_DAYS, "five_day"])
def test_nothing_of_it_goes_until_it_ends_by_itself(ready, what):
    lead, other = assess(ready), opt_in(ready, "bea@resend.dev")
    until = ready.now() + timedelta(minutes=10)
    pause_sending(ready, PauseRequest(what, "new prices", f"{until.isoformat()}"), "Olga")
    assert sent(ready, lead) == "planned"
    assert sent(ready, other) == ("planned" if what == "all" else "sent")
    ready.now.at = until - timedelta(seconds=1)
    assert sent(ready, lead) == "planned"
    ready.now.at = until
    assert sent(ready, lead) == "sent" and list_pauses(ready).standing == []


@pytest.mark.both_databases
def test_it_ends_by_hand_and_a_second_one_replaces_the_first(ready):
    lead = opt_in(ready)
    pause_sending(ready, PauseRequest("all", "first"), "Olga")
    pause_sending(ready, PauseRequest("all", "second"), "Ben")
    assert [words for _, words in list_pauses(ready).standing] == [
        "all sending is paused until somebody resumes it, by Ben: second"
    ]
    resume_sending(ready, "all", "Ana")
    assert sent(ready, lead) == "sent"
    with pytest.raises(NotPossible, match="Nobody paused all sending"):
        resume_sending(ready, "all", "Ana")
    assert [(row.operator, row.action) for row in list_actions(ready.reads).rows] == [
        ("Ana", "resume"), ("Ben", "pause"), ("Olga", "pause")
    ]  # fmt: skip


def test_what_waited_goes_as_every_late_email_does(ready):
    lead = opt_in(ready)
    before = [look(ready, each).due_at for each in email_ids(lead)]
    pause_sending(ready, PauseRequest("lead_nurture", "quiet days"), "Olga")
    ready.now.forward(hours=2)
    assert going_now(ready, "lead_nurture").startswith("5 emails became due meanwhile: the first of each lead goes at")
    resume_sending(ready, "lead_nurture", "Olga")
    with pytest.raises(NotPossible, match=r"Nobody paused “Nurture for new opt-ins”"):
        going_now(ready, "lead_nurture")
    assert sent(ready, lead) == "sent"
    moved = [look(ready, each).due_at - was for each, was in zip(email_ids(lead)[1:], before[1:], strict=True)]
    assert {round(each.total_seconds()) // 60 for each in moved} == {120}, "the steps behind it move by its lateness"
    pause_sending(ready, PauseRequest("all", "long"), "Olga")
    ready.now.forward(days=9)
    resume_sending(ready, "all", "Olga")
    deliver(ready, email_ids(lead)[1:2])
    assert states(ready, lead)[1] == "skipped" and "too late" in look(ready, email_ids(lead)[1]).reason


def test_a_pause_before_the_freeze_wins(ready, monkeypatch):
    lead, freeze = opt_in(ready), freezing.freeze

    def late(*given):
        pause_sending(ready, PauseRequest("all", "stop"), "Olga")
        return freeze(*given)

    monkeypatch.setattr("funnel_app.flows.sending.deliver.freeze", late)
    assert deliver(ready, email_ids(lead)[:1]) is Outcome.NOTHING_TO_DO
    assert ready.mailer.calls == [] and states(ready, lead)[0] == "planned"


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("kind", "state"), [(AnswerKind.UNREACHABLE, "planned"), (AnswerKind.UNKNOWN, "sent")], ids=["nowhere", "unknown"]
)
def test_a_call_that_went_nowhere_is_withdrawn_and_one_that_may_have_arrived_is_settled(ready, kind, state):
    lead = opt_in(ready)
    ready.mailer.script.append(Answer(kind, detail="no connection"))
    deliver(ready, email_ids(lead)[:1])
    pause_sending(ready, PauseRequest("all", "stop"), "Olga")
    ready.now.forward(seconds=90)
    repeat(ready, request_of(ready, email_ids(lead)[0]).id)
    assert states(ready, lead)[0] == state


def test_every_place_says_it_in_the_same_words_and_nothing_is_late(ready):
    opt_in(ready)
    pause_sending(ready, PauseRequest("all", "moving house", "2026-11-30 09:00"), "Olga")
    ready.now.forward(minutes=10)
    sweep(ready)
    words = "until Monday 30 November, 09:00, by Olga: moving house"
    assert current_headline(ready).sentence == f"Sending stands still {words}"
    today = look_at_today(ready)
    assert today.pause_reason == f"all sending is paused {words}" and today.kept_back == 5
    assert (today.overdue, today.unexplained, ledger_stats(ready)["unexplained"]) == (0, 0, 0)
    assert (
        f"email 1 waits: all sending is paused {words}" in trace(ready, "ana@resend.dev")["enrolments"][0]["sentence"]
    )
    found = {check.name: check for check in redis_checks(ready)}["sending"]
    assert (found.status, found.detail) == ("warning", f"all sending is paused {words}")
    assert ready.mailer.calls == []


def test_the_pause_of_one_sequence_is_a_thing_that_needs_somebody_and_its_end_is_told_of_later_emails(ready):
    assess(ready)
    pause_sending(ready, PauseRequest("five_day", "typo in it", "Monday 09:00"), "Olga")
    words = "“Five-day follow-up” is paused until Monday 30 November, 09:00, by Olga: typo in it"
    assert current_headline(ready).sentence == f"1 thing needs you: {words}"
    assert words in trace(ready, "ana@resend.dev")["enrolments"][0]["sentence"]
    lead = find_lead(ready, find_leads(ready, Wanted()).rows[0].contact.id)
    assert lead.next.waits in lead.views[0].sentence and words in lead.next.waits


@pytest.mark.both_databases
def test_what_it_would_do_is_said_before(ready):
    assess(ready)
    told = meaning(
        ready, PauseRequest("five_day", "why", (ready.now() + timedelta(days=7, seconds=90)).isoformat()), "Olga"
    )
    assert (told.waiting, told.late) == (5, 2), "they are a minute apart, and may be seven days late"
    assert told.in_numbers == "5 emails are due before that, and 2 of them would be too late by then, and be skipped."
    assert list_pauses(ready).standing == []


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (PauseRequest("all", "  "), "Say why"),
        (PauseRequest("nothing", "x"), "There is no one sequence nothing"),
        (PauseRequest("all", "x", "soon"), "“soon” is no time"),
        (PauseRequest("all", "x", "25:00"), "is no time"),
        (PauseRequest("all", "x", "2020-01-01 09:00"), "is over"),
        (PauseRequest("all", "x", "2099-01-01 09:00"), "more than a year away"),
    ],
)
def test_a_request_that_cannot_be_met_changes_nothing(ready, asked, why):
    with pytest.raises(NotPossible, match=why):
        pause_sending(ready, asked, "Olga")
    assert list_pauses(ready).standing == [] and list_actions(ready.reads).rows == []


def test_an_address_in_the_reason_is_masked(ready):
    pause_sending(ready, PauseRequest("all", "ana@resend.dev asked for it"), "Olga")
    assert "ana@resend.dev" not in str(list_pauses(ready).standing)


THURSDAY = datetime(2026, 11, 26, 15, 0, tzinfo=UTC)  # 10:00 in Toronto


@pytest.mark.parametrize(
    ("text", "day", "clock"),
    [
        ("Monday 09:00", 30, "09:00"),
        ("monday at 9:00", 30, "09:00"),
        ("thursday 09:00", 3, "09:00"),
        ("Thursday 11:00", 26, "11:00"),
        ("17:00", 26, "17:00"),
        ("tomorrow 08:30", 27, "08:30"),
        ("tomorrow 9", 27, "09:00"),
        ("Monday at 9am", 30, "09:00"),
        ("5 pm", 26, "17:00"),
        ("12:30 PM", 26, "12:30"),
        ("2026-11-30 09:00", 30, "09:00"),
        ("2026-11-30t09:00", 30, "09:00"),
        ("2026-11-30T14:00Z", 30, "09:00"),
    ],
)
def test_a_time_is_read_as_people_write_it(text, day, clock):
    at = read_until(text, THURSDAY, TORONTO).astimezone(TORONTO)
    assert (at.day, f"{at:%H:%M}") == (day, clock)


@pytest.mark.parametrize("text", ["9", "13 pm", "0 am", "tomorrow 25", "tomorrow 9:75", "someday 9", "soon"])
def test_what_may_be_anything_is_no_time(text):
    with pytest.raises(NotPossible, match="is no time"):
        read_until(text, THURSDAY, TORONTO)
