"""Play storms, then kill each process once, and print both tables: `python -m tests.chaos [STORMS] [FIRST SEED]`.

It ends with 1 where an email was lost, came twice or came too late.
"""

import sys
from collections.abc import Iterator
from dataclasses import fields

from sandbox.command_line import command_line
from tests.chaos.lateness import (
    BEFORE_THE_CALL,
    IN_FLIGHT_WITHIN_S,
    KILLS,
    PLANNED_WITHIN_S,
    Lateness,
    killed_before_due,
    killed_in_flight,
)
from tests.chaos.storm import Count, storm


def main(how_many: int, first: int) -> int:
    """Print one line a storm and one a kill as they end, then the verdicts."""
    return 0 if _storms(how_many, first) & _kills() else 1


def _storms(how_many: int, first: int) -> bool:
    names = [field.name for field in fields(Count)]
    print(f"| {' | '.join(names)} |\n|{'---|' * len(names)}", flush=True)
    counts = []
    for seed in range(first, first + how_many):
        counts.append(storm(seed))
        print(f"| {' | '.join(str(round(getattr(counts[-1], name), 1)) for name in names)} |", flush=True)
    emails, kills = sum(count.planned for count in counts), sum(count.kills for count in counts)
    lost, twice = sum(count.lost + count.open for count in counts), sum(count.twice for count in counts)
    untold = sum(count.untold for count in counts)
    print(
        f"\n{len(counts)} storms, {kills} kills, {emails} emails: {lost} lost, {twice} twice, {untold} untold\n",
        flush=True,
    )
    bad = [count.seed for count in counts if not count.well]
    if bad:
        print(f"Look at the seeds {bad}.\n", flush=True)
    return not bad


def _kills() -> bool:
    print("| killed | the last email was late by | allowed | twice |\n|---|---|---|---|", flush=True)
    well = True
    for lateness, allowed_s in _measured():
        late = f"{lateness.worst_s:.1f} s"
        print(f"| {lateness.killed} | {late} | {allowed_s:.0f} s | {lateness.twice} |", flush=True)
        well &= lateness.worst_s <= allowed_s and not lateness.twice
    return well


def _measured() -> Iterator[tuple[Lateness, float]]:
    for name in KILLS:
        yield killed_before_due(name), PLANNED_WITHIN_S
    for point in BEFORE_THE_CALL:
        yield killed_in_flight(point), IN_FLIGHT_WITHIN_S


if __name__ == "__main__":
    sys.exit(main(**command_line(__doc__, how_many=20, first=1)))
