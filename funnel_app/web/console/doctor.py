"""Doctor: run all checks on request."""

from flask.typing import ResponseReturnValue

from funnel_app.current import current_deps
from funnel_app.flows.monitoring.check import standing
from funnel_app.flows.monitoring.doctor import Status, examine_and_keep
from funnel_app.flows.monitoring.headline import current_headline
from funnel_app.flows.monitoring.status.examination import Examination
from funnel_app.web.console.shared.frame import blueprint, page

WORST_FIRST = (Status.FAULT, Status.WARNING, Status.OK)


@blueprint.get("/doctor")
def doctor() -> ResponseReturnValue:
    """Run all checks now, and show each finding with its fix, worst first."""
    deps = current_deps()
    checks = sorted(examine_and_keep(deps), key=lambda check: WORST_FIRST.index(check.status))
    counts = {status: standing(checks, status) for status in WORST_FIRST}
    examined = Examination(deps.now(), tuple(checks))
    headline = current_headline(deps, examined=examined, whole=True)
    return page("doctor.html", headline=headline, checks=checks, counts=counts, now=deps.now())
