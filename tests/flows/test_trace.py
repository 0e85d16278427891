"""Trace: a contact's whole story in the ledger's own words, with one plain sentence for each sequence."""

import pytest

from funnel_app.campaigns.states import State
from funnel_app.flows.deliver import deliver
from funnel_app.flows.record_event import record_event
from funnel_app.flows.trace import trace
from funnel_app.ledger.models import Email, Enrolment, EnrolmentState
from tests.flows.leads import assess, email_ids, opt_in, write_templates
from tests.flows.test_record_event import report


def sentence(deps) -> str:
    return trace(deps, "ana@resend.dev")["enrolments"][0]["sentence"]


def test_a_stranger_has_no_story(deps):
    assert trace(deps, "nobody@resend.dev") == {"contact": None, "hooks": [], "enrolments": []}


def test_the_story_names_hooks_sequences_emails_and_events(both_deps):
    write_templates(both_deps)
    first = email_ids(opt_in(both_deps))[0]
    deliver(both_deps, [first])
    record_event(both_deps, report(both_deps, first, detail="250 ok"))
    story = trace(both_deps, " ANA@resend.dev ")
    assert story["contact"]["email"] == "ana@resend.dev"
    assert [(hook["hook"], hook["outcome"]) for hook in story["hooks"]] == [("signup", "accepted")]
    (enrolment,) = story["enrolments"]
    assert (enrolment["campaign"], enrolment["sequence"], enrolment["state"]) == ("christmas", "lead_nurture", "active")
    email = enrolment["emails"][0]
    assert (email["step"], email["template"], email["state"]) == (1, "lead_nurture_email_1", "delivered")
    assert [event["kind"] for event in email["events"]] == [
        "planned",
        "sending",
        "sent",
        "email.delivered",
        "delivered",
    ]
    assert email["events"][-1] == {"at": "2026-11-24T12:00:00Z", "kind": "delivered", "detail": "250 ok"}


def test_the_sentence_of_a_sequence_on_its_way(deps):
    opt_in(deps)
    assert sentence(deps) == "0 of 5 emails delivered; email 1 is due and goes as soon as sending allows."
    write_templates(deps)
    deliver(deps, [first_id(deps)])
    assert sentence(deps) == (
        "0 of 5 emails delivered; email 1 was accepted by Resend and waits for proof of delivery."
    )
    record_event(deps, report(deps, first_id(deps)))
    assert sentence(deps) == "1 of 5 emails delivered; email 2 goes on Tuesday 24 November at 12:01 UTC."


def first_id(deps):
    with deps.reads() as session:
        return session.query(Email.id).filter(Email.step == 1).scalar()


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (State.SENDING, "email 1 is being handed to Resend."),
        (State.HELD, "email 1 is held: why; it goes by itself when that is mended."),
        (State.AMBIGUOUS, "email 1 why; Resend's report or a person (flask emails resolve) settles it."),
        (State.DELAYED, "email 1 is delayed on its way: why."),
    ],
)
def test_the_sentence_names_what_the_next_email_waits_for(deps, state, words):
    opt_in(deps)
    with deps.sessions.begin() as session:
        email = session.get(Email, first_id(deps))
        email.state, email.reason = state, "why"
    assert sentence(deps) == f"0 of 5 emails delivered; {words}"


def test_the_sentence_of_a_sequence_that_ended_early_says_why(deps):
    opt_in(deps)
    assess(deps)
    assert sentence(deps) == ("0 of 5 emails delivered; the sequence ended: took the assessment on 24 November.")


def test_the_sentence_of_a_paused_sequence(deps):
    receipt = opt_in(deps)
    with deps.sessions.begin() as session:
        session.get(Enrolment, receipt.enrolment_id).state = EnrolmentState.PAUSED
    assert sentence(deps) == "0 of 5 emails delivered; the sequence is paused by a person."


def test_the_sentence_of_a_finished_sequence_names_what_did_not_arrive(deps):
    receipt = opt_in(deps)
    with deps.sessions.begin() as session:
        for email_id in email_ids(receipt):
            email = session.get(Email, email_id)
            email.state, email.reason = (State.DELIVERED, None) if email.step < 5 else (State.FAILED, "refused")
    assert sentence(deps) == "4 of 5 emails delivered; email 5 failed: refused."
