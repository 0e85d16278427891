"""Turn: call Resend at the rate that all of us share, reads included."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import UUID

from funnel_app.deps import Deps

LONGEST_SLEEP_S = 5.0


@contextmanager
def turn(deps: Deps, caller: UUID, keep: Callable[[], bool] = lambda: True) -> Iterator[bool]:
    """Wait until a call may be made, which the block makes or leaves; False where `keep`, asked meanwhile, gives up."""
    if not _wait(deps, caller, keep):
        yield False
        return
    try:
        yield True
    finally:
        deps.rate.answered(caller)


def _wait(deps: Deps, caller: UUID, keep: Callable[[], bool]) -> bool:
    while (wait := deps.rate.wait(caller)) > 0:
        if not keep():
            return False
        deps.sleep(min(wait, LONGEST_SLEEP_S))
    return True
