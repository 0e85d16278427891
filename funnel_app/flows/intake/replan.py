"""Replan: apply changed campaign files to people already in a sequence, when an operator asks.

Until then everybody keeps the plan that their enrolment was made with.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session, sessionmaker

from funnel_app.campaigns import model
from funnel_app.campaigns.reasons import Reason
from funnel_app.campaigns.states import State
from funnel_app.deps import Deps
from funnel_app.flows.intake.older_plans import Changed, behind, current_plans, under_way
from funnel_app.flows.intake.schedule import schedule
from funnel_app.flows.pacing import leaving_room
from funnel_app.ledger import contacts, email_events, emails, planning
from funnel_app.ledger.database.conflicts import retry_on_conflict
from funnel_app.ledger.emails import Due
from funnel_app.ledger.models import Email, Enrolment
from funnel_app.ledger.queries import leads, plans
from funnel_app.ledger.queries.plans import File
from funnel_app.rules.sequences.replan import Edit, edits
from funnel_app.rules.states import RUNNING, EnrolmentState

# People a transaction: a hook that arrives meanwhile waits for one transaction.
AT_ONCE = 5


def apply_changes(deps: Deps, who: str) -> Iterator[Changed]:
    """Apply the current files to people in a sequence, a few a transaction; yield the sequence after each batch.

    Safe to stop and to repeat. People with an email in flight are left for the next run.
    """
    for _, sequence, file in current_plans(deps.registry):
        changed = Changed(file.campaign, file.sequence)
        for few in _by_few(behind(deps.reads, file)):
            with leaving_room(deps.sleep):
                done = _applied(deps, sequence, file, few, who)
                for each in done:
                    changed.take(each.edits, is_busy=each.is_busy)
                schedule(deps, [due for each in done for due in each.due])
            if done:
                yield changed


def _by_few(found: Iterable[Sequence[UUID]]) -> Iterator[Sequence[UUID]]:
    return (ids[first : first + AT_ONCE] for ids in found for first in range(0, len(ids), AT_ONCE))


def keep_all(deps: Deps) -> int:
    """Keep everybody on their older plan, whatever the files say now; return how many there are."""
    return sum(
        _keep(deps.sessions, file, ids)
        for _, _, file in current_plans(deps.registry)
        for ids in behind(deps.reads, file)
    )


@retry_on_conflict
def _keep(sessions: sessionmaker[Session], file: File, ids: Sequence[UUID]) -> int:
    with sessions.begin() as session:
        contacts.lock(session, leads.owners_of_enrolments(session, ids))
        return plans.keep(session, file, ids)


@dataclass(frozen=True)
class _Done:
    edits: Sequence[Edit] | None
    is_busy: bool
    due: Sequence[Due]


@retry_on_conflict
def _applied(deps: Deps, sequence: model.Sequence, file: File, ids: Sequence[UUID], who: str) -> list[_Done]:
    """Change these people in one transaction, except those whom another transaction ended or changed meanwhile."""
    with deps.sessions.begin() as session:
        contacts.lock(session, leads.owners_of_enrolments(session, ids))
        found = [each for each in plans.load(session, ids) if _is_behind(file, each)]
        done = {each.id: _found(deps, sequence, each) for each in found}
        free = [each for each in found if done[each.id].edits is not None]
        _write(session, [(each, done[each.id].edits or ()) for each in free], deps.now(), who)
        for each in free:
            each.plan, each.plan_kept, each.mirror_stale_since = file.plan, None, deps.now()
        return list(done.values())


def _is_behind(file: File, enrolment: Enrolment) -> bool:
    return enrolment.state in RUNNING and file.differs(enrolment.plan, enrolment.plan_kept)


def _found(deps: Deps, sequence: model.Sequence, enrolment: Enrolment) -> _Done:
    of = under_way(deps, sequence, enrolment, deps.now())
    if of.is_busy or not of.is_comparable:
        return _Done(None, of.is_busy, ())
    found = edits(of)
    return _Done(found, is_busy=False, due=_due(enrolment, found))


def _write(session: Session, found: Sequence[tuple[Enrolment, Sequence[Edit]]], now: datetime, who: str) -> None:
    rows = {email.id: email for enrolment, _ in found for email in enrolment.emails}
    changed = [edit for _, edits_of in found for edit in edits_of if edit.before]
    plans.change(session, rows, [edit.after for edit in changed])
    for edit in changed:
        _record(session, rows[edit.after.id], edit, now, who)
    new = [(enrolment, [edit.after for edit in edits_of if not edit.before]) for enrolment, edits_of in found]
    planning.plan_each(session, new, now)


def _record(session: Session, email: Email, edit: Edit, now: datetime, who: str) -> None:
    if edit.before and edit.after.state != edit.before.state:
        why = Reason(f"{edit.after.reason} (applied by {who})", edit.after.reason_code)
        emails.move(session, email, edit.after.state, now, why)
    elif edit.kinds:
        email_events.add_manual(session, email.id, f"{_in_words(edit)} (applied by {who})", now)


def _in_words(edit: Edit) -> str:
    told = []
    if edit.before and edit.before.due_at != edit.after.due_at:
        told.append(f"was due {edit.before.due_at:%Y-%m-%d %H:%M} UTC")
    if edit.before and edit.before.template_key != edit.after.template_key:
        told.append(f"its text was {edit.before.template_key}")
    return f"changed with the campaign's file: {'; '.join(told)}"


def _due(enrolment: Enrolment, found: Sequence[Edit]) -> list[Due]:
    if enrolment.state != EnrolmentState.ACTIVE:
        return []
    planned = (edit.after for edit in found if edit.after.state is State.PLANNED)
    return [Due(row.id, row.due_at, enrolment.kind) for row in planned]
