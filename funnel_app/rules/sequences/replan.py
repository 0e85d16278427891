"""Replan: what a changed campaign file means for the emails of somebody already in the sequence.

Steps are matched by template. Emails that are sent or in flight stay; waiting ones keep how late or early they run.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count

from funnel_app.campaigns.model import Sequence, Step
from funnel_app.campaigns.plan_text import find_step
from funnel_app.campaigns.reasons import Reason, ReasonCode
from funnel_app.campaigns.states import WAITING, State
from funnel_app.rules.experiments import variant_for
from funnel_app.rules.sequences.exit import NOT_GONE
from funnel_app.rules.sequences.plan import SENT_BY_WEBSITE, FirstEmail, plan_emails, too_late
from funnel_app.rules.sequences.under_way import TAKEN_OUT, Row, UnderWay

PASSED = Reason("its step came into the campaign's file behind an email that had gone", ReasonCode.STEP_CAME_LATE)
CAME = "its step came into the campaign's file"


@dataclass(frozen=True, slots=True)
class Edit:
    """One email before (None if it is new) and by the changed file."""

    before: Row | None
    after: Row

    @property
    def kinds(self) -> tuple[str, ...]:
        """What changes: it `comes`, `goes` or is `late`, or it `moves` or gets another `text`, or both.

        A changed step number alone is no change.
        """
        if self.before is None:
            return ("comes",) if self.after.state is State.PLANNED else ("late",)
        if self.after.state != self.before.state:
            return ("goes",) if self.after.state is State.CANCELLED else ("late",)
        moves = ("moves",) if self.after.due_at != self.before.due_at else ()
        return (*moves, "text") if self.after.template_key != self.before.template_key else moves


def edits(of: UnderWay) -> list[Edit]:
    """Return the differences by the changed file, in the order of its steps; on its own result there are none."""
    kept = [(step, of.row_of(step)) for step in of.sequence.steps]
    stays = {row.id for _, row in kept if row}
    gone = [row for row in of.rows if row.state in WAITING and row.id not in stays]
    coming = [(row, _as_now(of, step, row)) for step, row in kept if _waits(of, step, row)]
    taken = [(row, row.moved(State.CANCELLED, TAKEN_OUT)) for row in gone]
    touched = {row.id for row, _ in (*coming, *taken) if row}
    fixed = {row.step for row in of.rows if row.id not in touched}
    numbered = _numbered(of.sequence, [*coming, *taken], fixed)
    return [Edit(before, after) for before, after in numbered if before != after]


def _numbered(
    sequence: Sequence, found: list[tuple[Row | None, Row]], fixed: set[int]
) -> Iterator[tuple[Row | None, Row]]:
    """Number waiting emails as in the file, or with the next free number; those that never go come last."""
    last = 0
    for before, after in sorted(found, key=lambda pair: pair[1].state not in WAITING):
        step = find_step(sequence, after.template_key)
        wanted = step.number if step and after.state in WAITING else after.step
        if after.state in WAITING:
            wanted = max(wanted, last + 1)
        number = next(each for each in count(max(wanted, 1)) if each not in fixed)
        fixed = fixed | {number}
        last = max(last, number)
        yield before, replace(after, step=number)


def _waits(of: UnderWay, step: Step, row: Row | None) -> bool:
    # A planned step without an email was sent under an earlier template name.
    return row.state in WAITING if row else step.number not in of.partners


def _went(of: UnderWay, step: Step) -> bool:
    row = of.row_of(step)
    if row is None:
        return step.number in of.partners
    return row.state not in NOT_GONE or row.reason_code == SENT_BY_WEBSITE.code


def _as_now(of: UnderWay, step: Step, row: Row | None) -> Row:
    return _moved(of, step, row) if row else _new(of, step)


def _moved(of: UnderWay, step: Step, row: Row) -> Row:
    old, asked = of.partners.get(step.number), row.asked_for_at is not None
    by = of.new_due[step.number - 1] - of.old_due[old - 1] if old and not asked else timedelta()
    text = row.template_key if row.template_key in step.variants else variant_for(step, of.sequence, of.contact_id)
    was = row.was_due_at + by if row.was_due_at else None
    moved = replace(row, due_at=row.due_at + by, was_due_at=was, template_key=text)
    return _unless_late(of, moved) if by else moved


def _new(of: UnderWay, step: Step) -> Row:
    whole = plan_emails(of.sequence, FirstEmail(), of.timing(of.campaign.timezone), of.now, of.contact_id)
    email = whole[step.number - 1]
    late = timedelta() if email.latest_at else of.late_by
    new = Row(
        step=step.number,
        template_key=email.template_key,
        due_at=email.due_at + late,
        latest_at=email.latest_at,
        state=email.state,
        reason=email.reason or CAME,
        reason_code=email.reason_code,
    )
    if any(_went(of, later) for later in of.sequence.steps[step.number :]):
        return new.moved(State.SKIPPED, PASSED)
    return _unless_late(of, new) if new.state is State.PLANNED else new


def _unless_late(of: UnderWay, row: Row) -> Row:
    late = too_late(row, of.sequence.max_lateness, of.now) if row.due_at <= of.now else None
    return row.moved(State.SKIPPED, Reason(late)) if late else row
