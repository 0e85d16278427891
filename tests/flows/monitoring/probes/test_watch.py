"""Watch: each thing that goes wrong by itself is told, once, in words that say what it means."""

from datetime import UTC, datetime, timedelta

import pytest

from funnel_app.campaigns.model import Event
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.monitoring.alerts.alarms import ALARMS, title_of
from funnel_app.flows.monitoring.check import fault
from funnel_app.flows.monitoring.notifications.notify import notify
from funnel_app.flows.monitoring.probes.gone_quiet import silence_of, silent_hooks
from funnel_app.flows.monitoring.probes.templates import watch_texts
from funnel_app.flows.monitoring.probes.watch import LOOKS, WEB_LOOKS, watch, watch_from_web
from funnel_app.flows.monitoring.scheduled_doctor import look_again, watch_with_doctor
from funnel_app.flows.monitoring.status.examination import last_examination
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.sending.record_event import record_event
from funnel_app.gateways.errors import Unavailable
from funnel_app.ledger import incidents
from tests.factories import make_deps
from tests.flows.leads import call, email_ids, opt_in, write_templates
from tests.flows.monitoring.live import GOOD, LIVE, depths, fail
from tests.flows.sending.test_record_event import report

LEADS = "https://discord.com/api/webhooks/1/secret"


@pytest.fixture
def live(deps):
    deps = make_deps(deps.engine, **LIVE, leads_webhook_url=LEADS)
    write_templates(deps, GOOD)
    return deps


def wrong(deps):
    with deps.reads() as session:
        return {incident.kind: incident.detail for incident in incidents.current(session)}


def test_where_all_is_well_nothing_is_told(live):
    watch(live)
    watch_from_web(live)
    watch_with_doctor(live)
    assert wrong(live) == {}


WRONG = {
    "Redis away": (lambda d: setattr(d.queues, "away", True), "redis_away", "cannot be reached"),
    "a dead scheduler": (lambda d: silent(d, "scheduler"), "scheduler_silent", "no scheduler has been heard of"),
    "a dead worker": (lambda d: silent(d, "worker:1"), "worker_gone", "1 of 2 workers"),
    "nobody home": (lambda d: fail(d.public, Unavailable("x", "no route")), "web_away", "no route"),
    "a wrong key": (lambda d: d.pause.pause("401 bad key", 60, "config"), "sending_paused", "401 bad key"),
    "a quota": (lambda d: d.pause.pause("429 quota", 60, "quota"), "sending_paused", "429 quota"),
    "Resend away": (lambda d: d.pause.pause("503", 60, "outage"), "resend_away", "503"),
    "a clock": (lambda d: d.pause.pause("it jumped", 60, "clock"), "clock_jumped", "it jumped"),
    "failed jobs": (lambda d: depths(d, failed=2), "jobs_failed", "2 failed"),
}


def silent(deps, name):
    deps.process_status.silent.add(name)
    deps.queues.dead.add(name)


@pytest.mark.parametrize("trouble", WRONG)
def test_what_is_wrong_is_noted_under_its_kind(live, trouble):
    make, kind, words = WRONG[trouble]
    make(live)
    watch(live)
    found = wrong(live)
    assert set(found) == {kind} and words in found[kind] and kind in ALARMS


@pytest.mark.parametrize(("minutes", "missed"), [(0, False), (5, True), (59, True), (61, False)])
def test_workers_of_a_container_that_died_are_missed_for_an_hour_and_then_forgotten(live, monkeypatch, minutes, missed):
    ours = live.process_status.seen
    others = {f"worker:other:{number}": live.now() - timedelta(minutes=minutes) for number in (1, 2)}
    monkeypatch.setattr(live.process_status, "seen", lambda: ours() | others)
    watch(live)
    assert wrong(live) == ({"worker_gone": "2 of 4 workers heard of in the last 60 s"} if missed else {})


def test_a_rate_that_is_used_up_is_no_incident(live):
    live.pause.pause("429 rate", 1, "rate_limited")
    watch(live)
    assert wrong(live) == {}


def test_a_full_disk_is_noted(live, monkeypatch):
    full = fault("disk space", "0.1 GB free", "make room")
    monkeypatch.setattr("funnel_app.flows.monitoring.probes.watch.free_space", lambda engine: full)
    watch(live)
    assert wrong(live) == {"disk_full": "0.1 GB free"}


def test_the_web_sees_a_scheduler_that_is_dead_and_a_redis_that_is_away(live):
    live.now.forward(seconds=1)
    silent(live, "scheduler")
    watch_from_web(live)
    assert set(wrong(live)) == {"scheduler_silent"}
    live.queues.away = live.process_status.away = True
    watch_from_web(live)
    assert set(wrong(live)) == {"scheduler_silent", "redis_away"}, "that nobody can look ends nothing"


