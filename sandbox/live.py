"""`make e2e-live`: one lead's journey through a deployed Funnel in testing mode, seen as any caller sees it."""

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.caller import Away, Broken, Caller
from sandbox.journey import STAGES, Journey, Stage
from sandbox.processes import stop_once
from sandbox.scenario import HOOKS

LOOK_AGAIN_S = 1.0
# Longer than a deployment keeps Funnel away.
AWAY_S = 90.0
# What a proxy answers while nobody is behind it, and Funnel while its ledger is away.
NOBODY_THERE = frozenset({502, 503, 504})
LONGEST_INTERVAL = timedelta(hours=1)
DELIVERED = re.compile(r"(\d+) of \d+ emails delivered")


@dataclass
class Run:
    """What one step of the journey started, as Funnel said last."""

    stage: Stage
    id: str
    state: str = ""
    said: str = ""

    @property
    def delivered(self) -> int:
        """How many of its emails are proven to have arrived."""
        found = DELIVERED.search(self.said)
        return int(found[1]) if found else 0

    @property
    def is_over(self) -> bool:
        """Return whether every email is delivered or stopped with a reason."""
        return self.state == "COMPLETED"

    def fault(self) -> str | None:
        """Return the fault at the end; None if all is well."""
        if self.is_over and self.delivered >= self.stage.delivered:
            return None
        return f"{self.stage.sequence} is {self.state or 'unknown'}: {self.said}"


@dataclass
class Live:
    """The journey under way: against whom, whose, until when, and what it has started."""

    caller: Caller
    journey: Journey
    deadline: float
    runs: list[Run] = field(default_factory=list)
    answered_at: float = field(default_factory=time.monotonic)
    away: bool = False

    def play(self) -> list[str]:
        """Do everything that the lead does, wait for the end of it all, and return what is not as it should be."""
        status, answer = self.caller.get("/readyz")
        if status != 200:
            raise Broken(f"/readyz answers {status}, {answer}: see what the doctor says there, and begin again.")
        for stage in STAGES:
            self._step(stage)
        self._wait("the end of all sequences", lambda: all(run.is_over for run in self.runs))
        return [fault for run in self.runs if (fault := run.fault())]

    def _step(self, stage: Stage) -> None:
        if stage.after_call:
            self._wait("the call", lambda: datetime.now(UTC) >= self.journey.call_at)
        run = self._begin(stage)
        self._wait(f"delivery in {stage.sequence}", lambda: run.delivered >= stage.delivered or run.is_over)
        if run.delivered < stage.delivered:
            raise Broken(f"{stage.sequence} is over before its time: {run.said}")

    def _begin(self, stage: Stage) -> Run:
        path = f"{HOOKS}/{stage.hook}"
        status, answer = self._call(path, {"email": self.journey.address, **stage.payload(self.journey)}, stage)
        if status != 202:
            raise Broken(f"{path} answers {status} where 202 was expected: {json.dumps(answer)}")
        ended = tuple(row["sequence"] for row in answer["ended"])
        if ended != stage.ends:
            raise Broken(f"the lead {stage.words}, and that ended {ended or 'nothing'}, not {stage.ends or 'nothing'}")
        _say(f"{stage.words}: {len(answer['emails'])} emails" + "".join(f", ends {name}" for name in ended))
        self._learn_interval([datetime.fromisoformat(email["due_at"]) for email in answer["emails"]])
        self.runs.append(Run(stage, answer["hook_id"]))
        return self.runs[-1]

    def _call(self, path: str, payload: Mapping[str, Any], stage: Stage) -> tuple[int, dict[str, Any]]:
        """Make one call, the same one again where Funnel is away: by its key, it is taken once."""
        key = f"{self.journey.name}-{stage.sequence}"
        while (called := self._unless_away(lambda: self.caller.post(path, payload, key))) is None:
            time.sleep(LOOK_AGAIN_S)
        return called

    def _learn_interval(self, due: list[datetime]) -> None:
        if self.journey.interval:
            return
        self.journey.interval = due[1] - due[0]
        if self.journey.interval >= LONGEST_INTERVAL:
            raise Broken("a day is a day there: set TESTING_MODE=true and begin again. One real enrolment was made.")

    def _wait(self, what: str, done: Callable[[], bool]) -> None:
        there = self._look()
        while not (there and done()):
            if time.monotonic() > self.deadline:
                raise Broken(f"the time is over while waiting for {what}: {'; '.join(self._open())}")
            time.sleep(LOOK_AGAIN_S)
            there = self._look()

    def _open(self) -> list[str]:
        return [f"{run.stage.sequence} is {run.state}: {run.said}" for run in self.runs if not run.is_over]

    def _look(self) -> bool:
        """Look at every run; False where Funnel is away."""
        return all(run.is_over or self._look_at(run) for run in self.runs)

    def _unless_away(self, ask: Callable[[], tuple[int, dict[str, Any]]]) -> tuple[int, dict[str, Any]] | None:
        """Return the answer; None where Funnel is away, as for a moment while it is deployed again."""
        try:
            status, answer = ask()
            if status in NOBODY_THERE:
                raise Away(f"{self.caller.url} answers {status}: {json.dumps(answer)}")
        except Away as fault:
            if time.monotonic() - self.answered_at > AWAY_S:
                raise
            if not self.away:
                _say(f"{fault}; asked again for {AWAY_S:.0f} s")
            self.away = True
            return None
        self.answered_at, self.away = time.monotonic(), False
        return status, answer

    def _look_at(self, run: Run) -> bool:
        looked = self._unless_away(lambda: self.caller.get(f"/api/flow_runs/{run.id}"))
        if looked is None:
            return False
        status, answer = looked
        if status != 200:
            raise Broken(f"run {run.id} answers {status}: {json.dumps(answer)}")
        before = run.said
        run.state, run.said = answer["state"]["type"], answer["state"]["message"]
        if run.said != before:
            _say(f"{run.stage.sequence:<17} {run.state.lower()}: {run.said}")
        if "testing mode" in run.said:
            raise Broken(f"an email was skipped; add {self.journey.address} to its TEST_RECIPIENTS: {run.said}")
        if "skipped" in run.said:
            raise Broken(f"an email was skipped: {run.said}")
        return True


