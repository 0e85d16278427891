"""A ledger of the size that was asked for, on both databases."""

import pytest
from sqlalchemy import func, select

from bench.many import STEPS, fill
from funnel_app.ledger.database.engine import make_sessions, open_engine
from funnel_app.ledger.models import Contact, Email, Enrolment


@pytest.mark.parametrize("count", [0, 7, 20, 47])
def test_a_ledger_gets_exactly_as_many_as_were_asked_for(postgres_server, sqlite, count):
    for engine in (sqlite, open_engine(postgres_server.migrated(f"many_{count}"))):
        fill(engine, count, copied=20)
        with make_sessions(engine)[1]() as session:
            found = [session.scalar(select(func.count()).select_from(each)) for each in (Contact, Enrolment, Email)]
        engine.dispose()
        assert found == [count, count, count * STEPS]
