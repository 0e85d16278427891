"""The demo: leads come in through the public hook, and every email is followed to its delivery."""

import argparse
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.processes import NotStarted
from sandbox.stack import Stack, running_stack, start_funnel

INTERVAL_S = 3
GIVE_UP_AFTER_S = 90.0
HOOK = "/webhook/christmas/signup"
ASSESSMENT = {
    "assessment_score": 38,
    "red_systems": 2,
    "orange_systems": 3,
    "yellow_systems": 2,
    "green_systems": 1,
    "weakest_system_1": "Money",
    "weakest_system_2": "Marketing",
    "strongest_system": "Team",
    "revenue_leak_total": 48500,
}
LEADS: tuple[tuple[str, Callable[[], dict[str, Any]]], ...] = (
    ("opted in", lambda: {"email": "delivered+ana@resend.dev", "first_name": "Ana", "business_name": "Salon Ana"}),
    ("took the assessment", lambda: {"email": "delivered+bea@resend.dev", "first_name": "Bea", **ASSESSMENT}),
    (
        "took the assessment, and the website sent email 1",
        lambda: {
            "email": "delivered+cleo@resend.dev",
            "first_name": "Cleo",
            **ASSESSMENT,
            "email_1_sent_at": datetime.now(UTC).isoformat(),
            "email_1_status": "sent",
        },
    ),
)
STATES = """
    SELECT e.id, c.email, n.sequence, e.step, e.state, COALESCE(e.reason, '')
    FROM emails e JOIN enrolments n ON n.id = e.enrolment_id JOIN contacts c ON c.id = n.contact_id
    ORDER BY c.email, e.step
"""


def main() -> int:
    """Run the demo; 0 only if every email that was expected was delivered, and once."""
    parser = argparse.ArgumentParser(prog="make demo")
    parser.add_argument("--once", action="store_true", help="stop when all is delivered")
    once = parser.parse_args().once
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with running_stack(INTERVAL_S) as stack:
            return _play(stack, once)
    except NotStarted as fault:
        print(f"\nThe demo could not start: {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; nothing is left running.")
        return 0


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _play(stack: Stack, once: bool) -> int:
    print("Starting Redis, the stand-ins for Notion and Resend, web, worker and scheduler …")
    start_funnel(stack)
    print(
        f"\n  Inbox      {stack.sandbox_url}/\n  API        {stack.web_url}{HOOK}\n  Health     {stack.web_url}/readyz"
    )
    print(f"  One day of a sequence takes {INTERVAL_S} seconds here.\n")
    expected = sum(_send(stack, what, payload()) for what, payload in LEADS)
    delivered = _watch(stack.ledger, expected)
    verdict = _verdict(stack, expected, delivered)
    if not once and verdict == 0:
        print(f"\nRead the emails at {stack.sandbox_url}/ ; Ctrl-C stops everything.")
        signal.pause()
    return verdict


def _send(stack: Stack, what: str, payload: dict[str, Any]) -> int:
    status, answer = stack.post(HOOK, payload)
    emails = answer.get("emails", [])
    to_come = [email for email in emails if email["state"] == "planned"]
    print(f"{_clock()}  {payload['email']:<28} {what}: {status} {answer.get('status')}, {len(to_come)} emails planned")
    if status != 202:
        raise NotStarted(f"the hook answered {status}: {answer}")
    return len(to_come)


def _watch(ledger: Path, expected: int) -> int:
    seen: dict[str, str] = {}
    deadline = time.monotonic() + GIVE_UP_AFTER_S
    print()
    while time.monotonic() < deadline:
        for line in _changes(ledger, seen):
            print(line)
        delivered = sum(state == "delivered" for state in seen.values())
        if delivered >= expected:
            return delivered
        time.sleep(0.1)
    return sum(state == "delivered" for state in seen.values())


def _changes(ledger: Path, seen: dict[str, str]) -> Iterator[str]:
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as connection:
        rows = connection.execute(STATES).fetchall()
    for email_id, address, sequence, step, state, reason in rows:
        before = seen.get(email_id)
        if before != state:
            seen[email_id] = state
            change = f"{before} → {state}" if before else state
            yield f"{_clock()}  {address:<28} {sequence:<13} email {step}  {change}  {reason}".rstrip()


def _verdict(stack: Stack, expected: int, delivered: int) -> int:
    arrived = [(email["to"][0], email["subject"]) for email in stack.received()]
    twice = len(arrived) - len(set(arrived))
    print(f"\n{delivered} of {expected} emails delivered" + (f", {twice} of them twice" if twice else ""))
    if delivered == expected and not twice and len(arrived) == expected:
        return 0
    print(f"The inbox holds {len(arrived)}; see the logs:", file=sys.stderr)
    for name in ("web", "worker", "scheduler"):
        print(f"--- {name}\n{stack.processes.log(name).read_text()[-2000:]}", file=sys.stderr)
    return 1


def _clock() -> str:
    return datetime.now(UTC).strftime("%H:%M:%S")


if __name__ == "__main__":
    sys.exit(main())