def main(arguments: list[str] | None = None) -> int:
    """Play the journey; 0 only if every sequence began, ended and delivered as it should."""
    options = _options(arguments)
    secret = os.environ.get("HOOK_SECRET", "").partition(",")[0].strip()
    if not secret or not options.url.startswith(("https://", "http://")) or "@" not in options.to:
        print("Wanted: export HOOK_SECRET=…; make e2e-live URL=https://… TO=delivered+live@resend.dev", file=sys.stderr)
        return 2
    journey = _journey(options.to)
    print(f"{journey.address} goes through {options.url}, as any caller sees it.", flush=True)
    live = Live(Caller(options.url.rstrip("/"), secret), journey, time.monotonic() + options.within)
    try:
        faults = live.play()
    except Broken as fault:
        faults = [str(fault)]
    except KeyboardInterrupt:
        faults = ["stopped before its end"]
    print("".join(f"\nNot as it should be: {fault}" for fault in faults) or "\nEverything came as it should.")
    if live.runs:
        print(f"To remove this lead there: flask --app wsgi contacts erase {journey.address}")
    return 1 if faults else 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make e2e-live")
    parser.add_argument("--url", default="", help="where the deployed Funnel is")
    parser.add_argument("--to", default="", help="who gets the emails; the time is added before the @")
    parser.add_argument("--within", type=float, default=1500.0, help="how many seconds it may take at most")
    return parser.parse_args(arguments)


def _journey(to: str) -> Journey:
    # An address of its own each time: a sequence starts once for each person.
    stamp = f"{datetime.now(UTC):%m%d%H%M%S}"
    local, _, domain = to.rpartition("@")
    return Journey(f"{local}{'-' if '+' in local else '+'}{stamp}@{domain}", f"live-{stamp}")


def _say(words: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S}  {words}", flush=True)


if __name__ == "__main__":
    stop_once()
    sys.exit(main())
