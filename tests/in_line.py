"""Callers that stand in line for the same commit."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

from funnel_app.ledger.database.group_commit import GroupCommit
from tests.pace import patient


def until(holds: Callable[[], bool]) -> None:
    """Wait for what another thread is about to do."""
    while not holds():
        Event().wait(0.001)


def together(line: GroupCommit[Any, Any], calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Let calls of `line.run` stand in line behind another, then let them go; return what each got, or its error."""
    leads, go = Event(), Event()

    def hold_up(gather: Callable[[], Sequence[Any]]) -> Sequence[Any]:
        taken = gather()
        leads.set()
        assert go.wait(patient(30))
        return taken

    with ThreadPoolExecutor(len(calls) + 1) as callers:
        callers.submit(line.run, "first", hold_up)
        assert leads.wait(patient(30))
        answers = []
        for number, call in enumerate(calls, start=1):
            answers.append(callers.submit(call))
            until(lambda number=number: len(line._line) == number)  # type: ignore[misc]
        go.set()
        return [answer.exception() or answer.result() for answer in answers]
