"""Each way an email can go wrong: what the ledger says, what trace says, who notices, nothing is lost or goes twice."""

import pytest

from docs.markdown import line
from docs.played import HEADS, row_of
from funnel_app.campaigns.states import OPEN, STOPPED, State
from funnel_app.flows.monitoring.statistics.stats import ledger_stats
from sandbox.processes import ROOT
from tests.failures.show import live, show
from tests.failures.table import FAILURES

# These say nothing yet: all goes its way, or nobody has noticed.
NO_REASON_YET = {"sent", "delivered", "planned", "sending"}
PAGE = (ROOT / "docs/failures.md").read_text().splitlines(keepends=True)


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: failure.name.replace(" ", "-"))
def test_a_failure_has_a_state_a_reason_and_an_end(sqlite, failure):
    deps = live(sqlite)
    seen, stage = show(failure, deps)
    assert (seen.state, seen.at_last) == (failure.meanwhile, failure.at_last)
    assert seen.noticed == failure.noticed
    assert seen.reason or seen.state in NO_REASON_YET
    assert seen.reason in seen.sentence
    assert f"email {1 if seen.state != 'delivered' else 2}" in seen.sentence
    assert line(row_of(failure.name, seen)) in PAGE, "run make docs"
    nothing_is_lost(deps, stage)
    nothing_goes_twice(deps, stage)


def nothing_is_lost(deps, stage) -> None:
    found = ledger_stats(deps)
    assert found["planned"] == found["delivered"] + sum(found["stopped"].values()) + found["open"]
    assert found["unexplained"] == 0
    email = stage.email
    assert email.state in OPEN | {State.DELIVERED} or (email.state in STOPPED and email.reason)


def nothing_goes_twice(deps, stage) -> None:
    assert all(count == 1 for count in stage.sent().values())
    assert ledger_stats(deps)["duplicates"] == 0


def test_the_table_names_every_failure_once_and_the_changelog_their_number():
    assert len({failure.name for failure in FAILURES}) == len(FAILURES)
    assert f"{len(FAILURES)} ways an email can go wrong" in (ROOT / "CHANGELOG.md").read_text()


def test_the_page_lists_them_in_this_order_and_no_others():
    first_line, last_line = PAGE.index(line(HEADS)), PAGE.index("<!-- /table -->\n")
    names = [row.split(" | ")[0].removeprefix("| ") for row in PAGE[first_line + 2 : last_line]]
    assert names == [failure.name for failure in FAILURES]
