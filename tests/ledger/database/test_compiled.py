"""An insert that is made once writes what SQLAlchemy's own would, on both databases."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import DateTime, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from funnel_app.ledger.database import driver
from funnel_app.ledger.database.compiled import Insert, Question, Update
from funnel_app.ledger.database.engine import LedgerUnavailable
from funnel_app.ledger.models.types import new_id
from funnel_app.ledger.reading import CONTACTS, HOOKS
from funnel_app.rules.states import Outcome

AT = datetime(2026, 11, 24, 9, 0, 0, 123456, tzinfo=timezone(timedelta(hours=-5)))


def hook(**more):
    return {
        "id": new_id(), "received_at": AT, "source": "website", "campaign": "christmas", "hook": "signup",
        "mode": "test", "payload": {"name": "Zoë 100% \"of\" 'it'", "n": [1, None]}, "outcome": Outcome.IGNORED,
        "errors": None, **more,
    }  # fmt: skip


def written(connection, put):
    row = hook()
    put(connection, row)
    found = dict(connection.execute(select(HOOKS).where(HOOKS.c.id == row["id"])).mappings().one())
    return {**found, "id": None}


@pytest.mark.both_databases
def test_it_writes_what_sqlalchemy_would_and_the_defaults_of_what_is_left_out(deps):
    own = Insert(HOOKS)
    with deps.engine.begin() as connection:
        ours = written(connection, lambda on, row: own.into(on, [row]))
        theirs = written(connection, lambda on, row: on.execute(insert(HOOKS), [row]))
    assert ours == theirs
    assert (ours["times"], ours["errors"], ours["received_at"]) == (1, None, AT.astimezone(UTC))


@pytest.mark.both_databases
def test_rows_of_a_call_are_written_together_and_none_are_no_statement(deps):
    own, rows = Insert(HOOKS), [hook(size=number) for number in range(3)]
    with deps.engine.begin() as connection:
        own.into(connection, rows)
        own.into(connection, [])
        sizes = connection.scalars(select(HOOKS.c.size).where(HOOKS.c.id.in_([row["id"] for row in rows])))
        assert sorted(sizes) == [0, 1, 2]


@pytest.mark.both_databases
def test_what_the_database_refuses_is_sqlalchemys_error(deps):
    row = {"id": new_id(), "email": "ana@example.com", "email_norm": "ana@example.com", "unsubscribe_token": "one",
           "properties": {}, "created_at": AT, "updated_at": AT}  # fmt: skip
    with pytest.raises(IntegrityError), deps.engine.begin() as connection:
        Insert(CONTACTS).into(connection, [row, {**row, "id": new_id(), "unsubscribe_token": "two"}])


@pytest.mark.both_databases
def test_a_question_finds_what_sqlalchemys_own_select_finds_whatever_the_length_of_its_lists(deps):
    statement = (
        select(HOOKS.c.id, HOOKS.c.received_at, HOOKS.c.payload)
        .where(HOOKS.c.id.in_(bindparam("ids", expanding=True)), HOOKS.c.received_at >= bindparam("since"))
        .where(HOOKS.c.outcome.in_((Outcome.IGNORED, Outcome.ACCEPTED)))
        .order_by(HOOKS.c.id)
    )
    own, rows = Question(statement), [hook() for _ in range(6)]
    with deps.engine.begin() as connection:
        Insert(HOOKS).into(connection, rows)
        for many in (0, 1, 3, 5, 3):
            asked = {"ids": [row["id"] for row in rows[:many]], "since": AT - timedelta(days=1)}
            theirs = [dict(row) for row in connection.execute(statement, asked).mappings()]
            assert own.ask(connection, **asked) == theirs
            assert len(theirs) == many
        # In another zone than the ledger's, whose text would be earlier.
        assert not own.ask(connection, ids=[rows[0]["id"]], since=AT + timedelta(hours=1))


def test_a_time_is_kept_as_sqlalchemys_own_type_keeps_it(deps):
    own, dialect = HOOKS.c.received_at.type, deps.engine.dialect
    theirs = DateTime().dialect_impl(dialect).bind_processor(dialect)
    toronto = datetime(2026, 11, 1, 1, 30, tzinfo=ZoneInfo("America/Toronto"))
    for at in (AT, AT.replace(microsecond=0), datetime(1, 1, 1, tzinfo=UTC), toronto, toronto.replace(fold=1)):
        assert own.bind_processor(dialect)(at) == theirs(at.astimezone(UTC))
    with pytest.raises(ValueError, match="no time zone"):
        own.bind_processor(dialect)(AT.replace(tzinfo=None))


@pytest.mark.both_databases
def test_what_the_driver_says_is_told_in_sqlalchemys_words(deps):
    with pytest.raises(LedgerUnavailable) as found, deps.engine.begin() as connection:
        driver.ask(connection, "SELECT * FROM nowhere")
    assert "nowhere" in str(found.value.orig) and found.value.hide_parameters


@pytest.mark.both_databases
def test_a_row_is_inserted_once_and_the_second_is_told(deps):
    own = Insert(HOOKS)
    with deps.engine.begin() as connection:
        assert own.once(connection, hook(idempotency_key="one"), "idempotency_key")
        assert not own.once(connection, hook(idempotency_key="one"), "idempotency_key")
        assert not own.once(connection, hook(idempotency_key="one"))


@pytest.mark.both_databases
def test_an_update_of_rows_by_id_writes_what_sqlalchemy_would_and_only_that(deps):
    rows, change = [hook() for _ in range(3)], {"received_at": AT + timedelta(hours=1), "errors": {"n": ["é"]}}
    with deps.engine.begin() as connection:
        Insert(HOOKS).into(connection, rows)
        Update(HOOKS).by_id(connection, [{"id": row["id"], **change} for row in rows[:2]])
        ours = [dict(connection.execute(select(HOOKS).where(HOOKS.c.id == r["id"])).mappings().one()) for r in rows]
        connection.execute(update(HOOKS).where(HOOKS.c.id != rows[2]["id"]).values(change))
        theirs = [dict(connection.execute(select(HOOKS).where(HOOKS.c.id == r["id"])).mappings().one()) for r in rows]
    assert ours == theirs
    assert [row["errors"] for row in ours] == [change["errors"], change["errors"], None]
