"""What the triggers that forget a day's counts cost an email of a batch: `python -m bench.triggers [PAIRS]`.

As `python -m bench.batch`, with the triggers of migration 0028 and without them in turn, so that whatever else the
machine does meanwhile meets both; the cheapest of each.
"""

import gc
import sys

from sqlalchemy import text

from bench.batch import cost_ms, ready_to_send, together
from bench.common import Row, calibrate, show
from funnel_app.deps import Deps
from sandbox.command_line import command_line

TRIGGERS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"


def main(pairs: int) -> int:
    """Print both costs."""
    machine = calibrate()
    with ready_to_send() as (deps, _):
        costs = _alternating(deps, pairs)
    rows = [Row(f"an email of a batch, {name} triggers", min(found), "ms", None) for name, found in costs.items()]
    show("The price of the triggers on emails", machine, rows)
    return 0


def _alternating(deps: Deps, pairs: int) -> dict[str, list[float]]:
    made = _triggers(deps)
    cost_ms(deps, together)
    gc.freeze()
    costs: dict[str, list[float]] = {"with": [], "without": []}
    for _ in range(pairs):
        costs["with"].append(cost_ms(deps, together))
        _run(deps, [f"DROP TRIGGER {name}" for name in made])
        costs["without"].append(cost_ms(deps, together))
        _run(deps, list(made.values()))
    return costs


def _triggers(deps: Deps) -> dict[str, str]:
    with deps.engine.connect() as connection:
        return {row.name: row.sql for row in connection.execute(text(TRIGGERS))}


def _run(deps: Deps, statements: list[str]) -> None:
    with deps.engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


if __name__ == "__main__":
    sys.exit(main(**command_line(__doc__, pairs=7)))
