"""Who has written and not committed is waited for, ten seconds at most; who only reads, or comes later, is not."""

import pytest
from sqlalchemy import text

from funnel_app.ledger.database.uncommitted import LOOKS_EVERY_S, wait_for_writers
from tests.factories import make_deps

WRITES = text("UPDATE imports SET name = name")


@pytest.mark.both_databases
def test_who_wrote_before_is_waited_for_and_nobody_else(engine):
    deps, slept = make_deps(engine), []

    def come_and_go(seconds):
        slept.append(seconds)
        if len(slept) == 2:
            first.commit()
            later.execute(WRITES)

    if engine.dialect.name == "sqlite":
        assert wait_for_writers(deps.reads, ["imports"], slept.append) and slept == []
        return
    with engine.connect() as first, engine.connect() as later, engine.connect() as reader:
        first.execute(WRITES)
        reader.execute(text("SELECT name FROM imports"))
        assert wait_for_writers(deps.reads, ["contacts"], slept.append) and slept == []
        assert wait_for_writers(deps.reads, ["imports", "contacts"], come_and_go)
        assert slept == [LOOKS_EVERY_S] * 2
        assert not wait_for_writers(deps.reads, ["imports"], slept.append)
        assert sum(slept[2:]) == pytest.approx(10)
