"""Add people's calls, by what was said of them so far, and what is said once of all who come to one."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
import uuid_utils.compat
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014_add_bookings"
down_revision = "0013_add_put_aside"

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
BOOKED, GIVEN_UP = ("booking",), ("booking_cancelled", "booking_rescheduled")
HEARD = ("accepted", "duplicate", "ignored")
AT_A_TIME = 500


def upgrade() -> None:
    op.create_table(
        "bookings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("campaign", sa.String(64), nullable=False),
        sa.Column("occurrence", sa.String(255), nullable=False),
        sa.Column("mode", sa.String(8), nullable=False),
        sa.Column("call_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("series", JSON, nullable=True),
        sa.Column("places", JSON, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contacts.id"], name=op.f("fk_bookings_contact_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bookings")),
        sa.UniqueConstraint(
            "contact_id", "campaign", "occurrence", name=op.f("uq_bookings_contact_id_campaign_occurrence")
        ),
    )
    _partial("ix_bookings_booked", "bookings", ["campaign", "mode"], "state = 'booked'")
    _partial("ix_bookings_occurrence", "bookings", ["occurrence", "campaign"], "state <> 'series'")
    op.add_column("hook_events", sa.Column("whole", JSON, nullable=True))
    _partial("ix_hook_events_whole", "hook_events", ["campaign", "occurrence"], "whole IS NOT NULL")
    _take_over()


def downgrade() -> None:
    op.drop_index("ix_hook_events_whole", "hook_events")
    op.drop_column("hook_events", "whole")
    op.drop_table("bookings")


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(op.f(name), table, columns, sqlite_where=condition, postgresql_where=condition)


def _take_over() -> None:
    """Make the calls that were told of before; which of them stand is as it was counted so far."""
    calls: dict[tuple[object, ...], dict[str, Any]] = {}
    for row in op.get_bind().execute(_told()).mappings():
        key = (row["contact_id"], row["campaign"], row["occurrence"])
        _add(calls.setdefault(key, _new(row)), row)
    rows = [_row(call) for call in calls.values()]
    for first in range(0, len(rows), AT_A_TIME):
        op.bulk_insert(_bookings(), rows[first : first + AT_A_TIME])


def _told() -> sa.Select[tuple[object, ...]]:
    time = sa.DateTime(timezone=True)
    hooks = sa.table(
        "hook_events",
        sa.column("contact_id", sa.Uuid()),
        *(sa.column(name, sa.String()) for name in ("campaign", "occurrence", "event", "outcome", "mode")),
        *(sa.column(name, time) for name in ("received_at", "happened_at", "call_at")),
    )
    told_of = hooks.c.event.in_(BOOKED + GIVEN_UP) & hooks.c.outcome.in_(HEARD) & (hooks.c.occurrence != "")
    return sa.select(*hooks.c).where(told_of, hooks.c.contact_id.is_not(None)).order_by(hooks.c.received_at)


def _bookings() -> sa.TableClause:
    return sa.table(
        "bookings",
        *(sa.column(name, sa.Uuid()) for name in ("id", "contact_id")),
        *(sa.column(name, sa.String()) for name in ("campaign", "occurrence", "mode", "state")),
        *(sa.column(name, sa.DateTime(timezone=True)) for name in ("call_at", "told_at")),
        sa.column("places", JSON),
    )


def _new(row: sa.RowMapping) -> dict[str, Any]:
    same = {name: row[name] for name in ("contact_id", "campaign", "occurrence", "mode")}
    return same | {"call_at": None, "told_at": None, "booked_at": None, "given_up_at": None, "by": None}


def _add(call: dict[str, Any], row: sa.RowMapping) -> None:
    at = row["happened_at"] or row["received_at"]
    if row["event"] in GIVEN_UP:
        if call["given_up_at"] is None or at > call["given_up_at"]:
            call |= {"given_up_at": at, "by": row["event"]}
        return
    if call["booked_at"] is None or at >= call["booked_at"]:
        call |= {"booked_at": at, "call_at": row["call_at"], "told_at": at}


def _row(call: dict[str, Any]) -> dict[str, Any]:
    booked_at, given_up_at, by = (call.pop(name) for name in ("booked_at", "given_up_at", "by"))
    place = {
        "booked": booked_at is not None,
        "booked_at": _iso(booked_at),
        "given_up_at": _iso(given_up_at),
        "given_up_by": by,
    }
    stands = booked_at is not None and (given_up_at is None or booked_at > given_up_at)
    given_up = "moved" if by == "booking_rescheduled" else "cancelled"
    state = "booked" if stands else given_up
    return {"id": uuid_utils.compat.uuid7(), **call, "places": {"": place}, "state": state}


def _iso(at: datetime | None) -> str | None:
    return None if at is None else (at if at.tzinfo else at.replace(tzinfo=UTC)).isoformat()
