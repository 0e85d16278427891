"""Turn: wait for one's turn to call Resend, at the rate that all of us share."""

from collections.abc import Callable
from uuid import UUID

from funnel_app.deps import Deps

LONGEST_SLEEP_S = 5.0


def wait_for_turn(deps: Deps, caller: UUID, keep: Callable[[], bool] = lambda: True) -> bool:
    """Wait until a call may be made, and take its turn; False where `keep`, asked meanwhile, says to give up.

    Whoever took a turn says `deps.rate.answered(caller)` when the call is over, or was not made.
    """
    while (wait := deps.rate.wait(caller)) > 0:
        if not keep():
            return False
        deps.sleep(min(wait, LONGEST_SLEEP_S))
    return True
