"""What the triggers that forget a day's counts cost an email of a batch: `python -m bench.triggers [PAIRS]`.

As `python -m bench.batch`, with the triggers of migration 0028 and without them in turn, so that whatever else the
machine does meanwhile meets both; the cheapest of each.
"""

import gc
import sys
import tempfile
import time
from contextlib import redirect_stderr
from pathlib import Path

from sqlalchemy import text

from bench.batch import EMAILS, deps_to_send, emails_due, stub
from bench.common import Row, calibrate, show
from funnel_app.deps import Deps
from funnel_app.flows.sending.backlog import deliver_due
from sandbox.command_line import command_line
from sandbox.redis_server import RedisServer

TRIGGERS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"


def main(pairs: int) -> int:
    """Print both costs."""
    machine = calibrate()
    with (
        tempfile.TemporaryDirectory() as folder,
        RedisServer() as redis,
        stub(Path(folder)) as url,
        (Path(folder) / "log").open("w") as log,
        redirect_stderr(log),
    ):
        costs = _alternating(deps_to_send(Path(folder), redis.url, url), pairs)
    rows = [Row(f"an email of a batch, {name} triggers", min(found), "ms", None) for name, found in costs.items()]
    show("The price of the triggers on emails", machine, rows)
    return 0


def _alternating(deps: Deps, pairs: int) -> dict[str, list[float]]:
    made = _triggers(deps)
    _cost(deps)
    gc.freeze()
    costs: dict[str, list[float]] = {"with": [], "without": []}
    for _ in range(pairs):
        costs["with"].append(_cost(deps))
        _run(deps, [f"DROP TRIGGER {name}" for name in made])
        costs["without"].append(_cost(deps))
        _run(deps, list(made.values()))
    return costs


def _triggers(deps: Deps) -> dict[str, str]:
    with deps.engine.connect() as connection:
        return {row.name: row.sql for row in connection.execute(text(TRIGGERS))}


def _run(deps: Deps, statements: list[str]) -> None:
    with deps.engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def _cost(deps: Deps) -> float:
    ids, began = emails_due(deps), time.process_time()
    deliver_due(deps, ids[0])
    return (time.process_time() - began) * 1000 / EMAILS


if __name__ == "__main__":
    sys.exit(main(**command_line(__doc__, pairs=7)))
