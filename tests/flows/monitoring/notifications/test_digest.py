"""The daily digest and the dead man's switch: silence is never taken for success."""

from datetime import UTC, datetime

import pytest

from funnel_app.flows.console.operate import skip_step
from funnel_app.flows.monitoring.notifications.digest import digest, digest_when_due
from funnel_app.flows.monitoring.notifications.heartbeat import ping
from funnel_app.flows.monitoring.notifications.notify import notify
from funnel_app.flows.privacy.suppress import suppress
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.sending.record_event import record_event
from funnel_app.gateways.errors import Unavailable
from funnel_app.ledger.models.base import Scope
from tests.factories import make_deps
from tests.flows.leads import assess, email_ids, email_ids_of, opt_in, write_templates
from tests.flows.monitoring.live import LIVE
from tests.flows.sending.test_record_event import report


@pytest.fixture
def live(engine):
    deps = make_deps(engine, **LIVE)
    write_templates(deps)
    return deps


def test_in_the_morning_yesterday_is_told_once(live):
    first, bounced = (email_ids(opt_in(live, f"{name}@resend.dev"))[0] for name in ("ana", "bea"))
    deliver(live, [first])
    record_event(live, report(live, first))
    deliver(live, [bounced])
    record_event(live, report(live, bounced, "email.bounced"))
    live.notebook.pages.clear()
    live.now.forward(minutes=2)
    held = email_ids(opt_in(live, "cy@resend.dev"))[0]
    deliver(live, [held])
    assess(live, sent_at=live.now())
    live.now.at = datetime(2026, 11, 25, 12, 59, tzinfo=UTC)
    assert not digest_when_due(live), "it is not yet eight in Toronto"
    live.now.forward(minutes=1)
    assert digest_when_due(live) and not digest_when_due(live)
    notify(live)
    ((_, text),) = live.alerts.posted
    assert text.count("2 things need you: 1 email of “Day 1: your holiday playbook” cannot be made") == 1
    assert "Tuesday 24 November: 4 due, 1 delivered, 1 skipped, 1 held, 1 bounced" in text


def test_each_way_of_ending_badly_is_counted_by_its_name(live):
    ends = {"ana": "email.bounced", "bea": "email.complained", "cy": "email.suppressed", "dan": "email.failed"}
    for name, kind in ends.items():
        email_id = email_ids(opt_in(live, f"{name}@resend.dev"))[0]
        deliver(live, [email_id])
        record_event(live, report(live, email_id, kind))
    live.now.at = datetime(2026, 11, 25, 15, 0, tzinfo=UTC)
    assert digest_when_due(live)
    notify(live)
    told = "4 due, 0 delivered, 1 bounced, 1 marked as spam, 1 not mailed, 1 failed"
    assert f"⚠️ Tuesday 24 November: {told}" in live.alerts.posted[0][1]


def test_all_that_was_due_is_told_by_what_became_of_it_and_a_stop_on_purpose_is_no_warning(live):
    deliver(live, email_ids(opt_in(live))[:1])
    record_event(live, report(live, email_ids_of(live)[0]))
    opt_in(live, "bea@resend.dev")
    suppress(live, "bea@resend.dev", Scope.ALL)
    skip_step(live, email_ids(opt_in(live, "cy@resend.dev"))[0], "Olga")
    assert "☀️ Tuesday 24 November: 3 due, 1 delivered, 1 cancelled, 1 skipped" in digest(live, live.now().date())


@pytest.mark.both_databases
def test_of_a_day_before_the_ledger_was_there_nothing_is_told_and_of_the_first_good_one_that_it_was(live):
    live.now.at = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
    assert not digest_when_due(live) and not digest_when_due(live)
    live.now.at = datetime(2026, 11, 25, 15, 0, tzinfo=UTC)
    assert digest_when_due(live)
    notify(live)
    assert "All is well: no email is due today\n☀️ Tuesday 24 November: 0 due, 0 delivered" in live.alerts.posted[0][1]


def test_without_a_chat_nothing_is_kept(engine):
    deps = make_deps(engine)
    deps.now.at = datetime(2026, 11, 25, 15, 0, tzinfo=UTC)
    assert not digest_when_due(deps)


class TestDeadMansSwitch:
    """It is pinged only while all is well, so that whoever listens hears of everything else."""

    def test_where_all_is_well_it_is_pinged(self, live):
        assert ping(live)
        assert live.alerts.pinged == [LIVE["heartbeat_url"]]

    def test_where_an_invariant_is_broken_it_is_not(self, live):
        opt_in(live)
        live.now.forward(minutes=2)
        assert not ping(live)

    def test_where_a_part_is_missing_it_is_not(self, live):
        live.process_status.away = True
        assert not ping(live)

    def test_without_an_address_nothing_is_called(self, engine):
        assert not ping(make_deps(engine))

    def test_an_address_that_does_not_answer_was_not_called(self, live):
        live.alerts.fault = Unavailable("hc", "503")
        assert ping(live) is None
