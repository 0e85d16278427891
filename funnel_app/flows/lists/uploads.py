"""Uploads: a list in the console is previewed, started, imported in the background, and stopped."""

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session, sessionmaker

from funnel_app.campaigns.registry import Registry
from funnel_app.campaigns.spoken import things
from funnel_app.deps import Deps
from funnel_app.flows.lists.import_settings import ImportSettings, NotPossible, Plan, first_guess, plan_of
from funnel_app.flows.lists.judge import Answer
from funnel_app.flows.lists.spread import when_first_go
from funnel_app.flows.lists.take import take_list
from funnel_app.ledger import contacts, imports, operator_actions
from funnel_app.ledger.database.conflicts import retry_on_conflict
from funnel_app.ledger.imports import ACTIVE, Import, ImportState
from funnel_app.ledger.operator_actions import OperatorAction
from funnel_app.lists.files import Form, cell_of, form_of, lines_of
from funnel_app.lists.headings import Mapped

SHOWN, LOOKED_AT, PROBLEMS = 20, 200, 10
LONGEST_NAME = 120
KEPT_FOR = timedelta(days=30)
DRAFT_KEPT_FOR = timedelta(days=1)
AT_A_TIME = 500
ERASED = "erased"


@dataclass(frozen=True)
class Column:
    """One column of a list: heading, field, and an example value if it is used."""

    heading: str
    field: str
    example: str


@dataclass(frozen=True)
class Foreseen:
    """A preview of a list's first rows, with some of those that would not be imported.

    `first_go` says when the first emails go.
    """

    rows: int
    counts: Counter[str]
    problems: Sequence[Answer]
    first_go: str


def keep_list(deps: Deps, name: str, content: bytes, operator: str) -> UUID:
    """Store a list as a draft; nothing is imported. Raises NotAList."""
    encoding = form_of(io.BytesIO(content)).encoding
    text = content.decode(encoding, errors="replace").replace("\0", "")
    # Checked after cleaning, since without byte order marks it may parse differently.
    file = io.BytesIO(text.encode())
    form, guessed = first_guess(file)
    draft = Import(
        created_at=deps.now(),
        operator=operator,
        name=name[:LONGEST_NAME] or "list.csv",
        file=text,
        rows=sum(1 for _ in lines_of(file, form)),
        wish=ImportSettings(columns=guessed).as_json(),
    )
    with deps.sessions.begin() as session:
        session.add(draft)
        session.flush()
        return draft.id


def list_imports(reads: sessionmaker[Session]) -> list[Import]:
    """Return the newest imports."""
    with reads() as session:
        return imports.newest(session, SHOWN)


def find_import(reads: sessionmaker[Session], import_id: UUID) -> tuple[Import, Counter[str]] | None:
    """Return an import with its results counted; None if the id is unknown."""
    with reads() as session:
        found = imports.find(session, import_id)
        return (found, imports.count_answers(session, import_id)) if found else None


def columns_of(kept: Import) -> list[Column]:
    """Return a draft's columns; unused ones without values, since they may hold secrets."""
    form, mapped = _form(kept), ImportSettings.from_json(kept.wish or {}).columns
    first = next(lines_of(_file(kept), form), None)
    fields = {column: name for name, columns in mapped.items() for column in columns}
    cells = first.cells if first else ()
    return [
        Column(heading, fields.get(at, ""), cell_of(cells, at)[:60] if at in fields else "")
        for at, heading in enumerate(form.headings)
    ]


def columns_said(fields: Sequence[str]) -> Mapped:
    """Return the columns by field, from the form."""
    found: dict[str, tuple[int, ...]] = {}
    for column, name in enumerate(fields):
        if name:
            found[name] = (*found.get(name, ()), column)
    return found


def look(deps: Deps, import_id: UUID, chosen: ImportSettings) -> Foreseen:
    """Store a draft's settings, and preview its first rows. Raises NotPossible."""
    kept = _resting(deps.reads, import_id)
    with deps.sessions.begin() as session:
        imports.turn(session, import_id, (ImportState.DRAFT,), ImportState.DRAFT, wish=chosen.as_json())
    plan, file = plan_for(deps.registry, kept, chosen)
    steps = take_list(deps, file, plan, dry_run=True, most=LOOKED_AT)
    answers = [answer for step in steps for answer in step.answers]
    problems = [each for each in answers if each.reason][:PROBLEMS]
    counts = Counter(answer.answer for answer in answers)
    return Foreseen(len(answers), counts, problems, when_first_go(deps, plan))


@retry_on_conflict
def start(deps: Deps, import_id: UUID, operator: str) -> str:
    """Start a draft, or resume a stopped import, from its first row. Raises NotPossible."""
    kept = _resting(deps.reads, import_id)
    plan, _ = plan_for(deps.registry, kept, ImportSettings.from_json(kept.wish or {}))
    into = f" into “{plan.sequence.title}”" if plan.sequence else ""
    told = f"began to import {things(kept.rows, 'row')}{into}. {when_first_go(deps, plan)}".rstrip(".")
    with deps.sessions.begin() as session:
        resting = (ImportState.DRAFT, ImportState.STOPPED)
        if not imports.turn(session, import_id, resting, ImportState.WAITING, ended_at=None, fault=None):
            raise NotPossible("This import has begun already.")
        operator_actions.add(session, OperatorAction(at=deps.now(), operator=operator, action="import", detail=told))
    return told


@retry_on_conflict
def stop(deps: Deps, import_id: UUID, operator: str) -> str:
    """Stop an import; imported rows stay. Raises NotPossible."""
    told = "stopped the import; what came in stays"
    with deps.sessions.begin() as session:
        if not imports.turn(session, import_id, ACTIVE, ImportState.STOPPED, ended_at=deps.now()):
            raise NotPossible("This import does not run.")
        operator_actions.add(session, OperatorAction(at=deps.now(), operator=operator, action="import", detail=told))
    return told


def forget_lists(deps: Deps) -> int:
    """Delete drafts after a day, and old imports with their results; return how many.

    A stopped import's file is deleted a day later.
    """
    with deps.sessions.begin() as session:
        return imports.forget(session, deps.now() - DRAFT_KEPT_FOR, deps.now() - KEPT_FOR)


def answered_rows(reads: sessionmaker[Session], import_id: UUID) -> Iterator[Sequence[object]]:
    """Yield the headings and the result of each row so far, with the lead's address if there is one."""
    yield ("row", "email", "answer", "reason", "lead")
    with reads() as session:
        answers = imports.answers_of(session, import_id)
    for first in range(0, len(answers), AT_A_TIME):
        some = answers[first : first + AT_A_TIME]
        with reads() as session:
            known = contacts.by_ids(session, [UUID(lead) for *_, lead in some if lead])
        for number, answer, reason, lead in some:
            who = known.get(UUID(lead)) if lead else None
            address = "" if who is None else ERASED if contacts.is_erased(who) else who.email
            yield number, address, answer, reason, lead or ""


def plan_for(registry: Registry, kept: Import, chosen: ImportSettings) -> tuple[Plan, io.BytesIO]:
    """Return how a stored list is read and taken, and its file. Raises NotPossible."""
    file = _file(kept)
    return plan_of(registry, file, chosen, kept.name), file


def _resting(reads: sessionmaker[Session], import_id: UUID) -> Import:
    found = find_import(reads, import_id)
    if found is None or found[0].file is None:
        raise NotPossible("This list is not there any more: bring it again.")
    return found[0]


def _file(kept: Import) -> io.BytesIO:
    return io.BytesIO((kept.file or "").encode())


def _form(kept: Import) -> Form:
    return first_guess(_file(kept))[0]
