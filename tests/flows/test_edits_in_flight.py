"""Edits in flight: a file changes while people are in its sequence; nobody is changed before a person says so."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import islice

import pytest

from funnel_app.campaigns.model import Event
from funnel_app.campaigns.registry import Registry
from funnel_app.flows.console import replanning
from funnel_app.flows.console.actions import list_actions
from funnel_app.flows.console.replanning import apply_to_all, keep_on_older
from funnel_app.flows.console.sequences import draw_sequences, who_is_there
from funnel_app.flows.intake import replan
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.intake.older_plans import count_older, plan_changes
from funnel_app.flows.maintenance.sweep import sweep
from funnel_app.flows.monitoring.alerts.invariants import count_invariants
from funnel_app.flows.monitoring.checks.campaigns import older_plans
from funnel_app.flows.monitoring.checks.notion import notion
from funnel_app.flows.pacing import LONGEST_PAUSE_S
from funnel_app.flows.sending import deliver as delivering
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.tracing.trace import trace
from funnel_app.ledger import contacts, enrolments
from funnel_app.ledger.database import schema
from funnel_app.ledger.models import Enrolment
from tests.apps import application
from tests.flows.leads import WorkerDied, call, die, email_ids, look, opt_in, read_templates, write_templates
from tests.web.console import Operator

DAY = timedelta(days=1)
PEOPLE = [f"p{number}@resend.dev" for number in range(3)]


def with_steps(deps, name, *steps):
    """The same business with other steps in one sequence's file."""
    christmas = deps.registry.campaign("christmas")
    numbered = tuple(replace(step, number=number) for number, step in enumerate(steps, 1))
    changed = replace(christmas.sequences[name], steps=numbered)
    return replace(
        deps, registry=Registry({"christmas": replace(christmas, sequences={**christmas.sequences, name: changed})})
    )


def restarted(deps):
    """Day 3 comes two days later, day 4 is taken out, and a sixth email comes: the file after a restart."""
    one, two, three, _, five = deps.registry.sequence("christmas", "lead_nurture").steps
    six = replace(five, template="lead_nurture_email_6", delay=8 * DAY, season_only=False, title="Day 9: one more")
    return with_steps(deps, "lead_nurture", one, two, replace(three, delay=4 * DAY), replace(five, delay=6 * DAY), six)


@pytest.fixture
def live(deps):
    deps = replace(deps, settings=replace(deps.settings, testing_mode=False))
    write_templates(deps)
    return deps


def calendar(deps, address):
    with deps.reads() as session:
        return [
            (e.step, e.template_key[-1], e.state, (e.due_at - start).days)
            for enrolment in session.query(Enrolment)
            if enrolment.contact_id == owner(session, address)
            for start in [enrolment.anchor_at]
            for e in emails_of(session, enrolment)
        ]


def owner(session, address):
    return contacts.find(session, address).id


def emails_of(session, enrolment):
    return enrolments.find(session, enrolment.id).emails


BEFORE = [(1, "1", "planned", 0), (2, "2", "planned", 1), (3, "3", "planned", 2), (4, "4", "planned", 3),
          (5, "5", "planned", 4)]  # fmt: skip
AFTER = [(1, "1", "planned", 0), (2, "2", "planned", 1), (3, "3", "planned", 4), (4, "5", "planned", 6),
         (5, "6", "planned", 8), (6, "4", "cancelled", 3)]  # fmt: skip


def test_until_somebody_says_so_everybody_keeps_their_plan_then_has_the_new_one_once(live):
    opt_in(live, PEOPLE[0])
    new = restarted(live)
    sweep(new)
    assert calendar(new, PEOPLE[0]) == BEFORE and count_invariants(new)["incomplete"] == 0
    (found,) = plan_changes(new)
    assert (found.people, found.emails) == (1, Counter(moves=2, goes=1, comes=1))
    assert calendar(new, PEOPLE[0]) == BEFORE, "to plan changes nothing"
    apply_to_all(new, "olga")
    assert calendar(new, PEOPLE[0]) == AFTER
    story = " ".join(row["what"] for row in trace(new, PEOPLE[0])["story"])
    assert "its step was taken out of the campaign's file (applied by olga)" in story
    assert "changed with the campaign's file: was due 20" in story
    assert (plan_changes(new), count_older(new), apply_to_all(new, "olga").changed) == ([], [], [])
    assert sweep(new).filled == 0 and count_invariants(new)["incomplete"] == 0
    assert calendar(new, PEOPLE[0]) == AFTER
    done = [row.detail for row in list_actions(new.reads).rows if row.action == "apply campaigns"]
    assert done[-1] == (
        "done: 1 lead by the files as they are now; 2 emails move, 1 email comes and 1 email is withdrawn"
    )


