"""Take: import a list, a few rows a transaction, so that hooks hardly wait; each row gets an answer.

The first pass suppresses everybody who unsubscribed, bounced or complained, so that nobody is mailed whom a later row
suppresses; the second imports the others as if by a hook. An import that died halfway is retried with the same file:
nobody comes in twice.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import IO, Any, TypeVar

from sqlalchemy.orm import Session

from funnel_app.campaigns.states import state_in_words
from funnel_app.deps import Deps
from funnel_app.flows.intake.enrol import enrol_each, foresee_each
from funnel_app.flows.intake.manual import OF_THE_CONTACT
from funnel_app.flows.lists.import_settings import Plan
from funnel_app.flows.lists.judge import (
    ALREADY,
    ENROLLED,
    IGNORED,
    KEPT,
    LEFT_OUT,
    REFUSED,
    SCOPES,
    Answer,
    Candidate,
    Seen,
    judge,
    leavers,
)
from funnel_app.flows.lists.spread import beginnings
from funnel_app.flows.pacing import leaving_room
from funnel_app.flows.privacy.suppress import suppress_each, today
from funnel_app.flows.receipt import Receipt
from funnel_app.ledger import contacts, suppressions
from funnel_app.ledger.database.conflicts import retry_on_conflict
from funnel_app.lists.files import Line, lines_of
from funnel_app.rules.calls.call import IMPORT, Call, fitted
from funnel_app.rules.people.contact import only_new
from funnel_app.rules.states import Outcome

ROWS_AT_ONCE = 5
BECAME = {Outcome.ACCEPTED: ENROLLED, Outcome.DUPLICATE: ALREADY, Outcome.IGNORED: IGNORED}
KNOWN = "known already"
Item = TypeVar("Item")


class _Overtaken(Exception):
    """Somebody in these rows left or was erased while they were taken: nothing of them was kept."""


@dataclass(frozen=True)
class Step:
    """One step of an import: the rows processed, and the answers of the finished ones."""

    rows: int
    answers: Sequence[Answer] = ()


def take_list(
    deps: Deps, file: IO[bytes], plan: Plan, *, dry_run: bool = False, most: int | None = None
) -> Iterator[Step]:
    """Import a list in two passes; a dry run returns what would happen, and changes nothing.

    A caller stops the import by not asking for the next step. Safe to repeat. May raise NotAList midway.
    """
    seen, begins = Seen(), beginnings(deps, plan)
    room = nullcontext if dry_run else partial(leaving_room, deps.sleep)
    for lines in _groups(islice(lines_of(file, plan.form), most), ROWS_AT_ONCE):
        with room():
            _suppress(deps, plan, lines, seen, dry_run=dry_run)
        yield Step(len(lines))
    for group, lines in enumerate(_groups(islice(lines_of(file, plan.form), most), ROWS_AT_ONCE)):
        with room():
            of = replace(plan, begins_at=begins(group * ROWS_AT_ONCE))
            answers = _take(deps, of, lines, seen, dry_run=dry_run)
        yield Step(len(lines), answers)


def _groups(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    waiting = iter(items)
    while group := list(islice(waiting, size)):
        yield group


def _suppress(deps: Deps, plan: Plan, lines: Sequence[Line], seen: Seen, *, dry_run: bool) -> None:
    found = list(leavers(plan, lines, seen, deps.now()))
    if found and not dry_run:
        said = f"in another program, as a list said {today(deps)}"
        suppress_each(deps, [(address, SCOPES[why], f"{state_in_words(why)} {said}") for address, why in found], IMPORT)


def _take(deps: Deps, plan: Plan, lines: Sequence[Line], seen: Seen, *, dry_run: bool) -> list[Answer]:
    judged = [judge(plan, line, seen, deps.now()) for line in lines]
    said = [each for each in judged if isinstance(each, Answer)]
    came = _admit(deps, plan, [each for each in judged if isinstance(each, Candidate)], dry_run=dry_run)
    return sorted([*said, *came], key=lambda answer: answer.number)


def _admit(deps: Deps, plan: Plan, rows: Sequence[Candidate], *, dry_run: bool) -> list[Answer]:
    """Take in who may be mailed, and answer for all; from the start where one of them left or was erased meanwhile."""
    with deps.reads() as session:
        left_out = _forbidden(plan, session, rows, deps.settings.secret_key)
    free = [row for row in rows if row.email_norm not in left_out]
    taken = _enrol if plan.sequence else _keep
    try:
        return [*left_out.values(), *(taken(deps, plan, free, dry_run=dry_run) if free else ())]
    except _Overtaken:
        return _admit(deps, plan, rows, dry_run=dry_run)


def _forbidden(plan: Plan, session: Session, rows: Sequence[Candidate], pepper: str) -> dict[str, Answer]:
    """Return the answer for each address that may not be mailed."""
    kind = plan.sequence.kind if plan.sequence else "marketing"
    known = suppressions.of_addresses(session, [row.email_norm for row in rows], pepper)
    found = [(row, suppressions.first_of(known[row.email_norm], kind)) for row in rows]
    why = "not to be mailed here: "
    return {row.email_norm: row.answered(LEFT_OUT, f"{why}{first.reason}") for row, first in found if first}


def _require_free(plan: Plan, rows: Sequence[Candidate], pepper: str, session: Session) -> None:
    """Look once more, now that all of them are locked, and nobody can be erased before this is committed."""
    if _forbidden(plan, session, rows, pepper):
        raise _Overtaken


def _enrol(deps: Deps, plan: Plan, rows: Sequence[Candidate], *, dry_run: bool) -> list[Answer]:
    calls = [_call(plan, row) for row in rows]
    require = partial(_require_free, plan, rows, deps.settings.secret_key)
    outcomes = foresee_each(deps, calls) if dry_run else enrol_each(deps, calls, require)
    return [_answer(row, outcome, dry_run=dry_run) for row, outcome in zip(rows, outcomes, strict=True)]


def _answer(row: Candidate, outcome: Receipt | Exception, *, dry_run: bool) -> Answer:
    if isinstance(outcome, Exception):
        return row.answered(REFUSED, str(outcome))
    # For an unknown person, a dry run made up an id.
    return row.answered(BECAME[outcome.status], outcome.reason or "", None if dry_run else outcome.contact_id)


def _call(plan: Plan, row: Candidate) -> Call:
    campaign, sequence = plan.campaign, plan.sequence
    if campaign is None or sequence is None:
        raise ValueError("This list starts no sequence.")
    by_contact = {name: value for name, value in row.values.items() if plan.known[name].source in OF_THE_CONTACT}
    payload = _payload(row)
    digest = hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()[:32]
    return Call(
        campaign=campaign.name,
        hook=next(hook.name for hook in campaign.hooks.values() if hook.handler == sequence.handler),
        source=IMPORT,
        event=sequence.starts_on,
        email=row.email,
        email_norm=row.email_norm,
        contact={**_facts(row), **by_contact},
        variables={name: value for name, value in row.values.items() if name not in by_contact},
        payload=payload,
        begins_at=plan.begins_at,
        idempotency_key=fitted(f"{IMPORT}:{plan.digest}:{digest}"),
    )


def _facts(row: Candidate) -> dict[str, Any]:
    return {**row.said.facts, **(row.said.evidence or {})}


def _payload(row: Candidate) -> dict[str, Any]:
    """Return what is stored of a row: only its mapped columns."""
    facts = {**_facts(row), **row.values}
    told = {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in facts.items()}
    return {"email": row.email, **told}


@retry_on_conflict
def _keep(deps: Deps, plan: Plan, rows: Sequence[Candidate], *, dry_run: bool) -> list[Answer]:
    answers, now = [], deps.now()
    with deps.sessions() as session, session.begin() as transaction:
        for row in sorted(rows, key=lambda each: each.email_norm):
            # Locked before it is looked at: a hook may be telling more of this person now.
            contact, is_new = contacts.enter(session, row.email, row.email_norm, now)
            facts = _facts(row) if is_new else only_new(contact, _facts(row))
            if not is_new and not facts:
                answers.append(row.answered(ALREADY, KNOWN, contact.id))
                continue
            contacts.upsert(session, contact.email, row.email_norm, facts, now)
            answers.append(row.answered(KEPT, "" if is_new else KNOWN, None if dry_run else contact.id))
        _require_free(plan, rows, deps.settings.secret_key, session)
        if dry_run:
            transaction.rollback()
    return answers
