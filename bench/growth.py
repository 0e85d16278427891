"""What a large ledger costs sending: `python -m bench.growth [EMAILS...]`, without numbers 0 and 100000.

A Funnel whose ledger already holds so many emails, a tenth of them still to come and on the clock, drains a thousand
that are due at once; on SQLite, and on PostgreSQL with `postgresql` among the arguments.
"""

import sys
from dataclasses import replace

from bench.common import Row, calibrate, show
from bench.drain import Drained, drain, ledgers
from bench.due import new_database, running_bench
from bench.many import STEPS, fill
from funnel_app.ledger.database.engine import open_engine
from sandbox.command_line import command_line

DUE, MOST_TIMES = 1000, 1.5


def main(sizes: list[int], full: bool) -> int:
    """Print the table; exit with 1 if an email is missing, duplicate or early."""
    machine, found = calibrate(), []
    with ledgers(full) as places:
        for where, url in places.items():
            for size in sizes:
                found.append((where, size, _measure(size, url)))
    show("A thousand due at once over a ledger of so many emails", machine, _rows(found))
    return int(any(drained.faults for _, _, drained in found))


def _measure(size: int, url: str) -> Drained:
    with running_bench(database=new_database(url, f"growth_{size}") if url else "") as bench:
        engine = open_engine(bench.stack.processes.env["DATABASE_URL"])
        fill(engine, size // STEPS)
        engine.dispose()
        return replace(drain(bench, DUE, 0), limit=0)


def _rows(found: list[tuple[str, int, Drained]]) -> list[Row]:
    rows: list[Row] = []
    empty: dict[str, float] = {}
    for where, size, drained in found:
        empty.setdefault(where, drained.cost_ms)
        what = f"{where}, {size} emails in the ledger: processor an email"
        rows.append(Row(what, drained.cost_ms, "ms", MOST_TIMES * empty[where], more_is_better=False))
        rows.append(Row(f"{where}, {size} emails in the ledger: emails a second", DUE / drained.took_s, "/s"))
    return rows


if __name__ == "__main__":
    given = command_line(__doc__, ("postgresql",), sizes=[0, 100_000])
    sys.exit(main(given["sizes"], given["postgresql"]))