def test_who_comes_by_the_older_file_meanwhile_is_for_the_next_time_so_that_it_ends(deps):
    opt_in(deps, PEOPLE[0])
    new, still_to_come = restarted(deps), iter(PEOPLE[1:])
    done = apply_to_all(new, "olga", lambda people: [opt_in(deps, address) for address in islice(still_to_come, 1)])
    assert (done.changed[0].people, plan_changes(new)[0].people) == (1, 1)


def test_the_ledger_is_left_to_hooks_between_two_transactions(deps, monkeypatch):
    monkeypatch.setattr(replan, "AT_ONCE", 2)
    for address in PEOPLE:
        opt_in(deps, address)
    slept = []
    apply_to_all(replace(restarted(deps), sleep=slept.append), "olga")
    assert len(slept) == 2 and all(0 <= each <= LONGEST_PAUSE_S for each in slept)


def test_what_the_file_takes_out_goes_as_planned_until_then(deps):
    live = replace(deps, settings=replace(deps.settings, testing_mode=False))
    write_templates(live)
    fourth = email_ids(opt_in(live))[3]
    new = restarted(live)
    live.now.forward(days=3)
    with live.sessions.begin() as session:
        for each in emails_of(session, session.query(Enrolment).one())[:3]:
            each.state = "delivered"
    deliver(new, [fourth])
    assert look(new, fourth).state == "sent"


def test_a_call_that_moves_takes_its_reminders_along_by_the_plan_of_their_enrolment(deps):
    at = deps.now() + 10 * DAY
    booked = call(event=Event.BOOKING, occurrence="c1", call_at=at)
    receipt = enrol(deps, booked)
    before = [look(deps, each).due_at for each in email_ids(receipt)]
    steps = deps.registry.sequence("christmas", "precall_prep").steps
    new = with_steps(deps, "precall_prep", replace(steps[0], delay=-5 * DAY, test_intervals=-9), steps[1])
    new.now.forward(minutes=1)
    enrol(new, replace(booked, call_at=at + DAY))
    assert [look(new, each).due_at for each in email_ids(receipt)] == [due + DAY for due in before]


def test_windows_pauses_late_emails_and_a_file_that_stays_are_no_difference(deps):
    write_templates(deps)
    first = email_ids(opt_in(deps))[0]
    deps.now.forward(hours=5)
    deliver(deps, [first])
    assert (count_older(deps), plan_changes(deps)) == ([], [])
    (check,) = older_plans(deps)
    assert (check.status, check.detail) == ("ok", "all who are under way have their plan")


@pytest.mark.both_databases
def test_only_new_lets_them_keep_it_and_says_no_more_of_it_until_the_file_changes_again(live):
    opt_in(live, PEOPLE[0])
    new = restarted(live)
    (check,) = older_plans(new)
    assert check.status == "warning" and "1 lead in lead_nurture" in check.detail and "campaigns plan" in check.fix
    assert keep_on_older(new, "olga") == 1
    (check,) = older_plans(new)
    assert check.status == "ok" and "1 lead under way keep an older plan" in check.detail
    assert (plan_changes(new), apply_to_all(new, "olga").changed) == ([], [])
    assert calendar(new, PEOPLE[0]) == BEFORE
    first, *others = new.registry.sequence("christmas", "lead_nurture").steps
    printed = application(new).test_cli_runner().invoke(args=["campaigns", "plan"]).stdout
    assert "But for 1 lead, who keep an older one as somebody said." in printed
    third = with_steps(new, "lead_nurture", replace(first, delay=DAY), *others)
    assert plan_changes(third)[0].people == 1


