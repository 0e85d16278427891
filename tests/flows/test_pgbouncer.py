"""Through PgBouncer in transaction mode every hook is taken: nothing is bound to one connection of the server."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text

from funnel_app.app import create_app
from tests.factories import make_deps
from tests.postgres_server import empty
from tests.web.callers import signup

HOOKS, CALLERS = 120, 16


@pytest.fixture
def pooled(pooled_postgres):
    """A ledger that is reached through PgBouncer alone."""
    yield pooled_postgres
    empty(pooled_postgres)


def test_120_hooks_of_16_callers_are_all_taken(pooled):
    app = create_app(make_deps(pooled))

    def call(number: int) -> int:
        return signup(app.test_client(), email=f"lead{number}@resend.dev").status_code

    with ThreadPoolExecutor(CALLERS) as callers:
        assert Counter(callers.map(call, range(HOOKS))) == {202: HOOKS}
    with pooled.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM contacts")).scalar_one() == HOOKS
