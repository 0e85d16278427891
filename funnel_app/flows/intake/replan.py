"""Replan: bring changed campaign files to those who are under way, when a person says so.

Until then everybody keeps the plan that their enrolment was planned by.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from funnel_app.campaigns import model
from funnel_app.campaigns.reasons import Reason
from funnel_app.campaigns.states import State
from funnel_app.deps import Deps
from funnel_app.flows.intake.older_plans import Changed, behind, in_files, under_way
from funnel_app.flows.intake.schedule import schedule
from funnel_app.ledger import contacts, email_events, emails, leads, planning, plans
from funnel_app.ledger.conflicts import retry_on_conflict
from funnel_app.ledger.emails import Due
from funnel_app.ledger.models import Enrolment
from funnel_app.ledger.plans import File
from funnel_app.rules.replan import Edit, edits
from funnel_app.rules.states import RUNNING, EnrolmentState


def apply_changes(deps: Deps, who: str) -> Iterator[Changed]:
    """Bring the files of now to those who are under way, a person at a time; yield the sequence after each.

    Stopped between two, it leaves whole people; taken again, it does the rest. Who has an email on its way at this
    moment is left for the next time.
    """
    for _, sequence, file in in_files(deps):
        changed = Changed(file.campaign, file.sequence)
        for ids in behind(deps, file):
            for enrolment_id in ids:
                done = _applied(deps, sequence, file, enrolment_id, who)
                if done is not None:
                    changed.take(done.edits, is_busy=done.is_busy)
                    schedule(deps, done.due)
                    yield changed


def keep_all(deps: Deps) -> int:
    """Let those who are under way by an older plan keep it, whatever the files say now; return how many they are."""
    return sum(_keep(deps, file, ids) for _, _, file in in_files(deps) for ids in behind(deps, file))


@retry_on_conflict
def _keep(deps: Deps, file: File, ids: Sequence[UUID]) -> int:
    with deps.sessions.begin() as session:
        contacts.lock(session, leads.owners_of_enrolments(session, ids))
        return plans.keep(session, file, ids)


@dataclass(frozen=True)
class _Done:
    edits: Sequence[Edit] | None
    is_busy: bool
    due: Sequence[Due]


@retry_on_conflict
def _applied(deps: Deps, sequence: model.Sequence, file: File, enrolment_id: UUID, who: str) -> _Done | None:
    """Change one person in one transaction; None where somebody else ended or changed the enrolment meanwhile."""
    with deps.sessions.begin() as session:
        contacts.lock(session, leads.owners_of_enrolments(session, [enrolment_id]))
        enrolment = next(iter(plans.load(session, [enrolment_id])), None)
        if enrolment is None or enrolment.state not in RUNNING or not file.differs(enrolment.plan, enrolment.plan_kept):
            return None
        now = deps.now()
        of = under_way(deps, sequence, enrolment, now)
        if of.is_busy or not of.is_comparable:
            return _Done(None, of.is_busy, ())
        found = edits(of)
        _write(session, enrolment, found, now, who)
        enrolment.plan, enrolment.plan_kept, enrolment.mirror_stale_since = file.plan, None, now
        return _Done(found, is_busy=False, due=_due(enrolment, found))


def _write(session: Session, enrolment: Enrolment, found: Sequence[Edit], now: datetime, who: str) -> None:
    rows = {email.id: email for email in enrolment.emails}
    plans.change(session, rows, [edit.after for edit in found if edit.before])
    for edit in found:
        if edit.before and edit.after.state != edit.before.state:
            why = Reason(f"{edit.after.reason} (applied by {who})", edit.after.reason_code)
            emails.move(session, rows[edit.after.id], edit.after.state, now, why)
        elif edit.before and edit.kinds:
            email_events.add_by_hand(session, edit.after.id, f"{_story(edit)} (applied by {who})", now)
    planning.plan(session, enrolment, [edit.after for edit in found if not edit.before], now)


def _story(edit: Edit) -> str:
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
