"""The ledger in a picture and a table, from its models; and every step of every campaign."""

from collections.abc import Iterator
from typing import cast

from sqlalchemy import Table, UniqueConstraint

from docs.markdown import markdown
from funnel_app.campaigns.model import Campaign, EmailOne, Sequence, Step
from funnel_app.campaigns.registry import load_registry, shown
from funnel_app.ledger import booking_models, operator_actions, watch_models  # noqa: F401 (their tables belong to the ledger too)
from funnel_app.ledger.base import Base

SENDERS = {
    EmailOne.FUNNEL: "Funnel",
    EmailOne.WEBSITE: "the website",
    EmailOne.PAYLOAD: "the website where the hook has `email_1_sent_at`, else Funnel",
}


def ledger_picture() -> str:
    """Return which table refers to which, as a Mermaid diagram."""
    lines = [
        f"  {key.column.table.name} {'|o' if column.nullable else '||'}--o{{ {table.name} : {column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        for key in sorted(column.foreign_keys, key=lambda key: key.target_fullname)
    ]
    return "\n".join(["```mermaid", "erDiagram", *lines, "```", ""])


def ledger_tables() -> str:
    """Return every table with what one row of it is."""
    rows = sorted(
        (f"`{mapper.class_.__tablename__}`", (mapper.class_.__doc__ or "").splitlines()[0], _unique(mapper.class_))
        for mapper in Base.registry.mappers
    )
    return markdown(("table", "one row is", "only once"), rows)


def _unique(model: type[Base]) -> str:
    table = cast(Table, model.__table__)
    found = [rule.columns for rule in table.constraints if isinstance(rule, UniqueConstraint)]
    found += [index.columns for index in table.indexes if index.unique]
    return "; ".join(sorted(", ".join(f"`{column.name}`" for column in columns) for columns in found))


def steps() -> str:
    """Return every email of every campaign: its template, its times and who sends it."""
    rows = [
        (f"`{sequence.name}`", str(step.number), f"`{step.template}`", _times(step), _sender(sequence, step))
        for campaign in load_registry().campaigns.values()
        for sequence, step in _steps(campaign)
    ]
    return markdown(("sequence", "step", "template", "due; in testing mode", "sent by"), rows)


def _steps(campaign: Campaign) -> Iterator[tuple[Sequence, Step]]:
    for sequence in campaign.sequences.values():
        for step in sequence.steps:
            yield sequence, step


def _times(step: Step) -> str:
    return f"{shown(step.delay)}; {step.test_intervals}×"


def _sender(sequence: Sequence, step: Step) -> str:
    return SENDERS[sequence.email_1 if step.number == 1 else EmailOne.FUNNEL]
