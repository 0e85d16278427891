"""What notices a failure by itself: the doctor's findings, and the alerts, each told once and once more when over."""

import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import delete

from funnel_app.campaigns.states import State
from funnel_app.deps import Deps
from funnel_app.flows.monitoring.alerts.alarms import ALARMS, DOCTOR
from funnel_app.flows.monitoring.check import Check, Status
from funnel_app.flows.monitoring.doctor import examine
from funnel_app.flows.monitoring.notifications.ledger_alarm import LedgerAlarm
from funnel_app.flows.monitoring.notifications.notify import notify
from funnel_app.flows.monitoring.probes.templates import watch_texts
from funnel_app.flows.monitoring.probes.watch import watch, watch_from_web
from funnel_app.flows.monitoring.scheduled_doctor import watch_with_doctor
from funnel_app.flows.monitoring.status.examination import last_examination
from funnel_app.gateways.errors import GatewayError
from funnel_app.ledger import incidents
from funnel_app.ledger.database.troubles import explain
from funnel_app.ledger.models.shared import TemplateVersion

BEGAN, OVER = "🔴 ", "🟢 Over: "
# A ledger that is away must be so for a while.
LOOKS_AT_LEDGER = 3
# An alarm's name, and the thing that it is about.
TITLE = re.compile(f"(?:{'|'.join(re.escape(alarm.title) for alarm in ALARMS.values())})(?: \\((?!it lasted)[^)]*\\))?")
# What a bare kind tells, without its title.
BARE = {
    State.HELD: re.compile(r"[\d,]+ emails? of “"),
    State.AMBIGUOUS: re.compile(r"[\d,]+ emails? may have gone out"),
}


def _title(told: str) -> str:
    if found := TITLE.match(told):
        return found[0]
    return next(ALARMS[kind].title for kind, words in BARE.items() if words.match(told))


@dataclass(frozen=True)
class Noticed:
    """What the doctor finds and what the chat is told while a failure lasts; nothing where there is no harm."""

    doctor: str = "nothing"
    alert: str = "none"


class Watcher:
    """A doctor and a chat that remember how all was before the failure; a dead scheduler leaves the web's look only."""

    # What the doctor finds of a Funnel that is well, and stays the same from play to play.
    usual: ClassVar[frozenset[tuple[str, Status]] | None] = None

    def __init__(self, deps: Deps) -> None:
        self.deps = deps
        self.by_web_only = False
        self.alarm = LedgerAlarm()
        if Watcher.usual is None:
            Watcher.usual = frozenset((check.name, check.status) for check in self._troubles())
            # Or this play alone would find its texts read a moment ago, which serve for a minute.
            with deps.sessions.begin() as session:
                session.execute(delete(TemplateVersion))

    def notice(self, **lasts: float) -> Noticed:
        """Look as the periodic tasks do, at once and after a while, and once more, so that what would be told again is.

        Return what is new since the beginning.
        """
        self.look(with_doctor=True)
        if lasts:
            self.deps.now.forward(**lasts)
            self.look()
        self.look()
        return self._noticed()

    def _noticed(self) -> Noticed:
        troubles = [check for check in self._troubles() if (check.name, check.status) not in (self.usual or ())]
        found = ", ".join(f"{check.name} ({check.status})" for check in troubles)
        return Noticed(found or "nothing", "; ".join(self.told(BEGAN)) or "none")

    def notice_unwritable_ledger(self, error: Exception) -> Noticed:
        """Look while nothing can be written: the ledger cannot remember that, and a process tells it."""
        for _ in range(LOOKS_AT_LEDGER):
            self.alarm.away(self.deps, explain(error))
            self.deps.now.forward(seconds=16)
        return self._noticed()

    def notice_room(self) -> None:
        """Look when the ledger can be written to again."""
        for _ in range(LOOKS_AT_LEDGER):
            self.alarm.back(self.deps)

    def look(self, *, with_doctor: bool = False) -> None:
        """Run the checks as the processes do; the doctor's, which cost most, if asked for or while it found a fault."""
        watch_from_web(self.deps)
        if not self.by_web_only:
            watch(self.deps)
            if with_doctor or DOCTOR in self._open():
                watch_with_doctor(self.deps)
            with suppress(GatewayError):
                watch_texts(self.deps)
        notify(self.deps)

    def all_is_over(self) -> bool:
        """Say whether each thing that was told of was told once, and its end once, some minutes after the failure."""
        self.by_web_only = False
        self.look()
        self.deps.now.forward(minutes=3)
        self.look(with_doctor=True)
        # What happens rather than lasts is over when no more of it came for an hour.
        if any(ALARMS[kind].quiet_for for kind in self._open()):
            self.deps.now.forward(hours=1)
            self.look()
        return Counter(self.told(BEGAN)) == Counter(self.told(OVER)) == Counter(set(self.told(BEGAN)))

    def _open(self) -> set[str]:
        with self.deps.reads() as session:
            return {incident.kind for incident in incidents.current(session)}

    def told(self, mark: str) -> list[str]:
        """Return the titles that the chat was told with a mark."""
        lines = (line for _, text in self.deps.alerts.posted for line in text.splitlines())
        return [_title(line.removeprefix(mark)) for line in lines if line.startswith(mark)]

    def _troubles(self) -> list[Check]:
        """Return what the doctor finds: now, or at his last look where no time has passed since."""
        last = last_examination(self.deps.process_status)
        checks = last.checks if last is not None and last.at == self.deps.now() else examine(self.deps)
        return [check for check in checks if check.status is not Status.OK]
