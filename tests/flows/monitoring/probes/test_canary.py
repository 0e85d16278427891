"""Canary: through the public hook to a delivered email, outside all figures, and a word where it does not arrive."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from funnel_app.campaigns.model import Mode
from funnel_app.campaigns.sequence_rows import sequence_rows
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.maintenance.sweep import sweep
from funnel_app.flows.monitoring.probes import canary
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.sending.reconcile import reconcile
from funnel_app.flows.sending.record_event import record_event
from funnel_app.gateways.errors import Unavailable
from funnel_app.ledger import mirrored
from funnel_app.ledger.models import Contact, Enrolment
from funnel_app.ledger.queries import counts as counts_of
from tests.factories import make_deps
from tests.flows.leads import call, count_all, email_ids, email_ids_of, look, opt_in, write_templates
from tests.flows.sending.test_record_event import report


@pytest.fixture(params=[True, False], ids=["testing", "live"])
def deps(request, engine):
    """Collaborators whose public address enrols as the signup hook does."""
    built = make_deps(engine, testing_mode=request.param)
    write_templates(built)
    built.public.answer = lambda campaign, payload: enrol_as_hook(built, campaign, payload)
    return built


def enrol_as_hook(deps, campaign, payload):
    receipt = canary_enrol(deps, campaign, payload["email"])
    return receipt.as_json()


def canary_enrol(deps, campaign, address):
    return enrol(deps, replace(call(address), campaign=campaign))


def run_one(deps):
    run_id = canary.start(deps.public)
    (email_id,) = [id_ for id_ in email_ids_of(deps) if look(deps, id_).enrolment_id == run_id]
    return run_id, email_id


@pytest.mark.both_databases
def test_a_canary_is_delivered_in_either_mode(deps):
    run_id, email_id = run_one(deps)
    assert look(deps, email_id).due_at == deps.now(), "at once in either mode"
    deliver(deps, [email_id])
    (sent,) = deps.mailer.sent()
    assert sent["to"][0].startswith("delivered+canary-") and sent["to"][0].endswith("@resend.dev")
    assert sent["subject"] == "About lead_nurture_email_1", "the very text that the next lead would get"
    record_event(deps, report(deps, email_id))
    run = canary.look_at(deps.reads, run_id)
    assert run.state == "delivered" and run.delivered_at
    deps.now.forward(minutes=50)
    assert canary.late(deps) is None
    assert sweep(deps).completed == 1


def test_a_canary_counts_nowhere(deps):
    run_id, _ = run_one(deps)
    with deps.reads() as session:
        enrolment = session.get(Enrolment, run_id)
    assert (enrolment.mode, enrolment.mirror_stale_since) == (Mode.CANARY, None)
    assert "canary" not in deps.registry.campaigns
    assert all(row["campaign"] != "canary" for row in sequence_rows(deps.registry))
    assert len(deps.registry.template_keys()) == 22


def test_a_canary_is_never_mirrored(deps):
    _, email_id = run_one(deps)
    deliver(deps, [email_id])
    record_event(deps, report(deps, email_id))
    both = mirrored.Mirrors(contacts=True, sequences=True)
    soon = deps.now().replace(year=2027)
    with deps.reads() as session:
        assert mirrored.stale(session, both, soon, soon, 10) == [] == mirrored.people(session, None, 10, everybody=True)
        assert counts_of.mirror_behind(session, soon) == 0


def test_one_that_does_not_arrive_in_five_minutes_is_told(deps):
    deps.notebook.pages.clear()
    _, email_id = run_one(deps)
    deliver(deps, [email_id])
    deps.now.forward(minutes=5)
    assert canary.late(deps) is None
    deps.now.forward(seconds=1)
    assert "is held: template lead_nurture_email_1 in Notion" in canary.late(deps)


def test_one_whose_arrival_only_asking_told_is_told(deps):
    _, email_id = run_one(deps)
    deliver(deps, [email_id])
    deps.mailer.last_events = {look(deps, email_id).resend_id: "delivered"}
    deps.now.forward(minutes=4)
    assert canary.late(deps) is None
    assert reconcile(deps) == 1
    assert look(deps, email_id).state == "delivered"
    assert "only asking told: Resend's reports do not come" in canary.late(deps)
    record_event(deps, report(deps, email_id))
    assert canary.late(deps) is None


def test_one_that_cannot_start_is_told(deps):
    _, email_id = run_one(deps)
    deliver(deps, [email_id])
    record_event(deps, report(deps, email_id))
    deps.public.fault = Unavailable("x", "no route")
    deps.now.forward(minutes=61)
    with pytest.raises(Unavailable):
        canary.run_when_due(deps)
    assert canary.late(deps) is None
    deps.now.forward(minutes=5)
    assert "no test email could start since 07:00" in canary.late(deps)


def test_it_runs_when_its_time_has_come(deps):
    assert canary.run_when_due(deps) is not None
    deps.now.forward(minutes=59)
    assert canary.run_when_due(deps) is None
    deps.now.forward(minutes=1)
    assert canary.run_when_due(deps) is not None
    assert len(deps.public.signups) == 2


def test_it_never_runs_where_none_is_wanted(engine):
    deps = make_deps(engine, canary_every=make_deps(engine).settings.canary_every * 0)
    assert canary.run_when_due(deps) is None and canary.late(deps) is None


@pytest.mark.both_databases
def test_the_canaries_of_the_days_before_leave_nothing_behind(deps):
    _, email_id = run_one(deps)
    deliver(deps, [email_id])
    record_event(deps, report(deps, email_id))
    deps.now.forward(days=1)
    ana = email_ids(opt_in(deps, "ana@resend.dev"))
    deliver(deps, ana[:1])
    before = count_all(deps)
    assert canary.forget_old(deps) == 0
    deps.now.forward(days=1, minutes=1)
    assert canary.forget_old(deps) == 1
    gone = {table: before[table] - left for table, left in count_all(deps).items() if before[table] != left}
    assert gone == {
        "contacts": 1, "hook_events": 1, "enrolments": 1, "emails": 1, "requests": 1, "messages": 1, "email_events": 5,
    }  # fmt: skip
    with deps.reads() as session:
        assert session.scalars(select(Contact.email)).all() == ["ana@resend.dev"]
