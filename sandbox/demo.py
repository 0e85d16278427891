"""The demo: leads come in through the public hooks, and every email is followed to its delivery or its stop."""

import argparse
import signal
import sqlite3
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import indent
from typing import Any

from sandbox.processes import MIRROR, ROOT, NotStarted
from sandbox.scenario import ALL_YEAR, HOOKS, OPEN, SCENARIO, Lead, Move, Observation, Scene
from sandbox.settings_file import settings_file
from sandbox.stack import Stack, running_stack, start_funnel
from sandbox.steering import DEEDS, Deed, owners_files, write_letters
from sandbox.verdict import all_faults

INTERVAL_S = 4
GIVE_UP_AFTER_S = 240.0
SETTINGS = "var/demo.env"
# Where the owner reads what leads answer.
MAILBOX = "delivered+owner@resend.dev"
STATES = """
    SELECT e.id, c.email, n.sequence, n.occurrence, e.step, e.state, COALESCE(e.reason, '')
    FROM emails e JOIN enrolments n ON n.id = e.enrolment_id JOIN contacts c ON c.id = n.contact_id
    ORDER BY c.email, n.created_at, e.step
"""


@dataclass
class Play:
    """The story under way: what each lead has still to do, and what was seen of each email."""

    scene: Scene
    to_come: dict[str, list[Move]] = field(default_factory=lambda: {lead.name: list(lead.moves) for lead in SCENARIO})
    states: dict[str, str] = field(default_factory=dict)
    deeds: list[Deed] = field(default_factory=lambda: list(DEEDS))
    judged: bool = True

    def emails(self) -> dict[str, list[Observation]]:
        """Return every lead's emails, by address, telling what changed since the last time."""
        found: dict[str, list[Observation]] = {lead.address: [] for lead in SCENARIO}
        for email_id, address, *rest in _rows(self.scene.stack.ledger):
            email = Observation(*rest)  # the columns of STATES after the address
            if address in found:  # who is signed up by hand meanwhile is only told of
                found[address].append(email)
            self._show(email_id, address, email)
        return found

    def _show(self, email_id: str, address: str, email: Observation) -> None:
        before = self.states.get(email_id, "planned")
        self.states[email_id] = email.state
        if before != email.state:
            _say(address, f"{email.sequence:<17} email {email.step}  {before} → {email.state}  {email.reason}")

    def go_on(self, emails: dict[str, list[Observation]]) -> None:
        """Let every lead do what they may do now."""
        for lead in SCENARIO:
            moves = self.to_come[lead.name]
            while moves and moves[0].may_come(self.scene, emails[lead.address]):
                self._act(lead, moves.pop(0))
        for deed in [deed for deed in self.deeds if deed.may_come(emails)][:1]:
            self.deeds.remove(deed)
            self._steer(deed)

    def _steer(self, deed: Deed) -> None:
        print(f"\nThe owner {deed.words}:\n", flush=True)
        print(indent(self._told_of(deed).rstrip(), "    "))
        print(f"\n    See {self.scene.stack.web_url}{deed.at}\n", flush=True)

    def _told_of(self, deed: Deed) -> str:
        try:
            return deed.act(self.scene.stack)
        except NotStarted as fault:
            if self.judged:
                raise
            return f"It cannot be done any more: {str(fault).strip().splitlines()[-1]}"

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
        return not any(self.to_come.values()) and not self.deeds and not open_emails


def main() -> int:
    """Run the demo; 0 only if every email that was expected was delivered, once, and every stop is the expected one."""
    parser = argparse.ArgumentParser(prog="make demo")
    parser.add_argument("--once", action="store_true", help="stop when all is told")
    once = parser.parse_args().once
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with (
            owners_files() as folder,
            running_stack(
                INTERVAL_S, EXTRA_CAMPAIGNS=ALL_YEAR, CAMPAIGNS_DIR=str(folder), REPLY_FORWARD_TO=MAILBOX, **MIRROR
            ) as stack,
            settings_file(ROOT / SETTINGS, _told(stack)) as settings,
        ):
            return _run(stack, settings, once)
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


def _run(stack: Stack, settings: Path, once: bool) -> int:
    print("Starting Redis, the stand-ins for Notion and Resend, web, worker and scheduler …", flush=True)
    write_letters(stack)
    start_funnel(stack)
    print(f"\n  Website    {stack.sandbox_url}/website (sign yourself up, and follow it through)")
    print(f"  Inbox      {stack.sandbox_url}/\n  API        {stack.web_url}{HOOKS}/signup")
    print(f"  CRM        {stack.sandbox_url}/crm (who is told what happens to leads)")
    print(f"  Chat       {stack.sandbox_url}/chat (where the owner reads at once who answered)")
    print(f"  Desk       {stack.sandbox_url}/desk (Notion, as the owner sees it)")
    password = stack.processes.env["CONSOLE_PASSWORD"]
    print(f"  Console    {stack.web_url}/console/ (any name, password {password})")
    print(f"  Health     {stack.web_url}/readyz")
    print(f"  Files      {stack.processes.env['CAMPAIGNS_DIR']} (the owner's own campaigns and list)")
    print(f"  Commands   in another terminal here: . {settings.relative_to(ROOT)}", end="")
    print("  then  .venv/bin/flask --app wsgi trace EMAIL")
    print(f"  One day of a sequence takes {INTERVAL_S} seconds here.\n")
    emails = _play(Play(Scene(stack, timedelta(seconds=INTERVAL_S)), judged=once))
    if once:
        faults = all_faults(stack, emails, MAILBOX)
        if faults:
            _explain(stack, faults)
        return int(bool(faults))
    _stay(stack, emails)
    return 0


def _stay(stack: Stack, emails: dict[str, list[Observation]]) -> None:
    """Leave everything running until Ctrl-C: a visitor may change what they like, and nobody judges it."""
    try:
        faults = all_faults(stack, emails, MAILBOX)
    except (NotStarted, LookupError, TypeError, ValueError, OSError) as fault:
        # Whatever a visitor did to the leads of the story, the demo stays.
        faults = [f"not all could be told: {fault!r}"]
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


def _explain(stack: Stack, faults: list[str]) -> None:
    print("\nNot as expected:\n  " + "\n  ".join(faults), file=sys.stderr)
    for name in ("web", "worker", "scheduler"):
        print(f"--- {name}\n{stack.processes.log(name).read_text()[-2000:]}", file=sys.stderr)


def _say(address: str, words: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S}  {address:<28} {words}".rstrip())


if __name__ == "__main__":
    sys.exit(main())