def test_a_run_that_is_killed_between_two_people_leaves_whole_people_and_the_next_does_the_rest(live, monkeypatch):
    for each in PEOPLE:
        opt_in(live, each)
    new = restarted(live)
    done = []
    monkeypatch.setattr(replan, "AT_ONCE", 1)
    monkeypatch.setattr(replan, "schedule", lambda deps, due: done.append(due) if not done else die())
    with pytest.raises(WorkerDied):
        apply_to_all(new, "olga")
    assert sorted(calendar(new, each) for each in PEOPLE) == sorted([AFTER, AFTER, BEFORE])
    assert list_actions(new.reads).rows[0].detail.startswith("begun, and stopped before its end: 2 leads")
    monkeypatch.setattr(replan, "_write", die)
    with pytest.raises(WorkerDied):
        apply_to_all(new, "olga")
    assert sorted(calendar(new, each) for each in PEOPLE) == sorted([AFTER, AFTER, BEFORE])
    monkeypatch.undo()
    assert apply_to_all(new, "olga").changed[0].people == 1
    assert [calendar(new, each) for each in PEOPLE] == [AFTER] * 3


def test_what_a_worker_claimed_is_never_touched(live, monkeypatch):
    receipt = opt_in(live)
    monkeypatch.setattr(delivering, "compose", die)
    with pytest.raises(WorkerDied):
        deliver(live, email_ids(receipt)[:1])
    new = restarted(live)
    before = calendar(new, "ana@resend.dev")
    done = apply_to_all(new, "olga")
    assert (done.left, done.changed[0].busy, calendar(new, "ana@resend.dev")) == (1, 1, before)
    monkeypatch.undo()
    new.now.forward(minutes=10)
    sweep(new)
    assert apply_to_all(new, "olga").left == 0
    assert calendar(new, "ana@resend.dev") == AFTER


@pytest.mark.both_databases
def test_racing_workers_send_each_email_once_and_each_person_has_one_plan_in_the_end(live):
    due = [email_ids(opt_in(live, each))[0] for each in PEOPLE]
    new = restarted(live)
    write_templates(new)
    read_templates(new)
    work = [lambda email_id=each: deliver(new, [email_id]) for each in due * 2]
    with ThreadPoolExecutor(6) as workers:
        for each in [*workers.map(lambda do: do(), [*work[:3], lambda: apply_to_all(new, "olga"), *work[3:]])]:
            assert each is not None
    apply_to_all(new, "olga")
    assert Counter(new.mailer.sent_to()) == Counter(PEOPLE)
    sent = [(1, "1", "sent", 0), *AFTER[1:]]
    assert [calendar(new, each) for each in PEOPLE] == [sent] * 3


