"""The demo: leads come in through the public hooks, and every email is followed to its delivery or its stop."""

import argparse
import json
import signal
import sqlite3
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.mirrored import desk_faults
from sandbox.processes import MIRROR, ROOT, NotStarted
from sandbox.settings_file import settings_file
from sandbox.stack import Stack, running_stack, start_funnel
from sandbox.story import ALL_YEAR, HOOKS, STORY, Lead, Move, Observation, Scene

INTERVAL_S = 4
GIVE_UP_AFTER_S = 240.0
TOLD_WITHIN_S = 15.0
SETTINGS = "var/demo.env"
OPEN = frozenset({"planned", "sending", "sent", "held", "delayed", "ambiguous"})
STATES = """
    SELECT e.id, c.email, n.sequence, n.occurrence, e.step, e.state, COALESCE(e.reason, '')
    FROM emails e JOIN enrolments n ON n.id = e.enrolment_id JOIN contacts c ON c.id = n.contact_id
    ORDER BY c.email, n.created_at, e.step
"""


@dataclass
class Play:
    """The story under way: what each lead has still to do, and what was seen of each email."""

    scene: Scene
    to_come: dict[str, list[Move]] = field(default_factory=lambda: {lead.name: list(lead.moves) for lead in STORY})
    states: dict[str, str] = field(default_factory=dict)
    judged: bool = True

    def emails(self) -> dict[str, list[Observation]]:
        """Return every lead's emails, by address, telling what changed since the last time."""
        found: dict[str, list[Observation]] = {lead.address: [] for lead in STORY}
        for email_id, address, *rest in _rows(self.scene.stack.ledger):
            email = Observation(*rest)  # the columns of STATES after the address
            if address in found:  # who is signed up by hand meanwhile is only told of
                found[address].append(email)
            self._tell(email_id, address, email)
        return found

    def _tell(self, email_id: str, address: str, email: Observation) -> None:
        before = self.states.get(email_id, "planned")
        self.states[email_id] = email.state
        if before != email.state:
            _say(address, f"{email.sequence:<17} email {email.step}  {before} → {email.state}  {email.reason}")

    def go_on(self, emails: dict[str, list[Observation]]) -> None:
        """Let every lead do what they may do now."""
        for lead in STORY:
            moves = self.to_come[lead.name]
            while moves and moves[0].may_come(self.scene, emails[lead.address]):
                self._act(lead, moves.pop(0))

    def _act(self, lead: Lead, move: Move) -> None:
        status, answer = move.act(self.scene, lead.address)
        if status == 202:
            planned = sum(email["state"] == "planned" for email in answer["emails"])
            ended = "".join(f"; ends {row['sequence']}" for row in answer["ended"])
            came_of_it = f"{answer['status']}, {planned} emails planned{ended}"
        elif self.judged:
            raise NotStarted(f"{lead.name} {move.words}, and the hook answered {status}: {answer}")
        else:
            came_of_it = str(answer.get("reason") or answer.get("detail") or answer)
        _say(lead.address, f"{lead.name} {move.words}: {status} {came_of_it}")

    def is_over(self, emails: dict[str, list[Observation]]) -> bool:
        """Say whether everybody has done everything and no email can still change."""
        open_emails = any(email.state in OPEN for rows in emails.values() for email in rows)
        return not any(self.to_come.values()) and not open_emails


def main() -> int:
    """Run the demo; 0 only if every email that was expected was delivered, once, and every stop is the expected one."""
    parser = argparse.ArgumentParser(prog="make demo")
    parser.add_argument("--once", action="store_true", help="stop when all is told")
    once = parser.parse_args().once
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with (
            running_stack(INTERVAL_S, EXTRA_CAMPAIGNS=ALL_YEAR, **MIRROR) as stack,
            settings_file(ROOT / SETTINGS, _told(stack)),
        ):
            return _run(stack, once)
    except NotStarted as fault:
        print(f"\nThe demo could not start: {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; nothing is left running.")
        return 0


def _told(stack: Stack) -> dict[str, str]:
    return {**stack.settings, "SANDBOX_URL": stack.sandbox_url}


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _run(stack: Stack, once: bool) -> int:
    print("Starting Redis, the stand-ins for Notion and Resend, web, worker and scheduler …", flush=True)
    start_funnel(stack)
    print(f"\n  Website    {stack.sandbox_url}/website (sign yourself up, and follow it through)")
    print(f"  Inbox      {stack.sandbox_url}/\n  API        {stack.web_url}{HOOKS}/signup")
    print(f"  CRM        {stack.sandbox_url}/crm (who is told what happens to leads)")
    print(f"  Desk       {stack.sandbox_url}/desk (Notion, as the owner sees it)")
    password = stack.processes.env["CONSOLE_PASSWORD"]
    print(f"  Console    {stack.web_url}/console/ (any name, password {password})")
    print(f"  Health     {stack.web_url}/readyz")
    print(f"  Commands   in another terminal here: . {SETTINGS}  then  .venv/bin/flask --app wsgi trace EMAIL")
    print(f"  One day of a sequence takes {INTERVAL_S} seconds here.\n")
    emails = _play(Play(Scene(stack, timedelta(seconds=INTERVAL_S)), judged=once))
    if once:
        faults = _all_faults(stack, emails)
        if faults:
            _explain(stack, faults)
        return int(bool(faults))
    _stay(stack, emails)
    return 0


