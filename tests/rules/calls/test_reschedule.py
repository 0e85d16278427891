"""Reschedule: what a newer word about a call moves, and what it leaves as it is."""

from dataclasses import replace
from datetime import timedelta

import pytest

from funnel_app.campaigns.model import Event
from funnel_app.campaigns.states import State
from funnel_app.rules.calls.reschedule import moved
from funnel_app.rules.states import EnrolmentState
from tests.rules.calls.test_take import NOW, booked, case, missed, played

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CALL_AT = NOW + 3 * DAY


def reminders():
    found, taken = played(booked(at=NOW, variables={"call_time": "then"}))
    return found, taken.enrolment


def after(made, enrolment):
    return moved(case(reminders()[0], made), enrolment)


def test_a_newer_word_moves_reminders_with_their_call_and_says_the_new_time():
    _, started = reminders()
    new = booked(at=NOW + HOUR, call_at=CALL_AT + DAY, variables={"call_time": "later", "city": "Oslo"})
    found, _ = played(new, found=reminders()[0])
    result = moved(case(found, new, NOW + HOUR), started)
    latest = CALL_AT + DAY
    emails = tuple(replace(each, due_at=each.due_at + DAY, latest_at=latest) for each in started.emails)
    told = {"call_time": "later", "city": "Oslo"}
    times = {"happened_at": NOW + HOUR, "call_at": latest, "anchor_at": latest}
    assert result == replace(started, variables=told, emails=emails, **times)


def test_an_older_word_changes_nothing_and_one_without_news_only_when_it_was_said():
    _, started = reminders()
    assert after(booked(at=NOW - HOUR, call_at=CALL_AT + DAY), started) is started
    assert after(booked(at=NOW + HOUR), started) == replace(started, happened_at=NOW + HOUR)
    nothing = replace(booked(Event.NO_SHOW, at=NOW + HOUR), call_at=None)
    assert after(nothing, started) == replace(started, happened_at=NOW + HOUR)
    over = replace(started, state=EnrolmentState.COMPLETED)
    assert after(booked(Event.NO_SHOW, at=NOW + HOUR, call_at=CALL_AT + DAY), over).anchor_at == CALL_AT


@pytest.mark.parametrize("state", [State.PLANNED, State.HELD, State.DELIVERED, State.SKIPPED])
def test_only_what_waits_moves(state):
    _, started = reminders()
    emails = tuple(replace(each, state=state) for each in started.emails)
    word = booked(Event.NO_SHOW, at=NOW + HOUR, call_at=CALL_AT + DAY)
    gaps = {
        new.due_at - old.due_at
        for new, old in zip(after(word, replace(started, emails=emails)).emails, emails, strict=True)
    }
    assert gaps == {DAY if state in {State.PLANNED, State.HELD} else timedelta(0)}


def test_a_missed_call_has_the_newest_time_that_was_said_and_its_emails_stay():
    found, taken = played(missed())
    word = replace(missed(at=NOW + HOUR), variables={"scheduled_time": "then"})
    result = moved(case(found, word, NOW + HOUR), taken.enrolment)
    assert result == replace(taken.enrolment, happened_at=NOW + HOUR, call_at=NOW, variables={"scheduled_time": "then"})


def test_reminders_keep_the_plan_they_were_made_with_and_a_step_of_none_keeps_its_distance():
    found, started = reminders()
    word = booked(Event.NO_SHOW, at=NOW + HOUR, call_at=CALL_AT + DAY)
    at = case(found, word, NOW + HOUR)
    sequence = at.campaign.sequences["precall_prep"]
    earlier = tuple(replace(step, delay=step.delay - DAY) for step in sequence.steps)
    file = replace(at.campaign, sequences={"precall_prep": replace(sequence, steps=earlier)})
    kept = moved(replace(at, campaign=file), started)
    assert [new.due_at - old.due_at for new, old in zip(kept.emails, started.emails, strict=True)] == [DAY] * 3
    by_file = moved(replace(at, campaign=file), replace(started, plan=None))
    assert [new.due_at - old.due_at for new, old in zip(by_file.emails, started.emails, strict=True)] == [0 * DAY] * 3
    strange = replace(started, emails=(replace(started.emails[0], template_key="gone", step=9),))
    (email,) = moved(at, strange).emails
    assert email.due_at == strange.emails[0].due_at + DAY
