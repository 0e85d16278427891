"""What is ahead: the gaps between steps, who is at which, and the calendar of the next 30 days."""

from datetime import date, timedelta

import pytest

from funnel_app.campaigns.model import Event
from funnel_app.campaigns.registry import UnknownCampaign
from funnel_app.flows.console import operate
from funnel_app.flows.console.calendar import DAYS, look_ahead
from funnel_app.flows.console.pausing import PauseRequest, pause_sending
from funnel_app.flows.console.sequences import draw_sequences, gaps_of, who_is_there
from funnel_app.flows.sending.deliver import deliver
from funnel_app.gateways.errors import Unavailable
from funnel_app.web.console.calendar import weeks_of
from tests.console_world import hold, send, sign_up
from tests.factories import christmas_only, make_deps
from tests.flows.leads import email_ids, opt_in, write_templates

HERE = ("christmas", "lead_nurture")


@pytest.mark.parametrize(
    ("sequence", "gaps"),
    [
        ("lead_nurture", ["at once", *["1 day later"] * 4]),
        ("noshow_recovery", ["5 minutes later", "about 1 day later", "1 day later"]),
        ("onboarding_phase1", ["1 hour later", "about 1 day later", "2 days later"]),
        ("precall_prep", ["3 days before the call", "2 days later", "22 hours later"]),
    ],
)
def test_an_arrow_says_how_long_after_the_email_before_it(sequence, gaps):
    assert list(gaps_of(christmas_only().sequence("christmas", sequence))) == gaps


class TestWhoIsThere:
    def test_a_lead_is_at_the_one_step_whose_email_is_next(self, ready):
        first, second = sign_up(ready, 0), sign_up(ready, 1)
        send(ready, second, 1)
        operate.pause(ready, second.enrolment_id, "Olga")
        drawn = next(each for each in draw_sequences(ready) if each.sequence.name == "lead_nurture")
        assert [(at.leads, at.paused) for at in drawn.here] == [(1, 0), (1, 1), (0, 0), (0, 0), (0, 0)]
        for number, receipt in ((1, first), (2, second)):
            found = who_is_there(ready, *HERE, number, None)
            assert [email.enrolment_id for email in found.emails] == [receipt.enrolment_id]
            assert found.here == drawn.here[number - 1] and found.next is None

    def test_who_ended_is_nowhere_and_what_is_held_is_stuck(self, ready):
        operate.stop(ready, sign_up(ready, 0).enrolment_id, "Olga")
        hold(ready, many=2)
        here = who_is_there(ready, *HERE, 1, None).here
        assert (here.leads, here.stuck) == (2, 2)

    @pytest.mark.both_databases
    def test_many_are_listed_page_by_page_without_gap_or_double(self, ready, monkeypatch):
        monkeypatch.setattr("funnel_app.flows.console.sequences.PAGE", 3)
        runs = [sign_up(ready, number).enrolment_id for number in range(7)]
        seen, after = [], None
        while True:
            found = who_is_there(ready, *HERE, 1, after)
            seen += [email.enrolment_id for email in found.emails]
            after = found.next
            if after is None:
                break
        assert seen == runs[::-1] and found.here.leads == 7

    @pytest.mark.parametrize("number", [0, 6])
    def test_a_step_that_is_not_there_is_named(self, ready, number):
        with pytest.raises(UnknownCampaign, match=f"has no email {number}; it has 5"):
            who_is_there(ready, *HERE, number, None)


class TestCalendar:
    @pytest.fixture
    def live(self, ready):
        return make_deps(ready.engine, testing_mode=False)

    def test_each_email_stands_on_its_day_in_the_business_s_zone(self, live):
        # In Toronto it is still the evening before.
        live.now.at = live.now().replace(hour=3)
        write_templates(live)
        opt_in(live)
        found = look_ahead(live)
        assert [day.day for day in found.days[:2]] == [date(2026, 11, 23), date(2026, 11, 24)]
        assert [day.goes for day in found.days[:6]] == [1, 1, 1, 1, 1, 0] and len(found.days) == DAYS
        assert found.days[1].going[0].key == "lead_nurture_email_2" and found.late.going == []

    def test_what_is_paused_is_told_apart_and_what_is_over_is_not_there(self, live):
        write_templates(live)
        runs = [opt_in(live, f"a{number}@resend.dev").enrolment_id for number in range(3)]
        operate.pause(live, runs[0], "Olga")
        operate.stop(live, runs[1], "Olga")
        tomorrow = look_ahead(live).days[1]
        assert (tomorrow.goes, tomorrow.paused) == (1, 1)

    def test_what_is_late_and_what_is_held_stand_apart(self, ready):
        hold(ready, many=2)
        opt_in(ready)
        ready.now.forward(seconds=5)
        found = look_ahead(ready)
        assert [(kept.key, kept.emails) for kept in found.held] == [("lead_nurture_email_1", 2)]
        assert [going.key for going in found.late.going] == ["lead_nurture_email_1"] and found.late.goes == 1
        assert sum(day.goes for day in found.days) == 12, "the steps after these, in testing mode all today"

    def test_it_says_why_nothing_goes_and_that_nothing_is_planned(self, ready):
        assert look_ahead(ready).empty and look_ahead(ready).standstill is None
        ready.pause.pause("401 missing_api_key", 300, "config")
        assert "401 missing_api_key" in look_ahead(ready).standstill

    def test_the_pause_of_one_sequence_is_said_and_that_of_all_is_the_standstill(self, ready):
        pause_sending(ready, PauseRequest("lead_nurture", "new texts"), "Olga")
        found = look_ahead(ready)
        assert found.standstill is None and "new texts" in found.pauses[0][1]
        pause_sending(ready, PauseRequest("all", "the shop is closed"), "Olga")
        found = look_ahead(ready)
        assert "the shop is closed" in found.standstill and len(found.pauses) == 1

    @pytest.mark.both_databases
    def test_a_subject_is_that_of_the_text_that_was_read_last(self, ready):
        receipt = opt_in(ready)
        deliver(ready, email_ids(receipt)[:1])
        opt_in(ready, "bea@resend.dev")
        ready.notebook.fault = Unavailable("notion", "502")
        subjects = {going.key: going.subject for day in look_ahead(ready).days for going in day.going}
        assert subjects["lead_nurture_email_1"] == "About lead_nurture_email_1"

    @pytest.mark.both_databases
    def test_a_reminder_of_a_call_beyond_the_30_days_is_not_on_it(self, live):
        write_templates(live)
        sign_up(live, 9, Event.BOOKING, call_at=live.now() + timedelta(days=32), occurrence="call-9")
        assert [day.goes for day in look_ahead(live).days if day.goes] == [1]

    def test_its_weeks_are_whole_and_begin_on_monday(self, ready):
        weeks = weeks_of(look_ahead(ready).days)
        assert {len(week) for week in weeks} == {7} and {week[0].day.weekday() for week in weeks} == {0}
