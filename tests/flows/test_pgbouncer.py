"""Through PgBouncer in transaction mode every hook is taken: nothing is bound to one connection of the server."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from funnel_app.app import create_app
from funnel_app.ledger import schema
from funnel_app.ledger.engine import open_engine
from tests.factories import make_deps
from tests.pgbouncer_server import pgbouncer
from tests.postgres_server import PostgresServer
from tests.web.callers import signup

HOOKS, CALLERS = 120, 16


@pytest.fixture
def pooled():
    """A ledger that is reached through PgBouncer alone."""
    server = PostgresServer().start()
    with pgbouncer(server) as url:
        engine = open_engine(url)
        schema.upgrade(engine)
        yield engine
        engine.dispose()
    server.stop()


def test_120_hooks_of_16_callers_are_all_taken(pooled):
    app = create_app(make_deps(pooled))

    def call(number: int) -> int:
        return signup(app.test_client(), email=f"lead{number}@resend.dev").status_code

    with ThreadPoolExecutor(CALLERS) as callers:
        assert Counter(callers.map(call, range(HOOKS))) == {202: HOOKS}
    with pooled.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM contacts")).scalar_one() == HOOKS
