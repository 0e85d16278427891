"""The demo's watch: a visitor may end any part of it, and is told once what has ended and how it comes again."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from jobs.processes import PARTS
from sandbox.redis_server import redis_executable
from sandbox.stack import Stack

NO_SETTINGS = "its settings are gone, so commands in another terminal do not find it any more; all else goes on"


@dataclass
class Watch:
    """What was told of a demo so far, and where its settings are."""

    stack: Stack
    settings: Path
    told: set[str] = field(default_factory=set)

    def look(self) -> None:
        """Tell of each part that has ended, and of settings that are gone; once of each."""
        for name, again in self.ended():
            self.tell(name, f"{name} has ended. Nobody starts it again but you: {again}")
        if not self.settings.exists():
            self.tell("settings", f"{self.settings.name}: {NO_SETTINGS}.")

    def tell(self, about: str, words: str) -> None:
        """Print a sentence, unless something was told about this."""
        if about not in self.told:
            print(f"\n{words}", flush=True)
        self.told.add(about)

    def ended(self) -> list[tuple[str, str]]:
        """Return the parts that have ended by themselves, each with what starts it again."""
        return list(self._ended())

    def _ended(self) -> Iterator[tuple[str, str]]:
        for name in self.stack.processes.ended():
            words = f". {self.settings}; {sys.executable} {' '.join(PARTS[name])}" if name in PARTS else "make demo"
            yield name, words
        if self.stack.redis.has_ended:
            yield "Redis", f"{redis_executable()} --port {self.stack.redis.port} --save '' --appendonly no"