def _all_faults(stack: Stack, emails: dict[str, list[Observation]]) -> list[str]:
    return [
        *desk_faults(stack, STORY),
        *_verdict(stack, emails),
        *_inbox_faults(stack, emails),
        *_crm_faults(stack, emails),
    ]


def _stay(stack: Stack, emails: dict[str, list[Observation]]) -> None:
    """Leave everything running until Ctrl-C: a visitor may change what they like, and nobody judges it."""
    try:
        faults = _all_faults(stack, emails)
    except NotStarted as fault:
        faults = [str(fault)]
    if faults:
        print("\nNot as in the story, which is so where somebody joined in:")
        print("\n".join(f"  {fault}" for fault in faults))
    print(f"\nRead the emails and the owner's desk at {stack.sandbox_url}/ ; Ctrl-C stops everything.", flush=True)
    signal.pause()


def _play(play: Play) -> dict[str, list[Observation]]:
    deadline = time.monotonic() + GIVE_UP_AFTER_S
    emails = play.emails()
    while not play.is_over(emails) and time.monotonic() < deadline:
        play.go_on(emails)
        time.sleep(0.1)
        emails = play.emails()
    return emails


def _rows(ledger: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as connection:
        return connection.execute(STATES).fetchall()


def _verdict(stack: Stack, emails: dict[str, list[Observation]]) -> Iterator[str]:
    """Tell each lead's end in the words of `flask trace`, and return what is not as it should be."""
    missing = 0
    delivered = sum(email.delivered for rows in emails.values() for email in rows)
    stopped = sum(email.state not in OPEN and not email.delivered for rows in emails.values() for email in rows)
    print("\nWhat became of everybody:")
    for lead in STORY:
        print(f"\n  {lead.name}")
        story = json.loads(stack.flask("trace", lead.address, "--json"))
        sentences = [f"{row['sequence']:<17} {row['sentence']}" for row in story["enrolments"]]
        faults = list(_faults(lead, emails[lead.address]))
        print("\n".join(f"    {words}" for words in [*sentences, *(faults or ["as expected"])]))
        missing += len(faults)
        yield from (f"{lead.name}: {fault}" for fault in faults)
    print(
        f"\n{delivered} of {delivered + missing} emails delivered, {stopped} stopped with a reason, {len(STORY)} people"
    )


def _faults(lead: Lead, emails: list[Observation]) -> Iterator[str]:
    begun = {(email.sequence, email.occurrence) for email in emails}
    wanted = {(expected.sequence, expected.occurrence): expected for expected in lead.expected}
    yield from (f"{sequence} {occurrence} began" for sequence, occurrence in begun - wanted.keys())
    yield from (f"{sequence} {occurrence} never began" for sequence, occurrence in wanted.keys() - begun)
    for email in emails:
        expected = wanted.get((email.sequence, email.occurrence))
        if expected and (fault := expected.fault(email)):
            yield f"{email.sequence} {fault}"


def _inbox_faults(stack: Stack, emails: dict[str, list[Observation]]) -> Iterator[str]:
    handed_over = sum(email.delivered or email.state == "bounced" for rows in emails.values() for email in rows)
    arrived = sum(set(email["to"]) <= emails.keys() for email in stack.received())
    if arrived != handed_over:
        yield f"the inbox holds {arrived} emails, and {handed_over} were expected: each once"


def _crm_faults(stack: Stack, emails: dict[str, list[Observation]]) -> Iterator[str]:
    """Return what the CRM was not told of deliveries; it is told within seconds."""
    delivered = sum(email.delivered for rows in emails.values() for email in rows)
    deadline = time.monotonic() + TOLD_WITHIN_S
    while (told := _told_delivered(stack, emails.keys())) < delivered and time.monotonic() < deadline:
        time.sleep(0.1)
    if told != delivered:
        yield f"the CRM was told of {told} deliveries, and there are {delivered}"


def _told_delivered(stack: Stack, addresses: Collection[str]) -> int:
    events = stack.told()
    ids = {e["id"] for e in events if e["type"] == "email.delivered" and e["data"]["lead"]["email"] in addresses}
    return len(ids)


def _explain(stack: Stack, faults: list[str]) -> None:
    print("\nNot as expected:\n  " + "\n  ".join(faults), file=sys.stderr)
    for name in ("web", "worker", "scheduler"):
        print(f"--- {name}\n{stack.processes.log(name).read_text()[-2000:]}", file=sys.stderr)


def _say(address: str, words: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S}  {address:<28} {words}".rstrip())


if __name__ == "__main__":
    sys.exit(main())
