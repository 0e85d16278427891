"""What a changed campaign file costs those who are in it: `python -m bench.campaign_edits [LEADS…]`.

A ledger in a SQLite file with so many people under way. A step comes two days later and another one is new: first
`campaigns plan`, then `campaigns apply`, while another process takes twenty signups a second, as hooks do.
Exit 1 where somebody was not brought to the changed file, or a signup was not taken.
"""

import multiprocessing
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import insert

from bench.common import Row, calibrate, percentile, scratch, show
from funnel_app.campaigns.plan_text import plan_of
from funnel_app.campaigns.registry import Registry
from funnel_app.deps import Deps
from funnel_app.flows.console.replanning import apply_to_all
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.intake.older_plans import plan_changes
from funnel_app.ledger.database import schema
from funnel_app.ledger.database.engine import open_engine
from funnel_app.ledger.models import Contact, Email, EmailEvent, Enrolment
from funnel_app.ledger.models.types import new_id
from funnel_app.logs import configure_logging
from sandbox.command_line import command_line
from tests.factories import make_deps
from tests.flows.leads import call

SIZES = (5_000, 20_000)
EVERY_S = 0.05
AT_A_TIME = 2000
DAY = timedelta(days=1)
SEQUENCE = ("christmas", "lead_nurture")


def main(sizes: Sequence[int]) -> int:
    """Print a table; exit with 1 if something was not accepted."""
    machine, rows, faults = calibrate(), [], 0
    for leads in sizes:
        found, wrong = _measured(leads)
        rows += found
        faults += wrong
    show("Campaign edits", machine, rows)
    return int(faults > 0)


def _measured(leads: int) -> tuple[list[Row], int]:
    url = f"sqlite:///{scratch('edits') / 'bench.db'}"
    schema.upgrade(open_engine(url))
    deps = _deps(url)
    _fill(deps, leads)
    changed = _changed(deps)
    began, used = time.perf_counter(), time.process_time()
    planned = sum(each.people for each in plan_changes(changed))
    planned_s, plan_cpu = time.perf_counter() - began, time.process_time() - used
    stop, told = multiprocessing.Event(), cast("multiprocessing.Queue[list[float]]", multiprocessing.Queue())
    hooks = multiprocessing.Process(target=_sign_up, args=(url, stop, told))
    hooks.start()
    began, used = time.perf_counter(), time.process_time()
    applied = sum(each.people - each.left for each in apply_to_all(changed, "bench").changed)
    applied_s, apply_cpu = time.perf_counter() - began, time.process_time() - used
    stop.set()
    waits = told.get()
    hooks.join()
    left = sum(each.people for each in plan_changes(changed))
    named = f"of {leads:,} people"
    rows = [
        Row(f"plan {named}", planned_s, "s"),
        Row("of the processor for each of them", plan_cpu / leads * 1000, "ms"),
        Row(f"apply {named}, hooks coming", applied_s, "s"),
        Row("of the processor for each of them", apply_cpu / leads * 1000, "ms"),
        Row("a hook meanwhile: half within", percentile(waits, 0.5) * 1000, "ms"),
        Row("a hook meanwhile: 99 of 100 within", percentile(waits, 0.99) * 1000, "ms"),
        Row(f"a hook meanwhile: the slowest of {len(waits)}", max(waits) * 1000, "ms"),
    ]
    # Who signed up meanwhile came by the older file.
    return rows, abs(planned - leads) + abs(applied - leads - (len(waits) - left))


def _deps(url: str) -> Deps:
    deps: Deps = make_deps(open_engine(url), testing_mode=False)
    return replace(deps, now=lambda: datetime.now(UTC), sleep=time.sleep)


def _changed(deps: Deps) -> Deps:
    campaign = deps.registry.campaign(SEQUENCE[0])
    steps = campaign.sequences[SEQUENCE[1]].steps
    later = replace(steps[2], delay=steps[2].delay + 2 * DAY)
    new = replace(steps[4], number=6, template="lead_nurture_email_6", delay=8 * DAY, season_only=False)
    moved = tuple(replace(step, delay=step.delay + 2 * DAY) for step in steps[3:])
    sequence = replace(campaign.sequences[SEQUENCE[1]], steps=(*steps[:2], later, *moved, new))
    return replace(
        deps,
        registry=Registry(
            {campaign.name: replace(campaign, sequences={**campaign.sequences, sequence.name: sequence})}
        ),
    )


def _sign_up(url: str, stop: Any, told: Any) -> None:
    """Take signups at a fixed rate until stopped; return the time of each."""
    deps, number = _deps(url), 0
    waits: list[float] = []
    while not stop.is_set() or not waits:
        began = time.perf_counter()
        enrol(deps, call(f"hook{number}@example.com"))
        waits.append(time.perf_counter() - began)
        number += 1
        time.sleep(max(0.0, EVERY_S - waits[-1]))
    told.put(waits)


def _fill(deps: Deps, leads: int) -> None:
    campaign = deps.registry.campaign(SEQUENCE[0])
    sequence = campaign.sequences[SEQUENCE[1]]
    plan, now = plan_of(campaign, sequence), datetime.now(UTC)
    for first in range(0, leads, AT_A_TIME):
        rows: dict[type, list[dict[str, Any]]] = {Contact: [], Enrolment: [], Email: [], EmailEvent: []}
        for number in range(first, min(first + AT_A_TIME, leads)):
            _add(rows, number, plan, now)
        with deps.engine.begin() as connection:
            for table, some in rows.items():
                connection.execute(insert(table), some)


def _add(rows: dict[type, list[dict[str, Any]]], number: int, plan: str, now: datetime) -> None:
    contact, enrolment, address = new_id(), new_id(), f"lead{number}@example.com"
    named = {"email": address, "email_norm": address, "unsubscribe_token": contact.hex, "properties": {}}
    rows[Contact].append({"id": contact, **named, "created_at": now, "updated_at": now})
    of = {"campaign": SEQUENCE[0], "sequence": SEQUENCE[1], "mode": "live", "kind": "marketing", "state": "active"}
    when = {"anchor_at": now, "deadline": now.date() + 30 * DAY, "created_at": now}
    rows[Enrolment].append({"id": enrolment, "contact_id": contact, **of, **when, "plan": plan, "variables": {}})
    emails = [_email(enrolment, step, now) for step in range(1, 6)]
    rows[Email] += emails
    rows[EmailEvent] += [{"email_id": row["id"], "kind": "planned", "at": now, "recorded_at": now} for row in emails]


def _email(enrolment: UUID, step: int, now: datetime) -> dict[str, Any]:
    names = {"id": new_id(), "enrolment_id": enrolment, "step": step, "template_key": f"lead_nurture_email_{step}"}
    return {**names, "due_at": now + step * DAY, "state": "planned", "planned_at": now}


if __name__ == "__main__":
    configure_logging("error")
    sys.exit(main(**command_line(__doc__, sizes=list(SIZES))))