def test_the_commands_and_the_page_say_it_with_named_examples_and_change_nothing_unasked(deps, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("SUDO_USER", "otto")
    write_templates(deps)
    opt_in(deps, "nadia@resend.dev")
    before = application(deps).test_cli_runner()
    assert "has the plan of the files" in before.invoke(args=["campaigns", "plan"]).stdout
    new = restarted(deps)
    app = application(new)
    run = app.test_cli_runner()
    printed = run.invoke(args=["campaigns", "plan"]).stdout
    assert "christmas/lead_nurture" in printed and "\nnadia@resend.dev: “" in printed
    assert "“Day 9: one more” comes, due" in printed and "│" in printed
    assert all(len(line) <= 80 for line in printed.splitlines() if line[0] in "┏┃┡│└")
    (told,) = json.loads(run.invoke(args=["campaigns", "plan", "--json"]).stdout)["sequences"]
    assert (told["people"], told["emails"]["goes"], told["examples"][0]["lead"]) == (1, 1, "nadia@resend.dev")
    assert run.invoke(args=["campaigns", "apply"], input="n\n").exit_code == 1
    olga = Operator(app.test_client())
    olga.log_in()
    page = olga.get("/console/sequences").text
    assert "1 lead keeps an older plan" in page and "campaigns plan" in page
    done = run.invoke(args=["campaigns", "apply", "--yes"]).stdout
    assert done.startswith("Done: 1 lead by the files as they are now; ")
    assert "has the plan of the files" in run.invoke(args=["campaigns", "apply"]).stdout
    assert "an older plan" not in olga.get("/console/sequences").text
    assert replanning.ACTION in {row.action.replace(" ", "_") for row in list_actions(new.reads).rows}


def test_who_is_under_way_at_the_migration_is_taken_as_planned_by_the_files_of_then(deps):
    opt_in(deps)
    schema.downgrade(deps.engine, "0025_add_wishes")
    schema.upgrade(deps.engine)
    assert count_older(deps) == []
    assert [each.people for each in count_older(restarted(deps))] == [1]


def test_apply_only_new_asks_first(deps):
    opt_in(deps)
    run = application(restarted(deps)).test_cli_runner()
    asked = run.invoke(args=["campaigns", "apply", "--only-new"], input="y\n").stdout
    assert "Let them all keep their plan?" in asked and asked.endswith("1 lead under way keeps their plan.\n")


def test_a_file_that_is_older_than_the_newest_leads_is_said_before_it_is_applied(deps):
    live = replace(deps, settings=replace(deps.settings, testing_mode=False))
    opt_in(live, PEOPLE[0])
    new = restarted(live)
    assert [each.newer_since for each in plan_changes(new)] == [None]
    live.now.forward(hours=1)
    opt_in(new, PEOPLE[1])
    assert [each.newer_since for each in plan_changes(new)] == [None], "the newest leads have the file's plan"
    apply_to_all(new, "olga")
    assert [each.newer_since for each in plan_changes(live)] == [None], "nobody came by the file that is left"
    live.now.forward(hours=1)
    enrolled = opt_in(live, PEOPLE[2])
    assert enrolled.status == "accepted" and [each.newer_since for each in plan_changes(live)] == [None]
    live.now.forward(hours=1)
    opt_in(new, "late@resend.dev")
    assert [each.newer_since for each in plan_changes(live)] == [live.now()]
    runner = application(live).test_cli_runner()
    assert "older than the one by which a lead came" in runner.invoke(args=["campaigns", "plan"]).output
    said = runner.invoke(args=["campaigns", "apply", "--yes"]).output
    assert "to apply it takes people back" in said


def test_a_run_that_was_stopped_just_goes_on_and_is_taken_for_no_older_file(deps, monkeypatch):
    live = replace(deps, settings=replace(deps.settings, testing_mode=False))
    for person in PEOPLE:
        opt_in(live, person)
        live.now.forward(hours=1)
    new = restarted(live)
    monkeypatch.setattr(replan, "AT_ONCE", 1)
    monkeypatch.setattr(replan, "schedule", die)
    with pytest.raises(WorkerDied):
        apply_to_all(new, "olga")
    assert [(each.people, each.newer_since) for each in plan_changes(new)] == [(2, None)]
    live.now.forward(hours=1)
    opt_in(live, "late@resend.dev")  # through a process that was not started again
    assert [each.newer_since for each in plan_changes(new)] == [live.now()]


def test_a_keep_that_was_stopped_is_taken_for_no_apply_that_goes_on(deps, monkeypatch):
    live = replace(deps, settings=replace(deps.settings, testing_mode=False))
    new = restarted(live)
    opt_in(new, PEOPLE[0])
    live.now.forward(hours=1)
    opt_in(live, PEOPLE[1])
    came = live.now()
    live.now.forward(hours=1)
    monkeypatch.setattr(replan, "_keep", die)
    with pytest.raises(WorkerDied):
        keep_on_older(new, "olga")
    stopped = "the changed files are for new leads only, which was stopped before its end"
    assert list_actions(new.reads).rows[0].detail == stopped
    assert [each.newer_since for each in plan_changes(new)] == [came]


def test_who_is_where_goes_by_the_text_that_is_next_on_an_older_plan_too(deps):
    live = replace(deps, settings=replace(deps.settings, testing_mode=False))
    opt_in(live, PEOPLE[0])
    one, two, *_ = live.registry.sequence("christmas", "lead_nurture").steps
    new = with_steps(live, "lead_nurture", replace(two, delay=timedelta(0)), replace(one, delay=DAY))
    (drawn,) = [each for each in draw_sequences(new) if each.sequence.name == "lead_nurture"]
    assert [each.leads for each in drawn.here] == [0, 1]
    (who,) = who_is_there(new, "christmas", "lead_nurture", 2, None).emails
    assert who.template_key == one.template and not who_is_there(new, "christmas", "lead_nurture", 1, None).emails


def test_the_doctor_names_a_text_that_only_an_older_plan_waits_for(deps):
    live = replace(deps, settings=replace(deps.settings, testing_mode=False))
    write_templates(live)
    opt_in(live, PEOPLE[0])
    new = with_steps(live, "lead_nurture", *live.registry.sequence("christmas", "lead_nurture").steps[:4])
    assert [check.name for check in notion(new) if check.name == "older templates"] == []
    new.notebook.pages.pop("lead_nurture_email_5")
    (found,) = [check for check in notion(new) if check.name == "older templates"]
    assert "wait for lead_nurture_email_5 (no page in the templates database" in found.detail
