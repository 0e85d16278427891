"""An experiment from the campaign's file to the figures: both texts are wanted, planned for good, sent and counted."""

from dataclasses import replace
from datetime import timedelta
from itertools import chain, count

import pytest

from funnel_app.campaigns.model import Event
from funnel_app.campaigns.registry import Registry
from funnel_app.flows.console.experiments import SAYS_NOTHING, experiments
from funnel_app.flows.console.figures import count_figures, last_days
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.templates.audit import audit_templates
from funnel_app.flows.tracing.trace import trace
from funnel_app.rules.experiments import Share
from tests.apps import application
from tests.console_world import report
from tests.flows.leads import call, email_ids, look, opt_in, write_templates
from tests.web.console import Operator

A, B = "lead_nurture_email_1", "lead_nurture_email_1b"


@pytest.fixture
def comparing(deps):
    christmas = deps.registry.campaign("christmas")
    nurture = christmas.sequences["lead_nurture"]
    first = replace(nurture.step(1), templates=(A, B))
    short = replace(nurture, steps=(first, *nurture.steps[1:]))
    campaign = replace(christmas, sequences={**christmas.sequences, nurture.name: short})
    return replace(deps, registry=Registry({"christmas": campaign}))


def planned(deps, each=1):
    """Let people opt in until each text has so many of them: which one a person gets is chance. Return first emails."""
    got, people = {A: [], B: []}, count()
    while min(map(len, got.values())) < each:
        address = f"p{next(people)}@resend.dev"
        first = look(deps, email_ids(opt_in(deps, address))[0])
        got[first.template_key].append((address, first.id))
    return got


def come(deps):
    """Let people opt in and read their first email, three and more of each text; return them by the text they got."""
    got = planned(deps, each=3)
    for _, first in chain(*got.values()):
        deliver(deps, [first])
        report(deps, first)
    return {text: [address for address, _ in theirs] for text, theirs in got.items()}


def test_both_texts_are_wanted_and_a_lead_waits_for_the_one_that_is_theirs(comparing):
    write_templates(replace(comparing, registry=comparing.registry))
    assert B in comparing.registry.template_keys()
    del comparing.notebook.pages[B]
    (missing,) = [each for each in audit_templates(comparing).templates if each.status == "fault"]
    assert missing.key == B
    firsts = [first for _, first in chain(*planned(comparing).values())]
    deliver(comparing, firsts)
    seen = [look(comparing, first) for first in firsts]
    assert {(first.template_key, first.state) for first in seen} == {(A, "sent"), (B, "held")}


def test_a_changed_file_does_not_switch_what_was_planned(comparing, deps):
    write_templates(comparing)
    _, theirs = planned(comparing)[B][0]
    deliver(deps, [theirs])
    assert (look(deps, theirs).state, look(deps, theirs).template_key) == ("sent", B)


@pytest.mark.both_databases
def test_the_figures_show_both_and_say_when_the_difference_says_nothing(comparing):
    write_templates(comparing)
    got = come(comparing)
    comparing.now.forward(seconds=10)
    enrol(comparing, call(got[B][0], Event.BOOKING, occurrence="c1", call_at=comparing.now() + timedelta(days=5)))
    (found,) = experiments(comparing)
    assert [each.went_on for each in found.variants] == [Share(0, len(got[A])), Share(1, len(got[B]))]
    assert found.verdict == SAYS_NOTHING and experiments(comparing, "spring") == []
    rows = {row.key: row for row in count_figures(comparing, last_days(comparing, 7, "christmas")).templates}
    assert rows[A].planned + rows[B].planned == len(got[A]) + len(got[B])
    told = trace(comparing, got[B][0])
    assert any(row["about"].endswith("(B)") for row in told["story"])
    olga = Operator(application(comparing).test_client())
    olga.log_in()
    page = olga.get("/console/figures").text
    assert "The difference says nothing yet" in page and "Day 1: your holiday playbook (B)" in page
    assert "See text A" in olga.get("/console/sequences/christmas/lead_nurture/1").text
    printed = application(comparing).test_cli_runner().invoke(args=["campaigns", "experiments"]).output
    assert f"{B}: 1 of {len(got[B])} readers went on" in printed
