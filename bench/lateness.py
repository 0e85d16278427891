"""How late emails go out that are spread over time, and that none goes early: `python -m bench.lateness [EMAILS]`.

Due times are whole seconds, as the ledger keeps them; lateness counts from then to the arrival at a stand-in of Resend.
Exit 1 where one is missing, came twice or came early.
"""

import sys
from datetime import UTC, datetime, timedelta

from bench.common import Row, calibrate, percentile, show
from bench.due import Bench, running_bench
from sandbox.command_line import command_line

SPREAD_S = 60
AHEAD = timedelta(seconds=10)
P99_S = 0.5


def measure(bench: Bench, emails: int) -> tuple[list[float], int]:
    """Return each email's lateness in seconds, and how many are missing or duplicate."""
    first = (datetime.now(UTC) + AHEAD).replace(microsecond=0)
    due = sorted(first + timedelta(seconds=n * SPREAD_S // emails) for n in range(emails))
    planned = dict(zip(map(str, bench.plan(due)), due, strict=True))
    seen = bench.wait_for(emails, within_s=AHEAD.total_seconds() + SPREAD_S + 120)["emails"]
    late = [at - planned[name].timestamp() for name, at in seen]
    came = [name for name, _ in seen]
    return late, len(planned.keys() ^ set(came)) + len(came) - len(set(came))


def main(emails: int) -> int:
    """Print the table; exit with 1 if an email is missing, duplicate or early."""
    machine = calibrate()
    with running_bench() as bench:
        late, faults = measure(bench, emails)
    early = sum(each < 0 for each in late)
    rows = [
        Row("due → handed over, the middle one", percentile(late, 0.5), "s"),
        Row("due → handed over, 99 of 100", percentile(late, 0.99), "s", P99_S, more_is_better=False),
        Row("due → handed over, the last", max(late), "s"),
        Row(f"of {emails} spread over {SPREAD_S} s: early", early, ""),
        Row(f"of {emails} spread over {SPREAD_S} s: missing or twice", faults, ""),
    ]
    show("From due to handed over", machine, rows)
    return int(bool(early or faults))


if __name__ == "__main__":
    sys.exit(main(**command_line(__doc__, emails=2000)))
