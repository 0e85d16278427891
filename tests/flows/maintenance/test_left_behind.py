"""Left behind: what an earlier release left planned in a sequence that has ended is cancelled with its reason."""

import pytest
from sqlalchemy import update

from funnel_app.flows.maintenance.left_behind import cancel_left_behind
from funnel_app.flows.monitoring.statistics.day import day_of, local_day, states_of_day
from funnel_app.flows.privacy.erase import erase
from funnel_app.flows.privacy.suppress import suppress
from funnel_app.ledger.models import Email, Scope
from tests.flows.leads import email_ids, look, opt_in


@pytest.mark.both_databases
def test_what_a_refused_batch_left_planned_in_an_ended_sequence_is_cancelled_and_nothing_else(ready):
    left, untried = email_ids(opt_in(ready))[:2]
    runs = email_ids(opt_in(ready, "bea@resend.dev"))[0]
    suppress(ready, "ana@resend.dev", Scope.ALL)
    reason = look(ready, left).enrolment.exit_reason
    leave_planned(ready, (left, 1), (runs, 1), (untried, 0))
    before = waiting(ready)
    assert cancel_left_behind(ready) == 1
    assert (look(ready, left).state, look(ready, left).reason) == ("cancelled", reason)
    assert [look(ready, each).state for each in (runs, untried)] == ["planned", "planned"]
    assert (waiting(ready), cancel_left_behind(ready)) == (before - 1, 0)


@pytest.mark.both_databases
def test_of_somebody_who_was_erased_since_no_page_is_made_again(ready):
    left = email_ids(opt_in(ready))[0]
    erase(ready, "ana@resend.dev")
    leave_planned(ready, (left, 1))
    assert cancel_left_behind(ready) == 1
    assert look(ready, left).enrolment.mirror_stale_since is None


def leave_planned(deps, *emails):
    with deps.sessions.begin() as session:
        for email_id, freezes in emails:
            values = {"state": "planned", "reason": "its batch was refused: it goes by itself", "freezes": freezes}
            session.execute(update(Email).where(Email.id == email_id).values(**values))


def waiting(deps):
    with deps.reads() as session:
        zone = deps.settings.timezone
        return day_of(states_of_day(session, local_day(deps.now(), zone), zone)).waiting
