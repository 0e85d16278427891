"""The next 24 hours: what goes is listed, and of what does not go it is said why."""

from datetime import timedelta

import pytest

from funnel_app.flows.console import operate
from funnel_app.flows.console.pausing import PauseRequest, pause_sending, resume_sending
from funnel_app.flows.console.today import look_at_today
from tests.apps import application
from tests.console_world import UNCLEAR, catch_up, hold, sign_up
from tests.factories import make_deps
from tests.flows.leads import assess, opt_in, write_templates
from tests.web.console import Operator

pytestmark = pytest.mark.both_databases


@pytest.fixture
def live(engine):
    deps = make_deps(engine, testing_mode=False)
    write_templates(deps)
    return deps


@pytest.fixture
def olga(live):
    """Somebody at the console."""
    operator = Operator(application(live).test_client())
    operator.log_in()
    return operator


def seen_and_read(deps, operator):
    """Return what Today has of the next day, and the words of its section."""
    section = operator.get("/console/").text.split('aria-labelledby="next"')[1].split("</section>")[0]
    return look_at_today(deps).ahead, " ".join(section.split())


@pytest.mark.parametrize("what", ["all", "lead_nurture"])
def test_an_email_that_a_pause_keeps_is_not_listed_as_going_and_is_once_the_pause_is_over(live, olga, what):
    opt_in(live)
    catch_up(live)
    pause_sending(live, PauseRequest(what, "a typo"), "Olga")
    live.now.forward(hours=1)
    ahead, words = seen_and_read(live, olga)
    assert (ahead.first, ahead.waiting, sum(count for _, count in ahead.hours)) == ([], 1, 0)
    assert "1 email that is due by then waits for the end of a pause" in words and "<table" not in words
    resume_sending(live, "all" if what == "all" else "christmas/lead_nurture", "Olga")
    ahead, words = seen_and_read(live, olga)
    assert (len(ahead.first), ahead.waiting) == (1, 0) and "a pause" not in words


def test_a_pause_that_is_over_by_then_or_is_of_another_sequence_keeps_nothing(live, olga):
    opt_in(live)
    catch_up(live)
    until = (live.now() + timedelta(hours=5)).strftime("%Y-%m-%d %H:%M")
    pause_sending(live, PauseRequest("all", "a typo", until), "Olga")
    pause_sending(live, PauseRequest("five_day", "a typo"), "Olga")
    live.now.forward(hours=1)
    ahead, _ = seen_and_read(live, olga)
    assert (len(ahead.first), ahead.waiting) == (1, 0)


def test_what_is_due_goes_next_and_of_each_lead_the_first(live, olga):
    opt_in(live)
    live.now.forward(seconds=30)
    assess(live, "bo@resend.dev")
    live.now.forward(seconds=20)
    ahead, words = seen_and_read(live, olga)
    assert ahead.due == 2 and "2 emails are due now</strong> and go next." in words
    assert 'class="empty"' not in words
    live.now.forward(seconds=30)
    ahead, words = seen_and_read(live, olga)
    assert ahead.due == 1 and "1 email is late</strong> and goes first." in words
    assert "1 email is due now</strong> and goes next." in words


def test_where_nothing_goes_in_a_day_the_next_is_named(live, olga):
    receipt = opt_in(live)
    catch_up(live)
    live.now.forward(seconds=1)
    ahead, words = seen_and_read(live, olga)
    assert ahead.later is None and len(ahead.first) == 1 and "Nothing goes" not in words
    operate.skip_step(live, ahead.first[0].id, "Olga")
    ahead, words = seen_and_read(live, olga)
    assert "Nothing goes in the next 24 hours; the next email goes Thursday 26 November" in words
    operate.stop(live, receipt.enrolment_id, "Olga")
    ahead, words = seen_and_read(live, olga)
    assert ahead.later is None and "No email is planned for the next 24 hours" in words


@pytest.mark.parametrize("how", ["held", "in doubt"])
def test_what_waits_behind_an_email_that_is_held_or_in_doubt_is_not_listed_as_going(live, olga, how):
    if how == "held":
        hold(live, many=2)
    else:
        for number in range(2):
            live.mailer.script.append(UNCLEAR)
            sign_up(live, number)
            catch_up(live)
    live.now.forward(hours=2)
    ahead, words = seen_and_read(live, olga)
    assert (ahead.first, ahead.due, ahead.waiting) == ([], 0, 2)
    assert "2 emails that are due by then wait" in words and "held or in doubt" in words


def test_in_testing_mode_the_emails_of_earlier_leads_wait_and_are_not_listed(live, engine):
    opt_in(live)
    catch_up(live)
    live.now.forward(seconds=1)
    testing = make_deps(engine, testing_mode=True)
    testing.now.at = live.now()
    ahead = look_at_today(testing).ahead
    assert (ahead.first, ahead.due, ahead.waiting) == ([], 0, 0)
    assert len(look_at_today(live).ahead.first) == 1
