"""A storm: leads come in while troubles strike; then calm, and a count of ledger and inbox against what was asked."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any
from urllib.error import URLError

from sandbox.scenario import ASSESSMENT
from sandbox.stack import Stack, running_stack
from tests.chaos.troubles import TROUBLES, Scene, relieve, revive, small_disk
from tests.chaos.wrong_clock import WrongClock
from tests.pace import patient
from tests.process.starting import start_funnel
from tests.process.watching import SIGNUP, emails

INTERVAL_S = 3
LEADS = 24
STORM_S = 18.0
TROUBLE_EVERY_S = 1.4
RELIEF_EVERY_S = 4.0
CALM_WITHIN_S = 150.0
TOLD_WITHIN_S = 60.0
CALLER_GIVES_UP_S = 60.0
OPEN = {"planned", "sending", "held", "ambiguous", "sent", "delayed"}


@dataclass(frozen=True)
class Count:
    """What a storm left behind. Nothing is lost, twice or open where all is well."""

    seed: int
    leads: int
    troubles: int
    kills: int
    jumps: int
    planned: int
    delivered: int
    stopped: int
    open: int
    lost: int
    twice: int
    untold: int
    calm_after_s: float

    @property
    def well(self) -> bool:
        """Say whether everything that was asked for ended, once, and whoever is told of it was."""
        return (
            not (self.lost or self.twice or self.open or self.untold) and self.planned == self.delivered + self.stopped
        )


def storm(seed: int) -> Count:
    """Play one storm, the same for the same seed as far as the machine allows; return the count."""
    with small_disk() as disk, running_stack(INTERVAL_S, **_ledger_on(disk)) as stack:
        clock = WrongClock(stack.processes.folder)
        stack.processes.env = {**stack.processes.env, **clock.env}
        start_funnel(stack)
        scene = Scene(stack, Random(seed), clock, disk)
        with ThreadPoolExecutor(LEADS) as callers:
            asked, troubles = _rage(scene, callers)
            relieve(scene)
            calm_from = time.monotonic()
            answers = [future.result() for future in asked]
            _wait_for_calm(scene, sum(answers))
        return _count(scene, seed, sum(answers), troubles, time.monotonic() - calm_from)


def _ledger_on(disk: Path | None) -> dict[str, str]:
    return {"DATABASE_URL": f"sqlite:///{disk}/funnel.db"} if disk else {}


def _rage(scene: Scene, callers: ThreadPoolExecutor) -> tuple[list[Future[int]], int]:
    arrivals = sorted(scene.random.uniform(0, STORM_S * 0.9) for _ in range(LEADS))
    strikes = _beats(TROUBLE_EVERY_S)
    reliefs = _beats(RELIEF_EVERY_S)
    asked: list[Future[int]] = []
    began, struck, kinds = time.monotonic(), 0, _all_kinds(scene.random)
    while (elapsed := time.monotonic() - began) < STORM_S or struck < len(TROUBLES):
        while arrivals and arrivals[0] <= elapsed:
            arrivals.pop(0)
            asked.append(callers.submit(_lead, scene.stack, len(asked), scene.random.random()))
        if next(reliefs)(elapsed):
            relieve(scene)
        if next(strikes)(elapsed):
            TROUBLES[next(kinds)](scene)
            struck += 1
        revive(scene)
        time.sleep(0.1)
    return asked, struck


def _all_kinds(random: Random) -> Iterator[str]:
    """Yield each kind of trouble once, in any order, and all again."""
    while True:
        yield from random.sample(list(TROUBLES), len(TROUBLES))


def _beats(every_s: float) -> Iterator[Callable[[float], bool]]:
    """Yield, for each look, a function that says whether another beat has come by this time."""
    due = every_s

    def has_come(elapsed: float) -> bool:
        nonlocal due
        come = elapsed >= due
        due += every_s if come else 0
        return come

    while True:
        yield has_come


def _lead(stack: Stack, number: int, luck: float) -> int:
    """Sign a lead up as a website does that tries again until it is answered; return how many emails it is due."""
    address = f"delivered+{number}@resend.dev"
    payload: dict[str, Any] = {"email": address, "first_name": "Ana"}
    if luck < 0.3:
        payload |= ASSESSMENT
    due = len(_until_answered(stack, payload)["emails"])
    if luck > 0.8:
        due += len(_until_answered(stack, {**payload, **ASSESSMENT})["emails"])
    return due


def _until_answered(stack: Stack, payload: dict[str, Any]) -> dict[str, Any]:
    until = time.monotonic() + patient(CALLER_GIVES_UP_S)
    while True:
        try:
            status, answer = stack.post(SIGNUP, payload)
            if status < 300:
                return answer
            problem = f"{status} {answer}"
        except (URLError, OSError, json.JSONDecodeError) as error:
            problem = str(error)
        assert time.monotonic() < until, f"the caller gave up: {problem}"
        time.sleep(0.3)


def _wait_for_calm(scene: Scene, due: int) -> None:
    until = time.monotonic() + patient(CALM_WITHIN_S)
    while time.monotonic() < until:
        revive(scene)
        rows = emails(scene.stack)
        if len(rows) >= due and not any(row["state"] in OPEN for row in rows):
            return
        time.sleep(0.3)


def _count_untold(stack: Stack) -> int:
    """Count the deliveries that the CRM was not told of; it is told soon after, as soon as a rest of it is over."""
    until, untold = time.monotonic() + patient(TOLD_WITHIN_S), 1
    while untold and time.monotonic() < until:
        told = {event["id"] for event in stack.told() if event["type"] == "email.delivered"}
        untold = sum(row["state"] == "delivered" for row in emails(stack)) - len(told)
        time.sleep(0.3)
    return untold


def _count(scene: Scene, seed: int, due: int, troubles: int, calm_after_s: float) -> Count:
    untold = _count_untold(scene.stack)
    rows = emails(scene.stack)
    states = Counter(row["state"] for row in rows)
    received = Counter(email["tags"]["email"] for email in scene.stack.received())
    left = sum(states[state] for state in OPEN)
    return Count(
        seed=seed,
        leads=LEADS,
        troubles=troubles,
        kills=scene.kills,
        jumps=scene.jumps,
        planned=due,
        delivered=states["delivered"],
        stopped=len(rows) - states["delivered"] - left,
        open=left,
        # An email that the ledger calls delivered and the inbox does not hold is lost too, whoever says what.
        lost=(due - len(rows)) + max(0, states["delivered"] - len(received)),
        twice=sum(received.values()) - len(received),
        untold=untold,
        calm_after_s=calm_after_s,
    )
