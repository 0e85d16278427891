"""Doctor: run all checks on request."""

from collections.abc import Iterable, Mapping

from flask.typing import ResponseReturnValue

from funnel_app.current import current_deps
from funnel_app.deps import Deps
from funnel_app.flows.monitoring.checks.check import Check, standing
from funnel_app.flows.monitoring.doctor import Status, examine_and_keep
from funnel_app.flows.monitoring.examination import Examination
from funnel_app.flows.monitoring.headline import current_headline
from funnel_app.flows.monitoring.undelivered import undelivered_lately
from funnel_app.ledger.database.engine import LedgerUnavailable
from funnel_app.web.console.frame import blueprint, page

# The check that has asked the same: where it found nothing there is nothing.
UNDELIVERED = "undelivered"
WORST_FIRST = (Status.FAULT, Status.WARNING, Status.OK)


@blueprint.get("/doctor")
def doctor() -> ResponseReturnValue:
    """Run all checks now, and show each finding with its fix, worst first."""
    deps = current_deps()
    checks = sorted(examine_and_keep(deps), key=lambda check: WORST_FIRST.index(check.status))
    counts = {status: standing(checks, status) for status in WORST_FIRST}
    examined = Examination(deps.now(), tuple(checks))
    headline = current_headline(deps, whole=_whole(deps, checks), examined=examined)
    return page("doctor.html", headline=headline, checks=checks, counts=counts, now=deps.now())


def _whole(deps: Deps, checks: Iterable[Check]) -> Mapping[str, str]:
    """Return what names addresses, in full as on Today; nothing where there is none, or the ledger cannot be asked."""
    if not any(check.name == UNDELIVERED and check.status is not Status.OK for check in checks):
        return {}
    try:
        return undelivered_lately(deps)
    except LedgerUnavailable:
        return {}
