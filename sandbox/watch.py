"""The demo's watch: a visitor may end any part of it, is told what has ended, and sees it come again."""

import time
from dataclasses import dataclass, field
from pathlib import Path

from jobs.processes import PARTS
from sandbox.stack import Stack

# The console says within 90 seconds what is missing.
AGAIN_AFTER_S = 150.0
REDIS = "Redis"
ENDED = "{name} has ended{why}. {seen}; in {s:.0f} s it is started again."
SEEN = {"web": "The console and the hooks do not answer"}
LOST = "The stand-ins ({name}) have ended, and all emails and texts with them: press Ctrl-C, and begin again."
NO_SETTINGS = "its settings are gone, so commands in another terminal do not find it any more; all else goes on"


@dataclass
class Watch:
    """What was told of a demo so far, where its settings are, and since when each part is known to have ended."""

    stack: Stack
    settings: Path
    restarts: bool = True
    told: set[str] = field(default_factory=set)
    since: dict[str, float] = field(default_factory=dict)

    def look(self) -> None:
        """Tell of each part that has ended, once, and later start it again; tell of settings that are gone."""
        ended = self.ended() if self.restarts else []
        for name in ended:
            self._see_to(name)
        for name in self.since.keys() - ended:
            del self.since[name]
        if not self.settings.exists():
            self.tell("settings", f"{self.settings.name}: {NO_SETTINGS}.")

    def tell(self, about: str, words: str) -> None:
        """Print a sentence, unless something was told about this."""
        if about not in self.told:
            print(f"\n{words}", flush=True)
        self.told.add(about)

    def ended(self) -> list[str]:
        """Return the parts that have ended by themselves."""
        return self.stack.processes.ended() + [REDIS] * self.stack.redis.has_ended

    def _see_to(self, name: str) -> None:
        comes_again = name in {REDIS, *PARTS}
        if name not in self.since:
            self.since[name] = time.monotonic()
            words = ENDED if comes_again else LOST
            seen = SEEN.get(name, "The console says so within 90 seconds")
            told = words.format(name=name, why=self._last_words(name), seen=seen, s=AGAIN_AFTER_S)
            print(f"\n{told}", flush=True)
        elif comes_again and time.monotonic() - self.since[name] >= AGAIN_AFTER_S:
            del self.since[name]
            self._start(name)

    def _start(self, name: str) -> None:
        try:
            if name == REDIS:
                self.stack.redis.restart()
            else:
                self.stack.processes.start(name)
        except (OSError, RuntimeError) as fault:
            print(f"\n{name} cannot be started again: {fault}", flush=True)
        else:
            print(f"\n{name} is started again.", flush=True)

    def _last_words(self, name: str) -> str:
        """Return what a part said to people as it ended, as of a mistake in a file; empty where it only logged."""
        log = self.stack.processes.log(name)
        lines = log.read_text(errors="replace").splitlines() if name in PARTS and log.exists() else []
        last = lines[-1].strip().rstrip(".") if lines else ""
        return f": {last}" if last and not last.startswith("{") else ""
