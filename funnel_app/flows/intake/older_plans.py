"""Older plans: find who is in a sequence by a plan older than its file, and what the file would change."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session, sessionmaker

from funnel_app.campaigns import model
from funnel_app.campaigns.model import Mode
from funnel_app.campaigns.plan_text import fingerprint, plan_of
from funnel_app.campaigns.registry import Registry
from funnel_app.campaigns.states import State
from funnel_app.deps import Deps
from funnel_app.ledger import operator_actions
from funnel_app.ledger.models import Enrolment
from funnel_app.ledger.models.types import new_id
from funnel_app.ledger.queries import plans
from funnel_app.ledger.queries.plans import File
from funnel_app.rules.sequences.replan import Edit, edits
from funnel_app.rules.sequences.under_way import Row, UnderWay

AT_A_TIME = 200
EXAMPLES = 3
# How a run that applies the files is known in the log of what people did.
ACTION, STOPPED = "apply_campaigns", "begun, and stopped before its end"
ROW = ("id", "step", "template_key", "due_at", "was_due_at", "asked_for_at", "latest_at", "reason", "reason_code")


@dataclass(frozen=True)
class Older:
    """How many people in a sequence follow an older plan, and how many an operator kept on theirs."""

    campaign: model.Campaign
    sequence: model.Sequence
    people: int
    kept: int


@dataclass(frozen=True)
class Example:
    """One person affected by a change, and what would happen to their emails."""

    address: str
    enrolment_id: UUID
    edits: Sequence[Edit]


@dataclass
class Changed:
    """What a change means for one sequence: people, emails by kind of change, and a few examples.

    People are left out while an email of theirs is in flight (`busy`) or if their plan counts from something else
    (`foreign`). `newer_since` is when the newest lead came by another plan, if that was after the newest by the file's:
    then the file is an older one, and applying it goes back; None where a run of these very files was stopped, which
    leaves the same behind.
    """

    campaign: str
    sequence: str
    people: int = 0
    emails: Counter[str] = field(default_factory=Counter)
    unchanged: int = 0
    busy: int = 0
    foreign: int = 0
    examples: list[Example] = field(default_factory=list)
    newer_since: datetime | None = None

    @property
    def left(self) -> int:
        """How many keep their plan for now."""
        return self.busy + self.foreign

    def take(self, found: Sequence[Edit] | None, *, is_busy: bool = False) -> None:
        """Count one person; None for one who is left out."""
        self.people += 1
        if found is None:
            self.busy += is_busy
            self.foreign += not is_busy
            return
        kinds = [kind for edit in found for kind in edit.kinds]
        self.emails.update(kinds)
        self.unchanged += not kinds


def count_older(deps: Deps) -> list[Older]:
    """Return every sequence in which somebody follows a plan other than its file's."""
    with deps.reads() as session:
        found = plans.by_plan(session)
    return [
        each
        for campaign, sequence, file in current_plans(deps.registry)
        if (each := _older(campaign, sequence, file, found))
    ]


def _older(
    campaign: model.Campaign,
    sequence: model.Sequence,
    file: File,
    found: Sequence[tuple[str, str, str | None, str | None, int]],
) -> Older | None:
    own = [row for row in found if row[:2] == (file.campaign, file.sequence) and row[2] not in {None, file.plan}]
    people = sum(number for _, _, plan, kept, number in own if file.differs(plan, kept))
    return Older(campaign, sequence, people, sum(row[4] for row in own) - people) if own else None


def plan_changes(deps: Deps) -> list[Changed]:
    """Return what the current files would change for people already in a sequence. Changes nothing."""
    return [
        found for _, sequence, file in current_plans(deps.registry) if (found := _foreseen(deps, sequence, file)).people
    ]


def current_plans(registry: Registry) -> Iterator[tuple[model.Campaign, model.Sequence, File]]:
    """Yield each sequence in the files with its current plan."""
    for campaign in registry.campaigns.values():
        for sequence in campaign.sequences.values():
            plan = plan_of(campaign, sequence)
            yield campaign, sequence, File(campaign.name, sequence.name, plan, fingerprint(plan))


def behind(reads: sessionmaker[Session], file: File) -> Iterator[list[UUID]]:
    """Yield the enrolments that follow an older plan now, in batches.

    Enrolments that a process with the older file makes meanwhile are left out, or the run might never end.
    """
    after: UUID | None = None
    until = new_id()
    while True:
        with reads() as session:
            ids = plans.older_ids(session, file, after, until, AT_A_TIME)
        if not ids:
            return
        yield ids
        after = ids[-1]


def _foreseen(deps: Deps, sequence: model.Sequence, file: File) -> Changed:
    changed = Changed(file.campaign, file.sequence)
    for ids in behind(deps.reads, file):
        with deps.reads() as session:
            for enrolment in plans.load(session, ids):
                _foresee(deps, sequence, enrolment, changed)
    if changed.people:
        changed.newer_since = _newer_since(deps, file)
    return changed


def _newer_since(deps: Deps, file: File) -> datetime | None:
    with deps.reads() as session:
        came = plans.newest_by_plan(session, file)
        stopped_at = _stopped_at(session, deps.registry)
    own = came.pop(file.plan, None)
    newest = max(came.values(), default=None)
    if not own or not newest or newest <= own or (stopped_at and newest <= stopped_at):
        return None
    return newest


def _stopped_at(session: Session, registry: Registry) -> datetime | None:
    """Return when the newest run began if it applied these very files and was stopped, or is under way; else None."""
    run = operator_actions.newest_of(session, ACTION)
    detail = (run and run.detail) or ""
    return run.at if run and detail.startswith(STOPPED) and version_of(registry) in detail else None


def version_of(registry: Registry) -> str:
    """Return what tells these campaign files from others, in words for the log of what people did."""
    return f"files {fingerprint(''.join(file.fingerprint for _, _, file in current_plans(registry)))[:8]}"


def _foresee(deps: Deps, sequence: model.Sequence, enrolment: Enrolment, changed: Changed) -> None:
    of = under_way(deps, sequence, enrolment, deps.now())
    found = edits(of) if of.is_comparable else None
    changed.take(found)
    if found and len(changed.examples) < EXAMPLES and (told := [edit for edit in found if edit.kinds]):
        changed.examples.append(Example(enrolment.contact.email, enrolment.id, told))


def under_way(deps: Deps, sequence: model.Sequence, enrolment: Enrolment, now: datetime) -> UnderWay:
    """Return the facts that the rules need of an enrolment loaded with its emails and contact."""
    return UnderWay(
        campaign=deps.registry.campaign(enrolment.campaign),
        sequence=sequence,
        plan=enrolment.plan or "",
        contact_id=enrolment.contact_id,
        timezone=enrolment.contact.timezone,
        anchor_at=enrolment.anchor_at,
        deadline=enrolment.deadline,
        mode=Mode(enrolment.mode),
        interval_seconds=deps.settings.testing_interval_seconds,
        rows=tuple(
            Row(state=State(each.state), **{name: getattr(each, name) for name in ROW}) for each in enrolment.emails
        ),
        now=now,
    )