def test_what_stands_still_in_silence_is_noted_but_not_what_is_explained(live):
    opt_in(live)
    live.now.forward(minutes=2)
    live.pause.pause("401 bad key", 60, "config")
    watch(live)
    assert set(wrong(live)) == {"sending_paused"}, "that emails wait while sending is paused is no news"
    live.pause.lift()
    live.now.forward(minutes=3)
    watch(live)
    found = wrong(live)
    assert set(found) == {"overdue"} and found["overdue"].startswith("1 due for over 60 seconds")


def test_held_emails_are_noted(live):
    live.notebook.pages.clear()
    deliver(live, email_ids(opt_in(live))[:1])
    watch(live)
    assert set(wrong(live)) == {"held"}
    notify(live)
    headline, told, meaning, *_ = live.alerts.posted[0][1].splitlines()
    assert headline == "Funnel at funnel.example: 1 thing needs you."
    assert told.startswith("🔴 1 email of “Day 1: your holiday playbook” cannot be made: ") and "held" not in told
    assert meaning.startswith("What it means: they wait, and so do the emails after them")


def test_after_a_flush_a_living_scheduler_is_not_taken_for_dead(live):
    live.process_status.silent.add("scheduler")
    watch(live)
    assert wrong(live) == {}


def test_a_redis_that_came_back_empty_is_not_told_as_a_dead_scheduler(live):
    silent(live, "scheduler")
    watch_from_web(live)
    live.now.forward(seconds=2)
    live.queues.dead.clear()
    watch_from_web(live)
    live.now.forward(minutes=3)
    watch_from_web(live)
    notify(live)
    assert (wrong(live), live.alerts.posted) == ({}, [])


def test_the_doctors_faults_are_told_but_not_those_that_are_watched_anyway(live):
    live.account.known.clear()
    fail(live.public, Unavailable("x", "no route"))
    watch_with_doctor(live)
    with live.reads() as session:
        (incident,) = incidents.current(session)
    assert (incident.kind, incident.subject) == ("doctor", "from domain") and "Add the domain" in incident.detail
    live.account.known["mail.businessx.example"] = "verified"
    live.now.forward(minutes=15)
    watch_with_doctor(live)
    assert wrong(live) == {}


def test_every_kind_that_is_looked_for_has_its_words():
    kinds = {kind for look in (*LOOKS, *WEB_LOOKS) for kind in look.kinds}
    assert kinds | {"doctor", "ledger_away", "backup_failed", "heartbeat_failed", "text_broken", "notion_away"} == set(
        ALARMS
    )
    assert title_of("something_new") == "Something new"


class TestTexts:
    """A text that cannot be sent is told within two minutes, by its title; who is still typing is left in peace."""

    KEY = "christmas_email_2"

    def go(self, deps, looks):
        for _ in range(looks):
            watch_texts(deps)
            notify(deps)
            deps.now.forward(seconds=45)

    def test_a_broken_text_is_told_at_the_second_look_and_its_fix_too(self, live):
        live.notebook.write(self.KEY, html="<p>{{ first_nam }}</p>")
        self.go(live, 1)
        assert live.alerts.posted == []
        self.go(live, 1)
        assert "🔴 A text cannot be sent (Day 2: the $500K mistake): " in live.alerts.posted[0][1]
        live.notebook.write(self.KEY, html=GOOD)
        self.go(live, 5)
        assert "🟢 Over: A text cannot be sent (Day 2" in live.alerts.posted[1][1]

    def test_what_is_broken_while_it_is_typed_is_not_told(self, live):
        live.notebook.write(self.KEY, html="<p>{{ first_na")
        self.go(live, 1)
        live.notebook.write(self.KEY, html=GOOD)
        self.go(live, 5)
        assert live.alerts.posted == []

    def test_many_broken_texts_are_one_thing(self, live):
        live.notebook.pages.clear()
        self.go(live, 2)
        assert live.alerts.posted[0][1].count("🔴") == 1 and "22 texts" in live.alerts.posted[0][1]

    def test_a_notion_that_is_away_says_nothing_of_the_texts(self, live):
        live.notebook.fault = Unavailable("notion", "503")
        for _ in range(3):
            with pytest.raises(Unavailable):
                watch_texts(live)
            live.now.forward(seconds=45)
        assert set(wrong(live)) == {"notion_away"}


