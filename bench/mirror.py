"""How soon and with how many calls Notion shows what the ledger says, at Notion's own rate.

`python -m bench.mirror [LEADS] [CALLS_A_SECOND]`: opt-ins come in through the hook of a running Funnel; the first email
goes at once, the second when all rows are there. Every call of Notion counts, those for templates too.
"""

import json
import sys
import time
from collections import Counter
from urllib.request import urlopen

from sandbox.command_line import command_line
from sandbox.processes import MIRROR
from sandbox.stack import Stack, running_stack, start_funnel

MOST_A_NEW_LEAD = 4.5
# One; a call that Notion refused for the rate and that was made again is in the count.
MOST_A_CHANGE = 1.05
WAIT_S = 1200.0


def main(leads: int, rate: float) -> int:
    """Print the figures; exit with 1 if a row is missing or duplicate, or calls were wasted."""
    until_email_2 = int(leads * 3.4 / rate) + 60
    with running_stack(until_email_2, EVENTS_WEBHOOK_URL="", NOTION_RATE_LIMIT=str(rate), **MIRROR) as stack:
        start_funnel(stack)
        # One more than the budget: its windows need not begin with the stand-in's seconds.
        stack.control({"notion.rate_per_second": int(rate) + 1})
        before = _calls(stack)
        _opt_in(stack, leads)
        new = _measure(stack, "a new lead, its first email included", leads, 1, rate, before)
        change = _measure(stack, "a later change", leads, 2, rate, _calls(stack))
        print(f"{len(stack.rows('Contacts'))} contacts, {len(stack.rows('Email Sequence'))} sequences")
        good = new.total() / leads <= MOST_A_NEW_LEAD and _of_rows(change) / leads <= MOST_A_CHANGE
        return 0 if good and _once_each(stack, leads) else 1


def _opt_in(stack: Stack, leads: int) -> None:
    for n in range(leads):
        stack.post("/webhook/christmas/signup", {"email": f"delivered+{n}@resend.dev", "first_name": "Ana"})


def _measure(stack: Stack, what: str, leads: int, delivered: int, rate: float, before: Counter[str]) -> Counter[str]:
    began = _until(stack, leads, delivered, any_row=True)
    ended = _until(stack, leads, delivered, any_row=False)
    calls = _calls(stack) - before
    count, took = calls.total(), ended - began
    print(f"{what}: {count / leads:.2f} calls, {_of_rows(calls) / leads:.2f} of them of rows ({dict(calls)})")
    best = f"{count} calls take {count / rate:.0f} s at {rate:g} a second"
    print(f"  all {leads} current {took:.0f} s after the first; {best}")
    return calls


def _of_rows(calls: Counter[str]) -> int:
    return sum(count for name, count in calls.items() if " /pages" in name)


def _until(stack: Stack, leads: int, delivered: int, *, any_row: bool) -> float:
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        rows = [row for row in stack.rows("Email Sequence") if row["Delivered"] == str(delivered)]
        if rows and (any_row or len(rows) == leads):
            return time.monotonic()
        time.sleep(0.2)
    raise SystemExit(f"Not within {WAIT_S:.0f} s: {leads} rows with {delivered} delivered")


def _once_each(stack: Stack, leads: int) -> bool:
    wanted = Counter(f"delivered+{n}@resend.dev" for n in range(leads))
    return all(Counter(row["Email"] for row in stack.rows(title)) == wanted for title in ("Contacts", "Email Sequence"))


def _calls(stack: Stack) -> Counter[str]:
    with urlopen(f"{stack.sandbox_url}/control/calls", timeout=10) as response:
        found = json.load(response)
    return Counter({name.replace("/notion/v1", ""): n for name, n in found.items() if "/notion/" in name})


if __name__ == "__main__":
    sys.exit(main(**command_line(__doc__, leads=300, rate=3.0)))
