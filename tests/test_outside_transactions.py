"""The tests' own rule: a flow that asks a gateway while it holds a transaction fails its test."""

import pytest
from sqlalchemy import text

from tests.outside_transactions import CalledInTransaction


@pytest.mark.parametrize("sessions", ["sessions", "reads"])
def test_a_gateway_that_is_called_in_a_transaction_refuses(deps, sessions):
    with getattr(deps, sessions)() as session:
        session.execute(text("SELECT 1"))
        with pytest.raises(CalledInTransaction, match="in a transaction: ask it first"):
            deps.pause.current()
    assert deps.pause.current() is None