class TestLookingAgain:
    """What all checks found is found again where it may be otherwise by now, and not all the time."""

    def looked_at(self, deps):
        return last_examination(deps.process_status).at

    @pytest.mark.both_databases
    def test_after_a_start_and_where_something_began_or_ended(self, live):
        look_again(live)
        began = self.looked_at(live)
        live.now.forward(minutes=2)
        look_again(live)
        assert self.looked_at(live) == began, "nothing happened since"
        live.pause.pause("401 bad key", 60, "config")
        watch(live)
        look_again(live)
        assert self.looked_at(live) == live.now()

    def test_a_fault_is_looked_at_again_after_a_minute(self, live):
        live.account.fault = Unavailable("resend", "503")
        look_again(live)
        began = self.looked_at(live)
        live.now.forward(seconds=50)
        look_again(live)
        assert self.looked_at(live) == began
        live.now.forward(seconds=10)
        look_again(live)
        assert self.looked_at(live) == live.now()

    def test_while_redis_is_away_nothing_is_looked_at(self, live):
        live.queues.away = live.process_status.away = True
        look_again(live)
        live.queues.away = live.process_status.away = False
        assert last_examination(live.process_status) is None


class TestSilence:
    """A hook is silent when nobody calls it for far longer than usual: a night is usual."""

    @staticmethod
    def by_day(now, days=14, per_hour=2):
        """Calls from 8 to 20 o'clock, on every day."""
        start = now.replace(hour=8, minute=0) - timedelta(days=days)
        spans = [timedelta(days=d, hours=h, minutes=m) for d in range(days) for h in range(12) for m in (0, 30)]
        return [start + span for span in spans]

    def test_a_night_is_no_silence_and_a_morning_without_calls_is(self, live):
        now = live.now().replace(hour=7, minute=59)
        times = self.by_day(now)
        assert silence_of(times, now) is None
        later = now + timedelta(hours=8)
        assert "no call for 20 h; usually one comes every 30 min, and after 12 h at most" in silence_of(times, later)

    def test_of_a_few_calls_nobody_can_say_what_is_usual(self, live):
        now = live.now()
        times = [now - timedelta(days=20) + timedelta(minutes=n) for n in range(9)]
        assert silence_of(times, now) is None

    def test_a_hook_called_every_minute_is_silent_after_an_hour(self, live):
        times = [live.now() + timedelta(minutes=n) for n in range(60)]
        assert silence_of(times, times[-1] + timedelta(minutes=59)) is None
        assert silence_of(times, times[-1] + timedelta(minutes=61))

    def test_the_hooks_of_the_ledger_are_looked_at_but_not_what_people_start(self, live):
        for number in range(12):
            enrol(live, call(f"lead{number}@resend.dev"))
            enrol(live, call(f"lead{number}@resend.dev", Event.BOOKING, source="keyboard", occurrence=str(number)))
            live.now.forward(minutes=20)
        assert silent_hooks(live) == {}
        live.now.forward(hours=3)
        assert set(silent_hooks(live)) == {"christmas/signup"}
        watch(live)
        assert "no call for 3 h" in wrong(live)["hook_silent"]

    def test_after_a_season_a_source_is_compared_with_what_came_after_it(self, live):
        def sign_up(first, minutes):
            for number in range(first, first + 12):
                enrol(live, call(f"lead{number}@resend.dev"))
                live.now.forward(minutes=minutes)

        live.now.at = datetime(2026, 12, 5, 16, tzinfo=UTC)
        sign_up(0, 20)
        live.now.forward(hours=5)
        assert set(silent_hooks(live)) == {"christmas/signup"}, "the season is open on its last day"
        live.now.forward(days=1)
        assert silent_hooks(live) == {}
        sign_up(12, 60)
        assert silent_hooks(live) == {}
        live.now.forward(hours=9)
        assert "usually one comes every 60 min" in silent_hooks(live)["christmas/signup"]

    def test_emails_without_an_echo_are_told_after_an_hour(self, live):
        first, second = (email_ids(opt_in(live, f"{name}@resend.dev"))[0] for name in ("ana", "bea"))
        deliver(live, [first])
        live.now.forward(minutes=59)
        watch(live)
        assert "provider_silent" not in wrong(live)
        live.now.forward(minutes=2)
        watch(live)
        assert "emails have gone out since 07:00" in wrong(live)["provider_silent"]
        record_event(live, report(live, first))
        live.now.forward(minutes=3)
        watch(live)
        assert "provider_silent" not in wrong(live)
        deliver(live, [second])
        live.now.forward(minutes=61)
        watch(live)
        assert "provider_silent" in wrong(live)
