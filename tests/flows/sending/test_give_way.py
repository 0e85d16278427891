"""Give way: of one person's marketing no more goes than the campaign allows, whoever claims it; none of it is lost."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from funnel_app.campaigns.fields import at_most
from funnel_app.campaigns.model import Event
from funnel_app.campaigns.registry import Registry
from funnel_app.flows.console import operate
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.sending.deliver import Outcome, deliver
from funnel_app.flows.tracing.trace import trace
from funnel_app.ledger.models import Email
from tests.flows.leads import assess, call, email_ids, look, opt_in, read_templates, write_templates

HOURS = timedelta(hours=1)
ELSEWHERE = "spring"


def limited(deps, limit="1 per 20h", priorities=None, window=None):
    """The same business with a limit, and a second campaign, which has none of its own."""
    christmas = deps.registry.campaign("christmas")
    ranked = {
        name: replace(s, priority=(priorities or {}).get(name, 0), window=window)
        for name, s in christmas.sequences.items()
    }
    other = replace(christmas.sequences["lead_nurture"], campaign=ELSEWHERE)
    campaigns = {
        "christmas": replace(christmas, at_most=at_most(limit), sequences=ranked),
        ELSEWHERE: replace(christmas, name=ELSEWHERE, sequences={other.name: other}),
    }
    live = replace(deps, registry=Registry(campaigns), settings=replace(deps.settings, testing_mode=False))
    write_templates(live)
    return live


@pytest.fixture
def calm(deps):
    return limited(deps)


def of_spring(deps, address="ana@resend.dev"):
    return enrol(deps, replace(call(address), campaign=ELSEWHERE))


def first(receipt):
    return email_ids(receipt)[0]


def test_the_second_email_of_a_person_moves_on_with_the_steps_behind_it_and_its_reason(calm):
    deliver(calm, [first(of_spring(calm))])
    calm.now.forward(hours=1)
    later = email_ids(opt_in(calm))
    assert deliver(calm, later[:1]) is Outcome.NOTHING_TO_DO
    waits = look(calm, later[0])
    why = "no more than 1 marketing email in 20 hours: gives way to “Day 1: your holiday playbook”"
    assert (waits.state, waits.reason, waits.was_due_at) == ("planned", why, calm.now())
    assert waits.due_at == calm.now() + timedelta(days=1), "a step of days keeps its time of day"
    assert look(calm, later[1]).due_at == calm.now() + timedelta(days=2)
    story = [row["what"] for row in trace(calm, "ana@resend.dev")["story"]]
    assert f"planned again: {why}" in story
    calm.now.forward(days=1)
    assert deliver(calm, later[:1]) is Outcome.SUBMITTED


def test_another_person_a_campaign_without_a_limit_and_transactional_emails_are_not_kept(calm):
    deliver(calm, [first(opt_in(calm))])
    assert deliver(calm, [first(opt_in(calm, "bea@resend.dev"))]) is Outcome.SUBMITTED
    assert deliver(calm, [first(of_spring(calm))]) is Outcome.SUBMITTED
    welcome = first(enrol(calm, call(event=Event.ONBOARDING)))
    calm.now.forward(hours=1)
    assert deliver(calm, [welcome]) is Outcome.SUBMITTED


def test_a_test_and_what_a_person_asked_for_by_hand_are_not_kept(calm):
    deliver(calm, [first(of_spring(calm))])
    receipt = opt_in(calm)
    deliver(calm, [first(receipt)])
    operate.send_next_now(calm, receipt.enrolment_id, "olga")
    assert deliver(calm, [first(receipt)]) is Outcome.SUBMITTED
    testing = replace(calm, settings=replace(calm.settings, testing_mode=True))
    assert deliver(testing, [first(assess(testing))]) is Outcome.SUBMITTED


def test_what_the_website_sent_counts(calm):
    assess(calm, sent_at=calm.now() - 2 * HOURS)
    kept = first(enrol(calm, call(event=Event.NO_SHOW, occurrence="c1", call_at=calm.now())))
    calm.now.forward(minutes=5)
    assert deliver(calm, [kept]) is Outcome.NOTHING_TO_DO
    assert look(calm, kept).due_at == calm.now() - timedelta(minutes=5) + 18 * HOURS


def test_the_larger_priority_goes_first_although_it_is_due_later(deps):
    deps = limited(deps, priorities={"noshow_recovery": 5})
    missed = first(enrol(deps, call(event=Event.NO_SHOW, occurrence="c1", call_at=deps.now())))
    nurture = first(opt_in(deps))
    assert deliver(deps, [nurture]) is Outcome.NOTHING_TO_DO
    assert "gives way to “We missed you”" in look(deps, nurture).reason
    assert look(deps, nurture).due_at == deps.now() + timedelta(minutes=10)
    deps.now.forward(minutes=10)
    # Both are due by now and come with one claim.
    deliver(deps, [nurture, missed])
    assert [look(deps, each).state for each in (nurture, missed)] == ["planned", "sent"]
    assert look(deps, nurture).due_at == deps.now() - timedelta(minutes=10) + timedelta(days=1)


def test_what_is_held_keeps_nobody_waiting(deps):
    deps = limited(deps, priorities={"noshow_recovery": 5})
    missed = first(enrol(deps, call(event=Event.NO_SHOW, occurrence="c1", call_at=deps.now())))
    nurture = first(opt_in(deps))
    deps.now.forward(minutes=5)
    with deps.sessions.begin() as session:
        session.get(Email, missed).state = "held"
    assert deliver(deps, [nurture]) is Outcome.SUBMITTED


def test_what_would_come_too_late_by_giving_way_is_skipped_with_both_reasons(deps):
    deps = limited(deps, limit="1 per 30d")
    deliver(deps, [first(of_spring(deps))])
    late = first(opt_in(deps))
    deliver(deps, [late])
    told = "no more than 1 marketing email in 30 days: gives way to “Day 1: your holiday playbook”"
    assert (look(deps, late).state, look(deps, late).reason) == (
        "skipped",
        f"{told}; too late: over 7 days after its time",
    )


@pytest.mark.both_databases
def test_racing_workers_send_each_person_one_email_and_lose_none(deps):
    calm = limited(deps)
    read_templates(calm)
    people = [f"p{number}@resend.dev" for number in range(5)]
    due = [first(each) for p in people for each in (enrol(calm, call(p, Event.MAYBE)), opt_in(calm, p))]
    calm.now.forward(hours=1)
    with ThreadPoolExecutor(8) as workers:
        list(workers.map(lambda email_id: deliver(calm, [email_id]), due * 4))
    assert Counter(calm.mailer.sent_to()) == Counter(people)
    assert Counter(look(calm, each).state for each in due) == {"sent": 5, "planned": 5}
