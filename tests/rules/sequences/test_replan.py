"""Replan: what a changed file makes of one person's emails, each kind of change by itself and together."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from funnel_app.campaigns.model import EmailOne, Mode, Step, Window
from funnel_app.campaigns.plan_text import as_planned, fingerprint, plan_of, step_of
from funnel_app.campaigns.registry import load_registry
from funnel_app.campaigns.states import State
from funnel_app.campaigns.timing import NEVER
from funnel_app.rules.experiments import variant_for
from funnel_app.rules.ids import new_id
from funnel_app.rules.sequences.plan import SENT_BY_WEBSITE
from funnel_app.rules.sequences.replan import CAME, PASSED, edits
from funnel_app.rules.sequences.under_way import TAKEN_OUT, Row, UnderWay

START = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)
CAMPAIGN = load_registry().campaign("christmas")
LEAD = new_id()


def sequence(**days: int):
    """A sequence of texts by the day on which each is due."""
    steps = tuple(Step(n, key, day * DAY, n, in_days=True) for n, (key, day) in enumerate(days.items(), 1))
    usual = CAMPAIGN.sequences["lead_nurture"]
    return replace(usual, steps=steps, email_1=EmailOne.FUNNEL, email_1_by_entrance={})


OLD = sequence(a=0, b=1, c=2, d=3)


def changed(after, gone: int = 1, late: timedelta = timedelta(), before=OLD, **more):
    """What becomes of somebody of whose emails the first few are gone, and the others wait, a while late."""
    rows = tuple(
        Row(
            step=step.number,
            template_key=step.template,
            due_at=START + step.delay + (timedelta() if step.number <= gone else late),
            state=State.DELIVERED if step.number <= gone else State.PLANNED,
        )
        for step in before.steps
    )
    now = START + before.steps[max(gone - 1, 0)].delay + timedelta(hours=1)
    facts = {"timezone": None, "anchor_at": START, "deadline": NEVER, "mode": Mode.LIVE, "interval_seconds": 60}
    return UnderWay(
        **{
            "campaign": CAMPAIGN,
            "sequence": after,
            "plan": plan_of(CAMPAIGN, before),
            "contact_id": LEAD,
            "rows": rows,
            "now": now,
            **facts,
            **more,
        }
    )


def told(of: UnderWay) -> dict[str, tuple[str | None, int, timedelta]]:
    """What becomes of each email, by its text: the kind, its number, and the time after the start."""
    return {e.after.template_key: (" ".join(e.kinds) or None, e.after.step, e.after.due_at - START) for e in edits(of)}


CHANGES = {
    "nothing": (OLD, {}),
    "another delay": (sequence(a=0, b=1, c=5, d=6), {"c": ("moves", 3, 5 * DAY), "d": ("moves", 4, 6 * DAY)}),
    "a step at the end": (sequence(a=0, b=1, c=2, d=3, e=4), {"e": ("comes", 5, 4 * DAY)}),
    "the last taken out": (sequence(a=0, b=1, c=2), {"d": ("goes", 4, 3 * DAY)}),
    "one between taken out": (
        sequence(a=0, c=2, d=3),
        {"c": (None, 2, 2 * DAY), "d": (None, 3, 3 * DAY), "b": ("goes", 4, DAY)},
    ),
    "one between comes": (
        sequence(a=0, b=1, x=2, c=3, d=4),
        {"x": ("comes", 3, 2 * DAY), "c": ("moves", 4, 3 * DAY), "d": ("moves", 5, 4 * DAY)},
    ),
    "renamed in its place": (sequence(a=0, b=1, new=2, d=3), {"new": ("text", 3, 2 * DAY)}),
    "renamed and moved": (
        sequence(a=0, b=1, new=5, d=6),
        {"new": ("moves text", 3, 5 * DAY), "d": ("moves", 4, 6 * DAY)},
    ),
    "what went is renamed": (sequence(other=0, b=1, c=2, d=3), {}),
    "what went is taken out": (sequence(b=1, c=2, d=3), {}),
    "before what went": (
        sequence(x=0, a=0, b=1, c=2, d=3),
        {"b": (None, 3, DAY), "c": (None, 4, 2 * DAY), "d": (None, 5, 3 * DAY), "x": ("late", 2, timedelta())},
    ),
    "in another order": (sequence(a=0, c=1, b=2, d=3), {"c": ("moves", 2, DAY), "b": ("moves", 3, 2 * DAY)}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_told_email_by_email(name):
    after, expected = CHANGES[name]
    assert told(changed(after)) == expected


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("gone", [0, 2, 4])
def test_a_text_that_went_never_comes_again_and_no_number_is_used_twice(name, gone):
    of = changed(CHANGES[name][0], gone=gone)
    found = edits(of)
    after = {row.id: row for row in of.rows} | {edit.after.id: edit.after for edit in found}
    waiting = [row.template_key for row in after.values() if row.state is State.PLANNED]
    went = {row.template_key for row in of.rows if row.state is State.DELIVERED}
    assert not went & set(waiting) and len(waiting) == len(set(waiting))
    assert len({row.step for row in after.values()}) == len(after)
    assert all(edit.before is None or edit.before.state is State.PLANNED for edit in found)
    again = replace(of, rows=tuple(after.values()), plan=plan_of(CAMPAIGN, of.sequence))
    assert edits(again) == [], "a second time there is nothing to do"


def test_who_runs_late_or_was_asked_for_stays_so():
    later = sequence(a=0, b=2, c=3, d=4, e=5)
    assert told(changed(later, late=DAY)) == {
        "b": ("moves", 2, 3 * DAY), "c": ("moves", 3, 4 * DAY), "d": ("moves", 4, 5 * DAY), "e": ("comes", 5, 6 * DAY),
    }  # fmt: skip
    of = changed(sequence(a=0, b=2, c=2, d=3))
    asked = replace(of.rows[1], asked_for_at=START, due_at=START)
    assert told(replace(of, rows=(of.rows[0], asked, *of.rows[2:]))) == {}
    gave_way = replace(of.rows[1], was_due_at=of.rows[1].due_at, due_at=of.rows[1].due_at + DAY)
    (edit,) = edits(replace(of, rows=(of.rows[0], gave_way, *of.rows[2:])))
    assert (edit.after.was_due_at, edit.after.due_at) == (START + 2 * DAY, START + 3 * DAY)


def test_lateness_is_that_of_what_waits_and_what_the_website_sent_counts_as_gone():
    of = changed(sequence(a=0, b=1, c=2, d=3, e=4))
    early = replace(of.rows[0], due_at=START + 3 * DAY)
    assert told(replace(of, rows=(early, *of.rows[1:]))) == {"e": ("comes", 5, 4 * DAY)}
    before = changed(CHANGES["before what went"][0], gone=0)
    sent = before.rows[0].moved(State.SKIPPED, SENT_BY_WEBSITE)
    (passed,) = [e for e in edits(replace(before, rows=(sent, *before.rows[1:]))) if e.before is None]
    assert (passed.after.state, passed.after.reason) == (State.SKIPPED, PASSED.words)


def test_what_is_due_in_the_past_by_the_change_goes_now_or_is_too_late_by_the_rule_that_there_is():
    before = sequence(a=0, b=10, c=20)
    soon = replace(changed(sequence(a=0, b=1, c=20), before=before), now=START + 4 * DAY)
    assert told(soon) == {"b": ("moves", 2, DAY)}
    late = replace(soon, now=START + 9 * DAY)
    (edit,) = edits(late)
    assert (edit.kinds, edit.after.state, edit.after.reason) == (
        ("late",), State.SKIPPED, "too late: over 7 days after its time",
    )  # fmt: skip


def test_the_reasons_are_said_and_a_step_that_is_put_back_comes_again():
    without, whole = sequence(a=0, c=2, d=3), sequence(a=0, b=1, c=2, d=3, e=4)
    of = changed(without)
    rows = tuple({**{r.id: r for r in of.rows}, **{e.after.id: e.after for e in edits(of)}}.values())
    assert [row.reason for row in rows if row.state is State.CANCELLED] == [TAKEN_OUT.words]
    back = edits(replace(of, rows=rows, sequence=whole, plan=plan_of(CAMPAIGN, without)))
    assert {e.after.template_key: e.after.reason for e in back if e.kinds == ("comes",)} == {"b": CAME, "e": CAME}
    passed = edits(changed(CHANGES["before what went"][0]))
    assert [e.after.reason for e in passed if e.kinds == ("late",)] == [PASSED.words]


def test_a_window_moves_emails_and_one_that_counts_from_the_call_cannot_be_compared():
    evening = replace(OLD, window=Window(time(18), time(20)))
    assert {kind for kind, _, _ in told(changed(evening)).values()} == {"moves"}
    back = replace(OLD, steps=tuple(replace(step, delay=-step.delay - DAY) for step in OLD.steps))
    assert not changed(back).is_comparable and changed(OLD).is_comparable


def test_a_plan_comes_back_from_its_text_and_differs_by_what_plans_an_email_alone():
    window = replace(OLD, window=Window(time(9), time(17, 30)))
    plan = plan_of(CAMPAIGN, window)
    kept = as_planned(plan, OLD)
    assert (kept.steps, kept.window, plan_of(CAMPAIGN, kept)) == (OLD.steps, window.window, plan)
    assert len(fingerprint(plan)) == 16 and fingerprint(plan) != fingerprint(plan_of(CAMPAIGN, OLD))
    same = replace(OLD, title="x", priority=9, exits=frozenset(), max_lateness=DAY)
    same = replace(same, steps=tuple(replace(s, title="y", season_only=True, after_deadline="skip") for s in OLD.steps))
    assert plan_of(CAMPAIGN, same) == plan_of(CAMPAIGN, OLD)


def test_an_email_is_of_the_step_of_its_text_then_of_its_plan_then_of_its_number():
    file, plan = sequence(a=0, c=5), plan_of(CAMPAIGN, OLD)
    assert step_of(file, plan, "c", 3).delay == 5 * DAY
    assert step_of(file, plan, "d", 4).delay == 3 * DAY
    assert step_of(file, None, "d", 2).template == "c"
    with pytest.raises(LookupError):
        step_of(file, None, "d", 4)


def back(**days):
    """Reminders of a call: steps that count back from it."""
    steps = [Step(n, key, -day * DAY, -n, in_days=True) for n, (key, day) in enumerate(days.items(), 1)]
    return replace(OLD, steps=tuple(steps))


def test_a_reminder_that_comes_knows_its_call_and_is_no_later_where_others_are():
    before, after = back(a=6, b=1), back(a=6, x=3, b=1)
    call_at = START + 10 * DAY
    of = changed(after, gone=1, before=before, late=DAY, anchor_at=call_at)
    rows = tuple(replace(row, due_at=row.due_at + 10 * DAY, latest_at=call_at) for row in of.rows)
    of = replace(of, rows=rows, now=START + 5 * DAY)
    (new,) = [edit.after for edit in edits(of) if edit.before is None]
    assert new == Row(
        id=new.id,
        step=2,
        template_key="x",
        due_at=call_at - 3 * DAY,
        latest_at=call_at,
        state=State.PLANNED,
        reason=CAME,
    )
    begun = [edit.after.reason for edit in edits(replace(of, now=call_at)) if edit.before is None]
    assert begun == ["the call had begun"]


def test_a_step_that_compares_two_texts_gives_a_lead_their_own_and_keeps_the_one_they_have():
    one, two = (
        replace(OLD, steps=(*OLD.steps, Step(5, "p", 4 * DAY, 4, in_days=True, templates=t))) for t in ((), ("p", "q"))
    )
    given = {variant_for(two.step(5), two, who) for who in (LEAD, *(new_id() for _ in range(40)))}
    assert given == {"p", "q"}
    came = [edit.after.template_key for edit in edits(changed(two))]
    assert came == [variant_for(two.step(5), two, LEAD)]
    waiting = replace(changed(two, before=one), rows=changed(one, before=one).rows)
    assert edits(waiting) == [], "who waits for p still gets it"


@pytest.mark.parametrize(("past", "kinds"), [(timedelta(0), ["moves"]), (timedelta(seconds=1), ["late"])])
def test_what_is_due_exactly_as_long_ago_as_the_sequence_allows_still_goes(past, kinds):
    before = sequence(a=0, b=10, c=20)
    of = changed(sequence(a=0, b=1, c=20), before=before)
    late = replace(of, now=START + DAY + of.sequence.max_lateness + past)
    assert [kind for edit in edits(late) for kind in edit.kinds] == kinds
