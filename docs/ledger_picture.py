"""The ledger in a picture and a table, from its models."""

from typing import cast

from sqlalchemy import Table, UniqueConstraint

from docs.markdown import markdown
from funnel_app.ledger.models.base import Base
from funnel_app.ledger.tables import METADATA


def ledger_picture() -> str:
    """Return which table refers to which, as a Mermaid diagram."""
    lines = [
        f"  {key.column.table.name} {'|o' if column.nullable else '||'}--o{{ {table.name} : {column.name}"
        for table in METADATA.sorted_tables
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
