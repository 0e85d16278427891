"""The play: leads and the owner act out the scenario, until no email can change any more."""

import sqlite3
import time
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from textwrap import indent
from typing import Any

from sandbox.processes import NotStarted
from sandbox.scenario import OPEN, SCENARIO, Lead, Move, Observation, Scene
from sandbox.steering import DEEDS, Deed
from sandbox.watch import Watch

GIVE_UP_AFTER_S, QUIET_AFTER_S = 480.0, 90.0
# Whatever a visitor did to the demo, these are what comes of it, and the demo stays.
VISITORS_DOING = (NotStarted, OSError, HTTPException, sqlite3.Error, LookupError, TypeError, ValueError)
QUIET = "Nothing has happened for {s:.0f} s. The story goes on once what keeps it is away: see {url}/console/"
STATES = """
    SELECT e.id, c.email, n.sequence, n.occurrence, e.step, e.state, COALESCE(e.reason, '')
    FROM emails e JOIN enrolments n ON n.id = e.enrolment_id JOIN contacts c ON c.id = n.contact_id
    ORDER BY c.email, n.created_at, e.step
"""


@dataclass
class Play:
    """The running scenario: each lead's remaining moves, and the observations of each email."""

    scene: Scene
    to_come: dict[str, list[Move]] = field(default_factory=lambda: {lead.name: list(lead.moves) for lead in SCENARIO})
    states: dict[str, str] = field(default_factory=dict)
    deeds: list[Deed] = field(default_factory=lambda: list(DEEDS))
    judged: bool = True
    changed_at: float = field(default_factory=time.monotonic)
    seen: dict[str, list[Observation]] = field(default_factory=lambda: {lead.address: [] for lead in SCENARIO})

    def to_the_end(self, watch: Watch) -> dict[str, list[Observation]]:
        """Play until no email can change any more; where it is judged, only while something happens."""
        gives_up_at = time.monotonic() + GIVE_UP_AFTER_S
        emails = self.emails()
        while not self.is_over(emails) and not (self.judged and (watch.ended() or time.monotonic() > gives_up_at)):
            self.go_on(emails)
            time.sleep(0.1)
            watch.look()
            if time.monotonic() - self.changed_at > QUIET_AFTER_S:
                # What a visitor prevented for good is not waited for.
                if self.judged or not _any_open(emails):
                    break
                watch.tell("quiet", QUIET.format(s=QUIET_AFTER_S, url=self.scene.stack.web_url))
            emails = self.emails()
        return emails

    def emails(self) -> dict[str, list[Observation]]:
        """Return every lead's emails by address, and print what changed."""
        try:
            rows = _rows(self.scene.stack.ledger)
        except sqlite3.Error:
            if self.judged:
                raise
            return self.seen
        self.seen = {lead.address: [] for lead in SCENARIO}
        for email_id, address, *rest in rows:
            email = Observation(*rest)  # the columns of STATES after the address
            if address in self.seen:  # who is signed up by hand meanwhile is only told of
                self.seen[address].append(email)
            self._show(email_id, address, email)
        return self.seen

    def _show(self, email_id: str, address: str, email: Observation) -> None:
        before = self.states.get(email_id, "planned")
        self.states[email_id] = email.state
        if before != email.state:
            self.changed_at = time.monotonic()
            _say(address, f"{email.sequence:<17} email {email.step}  {before} → {email.state}  {email.reason}")

    def go_on(self, emails: dict[str, list[Observation]]) -> None:
        """Make every lead's moves that are possible now."""
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
        except VISITORS_DOING as fault:
            if self.judged:
                raise
            return f"It cannot be done any more: {last_words(fault)}"
        finally:
            self.changed_at = time.monotonic()

    def _act(self, lead: Lead, move: Move) -> None:
        _say(lead.address, f"{lead.name} {move.words}: {self._came_of(lead, move)}")
        self.changed_at = time.monotonic()

    def _came_of(self, lead: Lead, move: Move) -> str:
        try:
            status, answer = move.act(self.scene, lead.address)
        except VISITORS_DOING as fault:
            if self.judged:
                raise
            return f"it cannot be done any more: {last_words(fault)}"
        if status == 202:
            planned = sum(email["state"] == "planned" for email in answer["emails"])
            ended = "".join(f"; ends {row['sequence']}" for row in answer["ended"])
            return f"202 {answer['status']}, {planned} emails planned{ended}"
        if self.judged:
            raise NotStarted(f"{lead.name} {move.words}, and the hook answered {status}: {answer}")
        return f"{status} {answer.get('reason') or answer.get('detail') or answer}"

    def is_over(self, emails: dict[str, list[Observation]]) -> bool:
        """Return whether all moves are done and no email can still change."""
        return not any(self.to_come.values()) and not self.deeds and not _any_open(emails)


def _any_open(emails: Mapping[str, Iterable[Observation]]) -> bool:
    return any(email.state in OPEN for rows in emails.values() for email in rows)


def _rows(ledger: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as connection:
        return connection.execute(STATES).fetchall()


def last_words(fault: BaseException) -> str:
    """Return the last line of what a fault says, which says why; its name where it says nothing."""
    return (str(fault).strip().splitlines() or [type(fault).__name__])[-1].strip()


def _say(address: str, words: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S}  {address:<28} {words}".rstrip())
