"""`flask campaigns plan` and `apply`: bring changed campaign files to leads already in a sequence."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import click
from flask.cli import with_appcontext
from rich.markup import escape

from funnel_app.campaigns.spoken import joined, things
from funnel_app.commands.person import who
from funnel_app.commands.plain_text import AS_JSON, say
from funnel_app.commands.tables import folded
from funnel_app.commands.terminal import Terminal
from funnel_app.current import current_deps
from funnel_app.flows.console.replanning import apply_to_all, emails_in_words, keep_on_older, total_in_words
from funnel_app.flows.intake.older_plans import Changed, Older, count_older, plan_changes
from funnel_app.flows.monitoring.local_time import said_at
from funnel_app.flows.receipt import iso
from funnel_app.rules.sequences.replan import Edit

AS_PLANNED = "Everybody who is under way has the plan of the files."
RULES = "What went, or is on its way, stays. What is due by now goes within seconds, or is skipped as too late."
SAY_AFTER = 500
GOES_BACK = "this file is older than the one by which a lead came at {came}: to apply it takes people back to it."
MEANWHILE = "{came} came by the older file meanwhile: start Funnel again, then run this again."
BEFORE_US = "seen to before this run came to them: by another run, or because their sequence ended."
AGAIN = "had an email on its way just now: run it again"


@click.command("plan")
@AS_JSON
@with_appcontext
def plan_command(as_json: bool) -> None:
    """Show what changed files would change for leads already in a sequence. Changes nothing."""
    found = plan_changes(current_deps())
    if as_json:
        say(json.dumps({"sequences": [_as_json(each) for each in found]}, indent=2))
    elif found:
        _show(found)
        say("Until you run flask campaigns apply, or apply --only-new, all of them keep the plan of their enrolment.")
    else:
        say(_nothing())


@click.command("apply")
@click.option(
    "--only-new", is_flag=True, help="Let leads in a sequence keep their plan, and stop reporting this change."
)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@with_appcontext
def apply_command(only_new: bool, yes: bool) -> None:
    """Apply changed files to leads already in a sequence. Safe to interrupt and repeat."""
    deps = current_deps()
    found = plan_changes(deps)
    if not found:
        say(_nothing())
        return
    if yes:
        _warn(found)
    else:
        _show(found)
        click.confirm("Let them all keep their plan?" if only_new else f"{RULES}\nApply it?", abort=True)
    if only_new:
        kept = keep_on_older(deps, who())
        say(f"{things(kept, 'lead')} under way {'keeps' if kept == 1 else 'keep'} their plan.")
        return
    done = apply_to_all(deps, who(), _progress)
    say(f"Done: {total_in_words(done.changed)}.")
    for each in done.changed:
        for line in _left(each):
            say(line)
    before_us = _people(found) - _people(done.changed)
    if before_us > 0:
        say(f"{things(before_us, 'lead')} {'was' if before_us == 1 else 'were'} {BEFORE_US}")
    if came := _people(count_older(deps)) - done.left:
        say(MEANWHILE.format(came=things(came, "lead")))


def _people(found: Iterable[Changed | Older]) -> int:
    return sum(each.people for each in found)


def _progress(people: int) -> None:
    if people % SAY_AFTER == 0:
        say(f"{things(people, 'lead')} so far.", err=True)


def _nothing() -> str:
    kept = sum(each.kept for each in count_older(current_deps()))
    return (
        f"{AS_PLANNED} But for {things(kept, 'lead')}, who keep an older one as somebody said." if kept else AS_PLANNED
    )


def _left(each: Changed) -> Iterator[str]:
    if each.busy:
        yield f"{each.sequence}: {things(each.busy, 'lead')} {AGAIN}."
    if each.foreign:
        words = "its steps count from another time than before: only new leads can have it (--only-new)"
        yield f"{each.sequence}: {things(each.foreign, 'lead')} keep their plan, since {words}."


def _show(found: list[Changed]) -> None:
    table = folded("sequence", "leads", "what changes for them", title="Changed since they came")
    for each in found:
        same = f"; for {things(each.unchanged, 'lead')} nothing" if each.unchanged else ""
        table.add_row(
            escape(f"{each.campaign}/{each.sequence}"), f"{each.people:,}", emails_in_words(each.emails) + same
        )
    Terminal().print(table)
    _warn(found)
    for each in found:
        for example in each.examples:
            say(f"{example.address}: {'; '.join(map(_spoken, example.edits))}.")
        for line in _left(each):
            say(line)


def _warn(found: list[Changed]) -> None:
    for each in found:
        if each.newer_since:
            came = said_at(current_deps(), each.newer_since)
            say(f"{each.campaign}/{each.sequence}: {GOES_BACK.format(came=came)}", err=True)


def _spoken(edit: Edit) -> str:
    deps, before, after = current_deps(), edit.before, edit.after
    title, due = f"“{deps.registry.title_of_email(after.template_key)}”", said_at(deps, after.due_at)
    if "comes" in edit.kinds:
        return f"{title} comes, due {due}"
    if before is None or after.state != before.state:
        return f"{title} is {'withdrawn' if 'goes' in edit.kinds else 'skipped'}: {after.reason}"
    was = f"“{deps.registry.title_of_email(before.template_key)}”"
    told = [f"becomes {title}"] if "text" in edit.kinds else []
    told += [f"moves from {said_at(deps, before.due_at)} to {due}"] if "moves" in edit.kinds else []
    return f"{was} {joined(told)}"


def _as_json(each: Changed) -> dict[str, Any]:
    counted = {kind: each.emails[kind] for kind in ("moves", "comes", "goes", "text", "late")}
    people = {
        "goes_back": each.newer_since is not None,
        "people": each.people,
        "unchanged": each.unchanged,
        "only_new": each.foreign,
    }
    examples = [
        {"lead": e.address, "enrolment": str(e.enrolment_id), "emails": list(map(_edit, e.edits))}
        for e in each.examples
    ]
    return {"campaign": each.campaign, "sequence": each.sequence, **people, "emails": counted, "examples": examples}


def _edit(edit: Edit) -> dict[str, Any]:
    before = edit.before
    return {
        "what": list(edit.kinds),
        "template": edit.after.template_key,
        "due_at": iso(edit.after.due_at),
        "was_template": before.template_key if before else None,
        "was_due_at": iso(before.due_at) if before else None,
        "reason": edit.after.reason if {"goes", "late"} & {*edit.kinds} else None,
    }
