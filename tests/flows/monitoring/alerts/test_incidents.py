"""Incidents: told once when something is wrong and once when it is over, by many processes too; never in a flood."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from funnel_app.flows.monitoring.alerts.incidents import KEPT_FOR, forget_old, note
from funnel_app.flows.monitoring.checks.outside import alerting
from funnel_app.flows.monitoring.headline import headline
from funnel_app.flows.monitoring.notifications.ledger_alarm import LedgerAlarm
from funnel_app.flows.monitoring.notifications.notify import MOST_AN_HOUR, message, notify, undelivered_notifications
from funnel_app.flows.monitoring.statistics.day import Day
from funnel_app.flows.monitoring.status.needs import Need, NeedKind
from funnel_app.gateways.errors import Rejected, Unavailable
from funnel_app.ledger import notices
from funnel_app.ledger.models.watch import Incident, Notice
from tests.factories import make_deps

CHAT = "https://hooks.slack.com/services/T000/B000/secret"
# Only its own task knows of it: what can be asked again counts only while it is found.
LATE = {("backup_failed", ""): "the disk is full"}


@pytest.fixture
def deps(engine):
    return make_deps(engine, alert_webhook_url=CHAT)


def round_of(deps, found, kinds=("backup_failed",)):
    note(deps, found, kinds)
    notify(deps)


def said(deps):
    return [text for _, text in deps.alerts.posted]


def test_an_incident_is_told_once_and_its_end_once(deps):
    for _ in range(5):
        round_of(deps, LATE)
        deps.now.forward(seconds=10)
    (text,) = said(deps)
    assert text.splitlines() == [
        "Funnel at funnel.example: 1 thing needs you.",
        "🔴 No backup was made: the disk is full",
        (
            "What it means: after a loss of the ledger the last one would be what is left. "
            "What to do: See whether the volume of BACKUP_DIR has room, then run flask ledger backup."
        ),
        "https://funnel.example/console/ · in full: https://funnel.example/console/runbook#backup_failed",
    ]
    assert deps.alerts.posted[0][0] == CHAT
    for _ in range(20):
        deps.now.forward(seconds=10)
        round_of(deps, {})
    well = "Funnel at funnel.example: All is well: no email is due today"
    assert said(deps)[1:] == [f"{well}\n🟢 Over: No backup was made (it lasted 1 min)"]


SILENT, OTHER = (
    "🔴 The scheduler is silent: silent since 07:05\nWhat it means: none",
    "🔴 A job: failed\nWhat it means: x",
)
STOP = headline(("Sending stands still", "silent since 07:05"), (), Day())
HOST = "Funnel at funnel.example: "


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        ([OTHER, SILENT], ["🔴 The scheduler is silent.\nWhat it means: none", OTHER]),
        ([], []),
        ([OTHER], [OTHER]),
        (["🟢 Over: The scheduler is silent: silent since 07:05"],) * 2,
        (["🔴 A name: \nWhat it means: x"],) * 2,
        ([f"{STOP.sentence}\n☀️ Monday"], ["☀️ Monday"]),
    ],
)
def test_a_stop_that_the_headline_tells_of_is_not_told_again_and_all_else_is(deps, texts, told):
    said = message(deps.settings, STOP, texts)
    assert said == "\n".join([f"{HOST}Sending stands still: silent since 07:05", *told])


@pytest.mark.parametrize(
    ("needs", "text", "opening"),
    [
        (["A: b"], "🔴 A: b", "1 thing needs you."),
        (["A: b", "C", "D"], "🔴 A: b.\nWhat it means: x", "3 things need you."),
        (["A: b"], "🔴 A: b (https://funnel.example/console/leads/1)", "1 thing needs you."),
        (["A: b; " + "c " * 199 + "c"], "🔴 A: b; " + "c " * 199 + "c", "1 thing needs you."),
        (["A: b", "C: d"], "🔴 C: d", "2 things need you: A: b; and 1 more"),
        (["A: b; c"], "🔴 A: b", "1 thing needs you: A: b; c"),
        (["A: b"], "🟢 Over: A: b", "1 thing needs you: A: b"),
        ([], "🔴 A: b", "All is well: no email is due today"),
    ],
)
def test_a_need_that_stands_below_is_not_told_in_the_headline_too(deps, needs, text, opening):
    found = headline(None, [Need(words, NeedKind.INCIDENT) for words in needs], Day())
    assert message(deps.settings, found, [text]) == f"{HOST}{opening}\n{text}"


@pytest.mark.parametrize("stop", [("Sending stands still", "c " * 199 + "c"), None])
def test_what_is_cut_in_the_headline_stays_whole_below_it(deps, stop):
    found = headline(stop, [Need("c " * 199 + "c", NeedKind.INCIDENT), Need("d", NeedKind.INCIDENT)], Day())
    texts = [f"{found.sentence}\n☀️ Monday"]
    texts = [f"🔴 The scheduler is silent: {found.named}\nWhat it means: none", *texts] if stop else texts
    opening, below = message(deps.settings, found, texts).split("\n", 1)
    assert opening.endswith(" …") and below == "\n".join(texts)


def test_what_comes_and_goes_is_one_incident(deps):
    for _ in range(10):
        round_of(deps, LATE)
        deps.now.forward(seconds=60)
        round_of(deps, {})
        deps.now.forward(seconds=30)
    assert len(said(deps)) == 1


def test_what_returns_after_its_end_is_told_again(deps):
    for _ in range(2):
        round_of(deps, LATE)
        deps.now.forward(minutes=3)
        round_of(deps, {})
    assert [text.split("\n")[1][0] for text in said(deps)] == ["🔴", "🟢", "🔴", "🟢"]


def test_what_passes_before_anybody_need_know_is_never_told(deps):
    note(deps, {("redis_away", ""): "gone"}, ["redis_away"])
    deps.now.forward(seconds=20)
    round_of(deps, {}, ["redis_away"])
    assert said(deps) == []
    note(deps, {("redis_away", ""): "gone"}, ["redis_away"])
    deps.now.forward(seconds=30)
    round_of(deps, {("redis_away", ""): "gone"}, ["redis_away"])
    assert len(said(deps)) == 1


def test_nothing_is_over_because_nobody_could_look(deps):
    round_of(deps, LATE)
    deps.now.forward(minutes=10)
    round_of(deps, {}, ["redis_away"])
    assert len(said(deps)) == 1


def test_who_has_nothing_to_tell_waits_for_nobody_who_writes(deps):
    """Every web process looks each few seconds, and on SQLite a transaction that may write waits for its turn."""
    with deps.sessions.begin() as session:
        session.execute(update(Notice).values(attempts=0))
        assert notify(deps) == 0


@pytest.mark.both_databases
def test_processes_that_see_the_same_at_once_tell_it_once(deps):
    with ThreadPoolExecutor(8) as processes:
        list(processes.map(lambda _: round_of(deps, LATE), range(24)))
    assert len(said(deps)) == 1
    with deps.reads() as session:
        assert len(session.scalars(select(Incident)).all()) == 1


def test_no_address_and_no_secret_is_told(deps):
    note(deps, {("doctor", "x"): f"ana.silva@client.example was refused by {CHAT} with re_1234567890"}, ["doctor"])
    notify(deps)
    assert "a***@client.example was refused by *** with ***" in said(deps)[0]


def test_a_long_detail_is_cut_between_words(deps):
    note(deps, {("doctor", "x"): "template " * 100}, ["doctor"])
    notify(deps)
    assert "template template …\n" in said(deps)[0] and len(said(deps)[0].splitlines()[1]) < 600


def test_what_happens_together_is_said_together(deps):
    round_of(deps, {("hook_silent", f"christmas/{name}"): "no call" for name in ("signup", "booking")})
    assert len(said(deps)) == 1 and said(deps)[0].count("🔴") == 2


def test_a_chat_is_never_flooded_and_nothing_is_lost(deps):
    found = {}
    for number in range(40):
        found[("hook_silent", f"hook {number}")] = "no call"
        round_of(deps, found, [])
        deps.now.forward(seconds=10)
    assert len(said(deps)) == MOST_AN_HOUR
    deps.now.forward(hours=1)
    while notify(deps):
        pass
    assert sum(text.count("🔴") for text in said(deps)) == 40 and len(said(deps)) < 2 * MOST_AN_HOUR


def test_a_chat_that_is_away_hears_of_it_later(deps):
    deps.alerts.fault = Unavailable("hooks.slack.com", "answered 503")
    round_of(deps, LATE)
    (chat,) = undelivered_notifications(deps.reads)
    assert (chat.setting, chat.number, chat.since) == ("ALERT_WEBHOOK_URL", 1, deps.now())
    assert (chat.error, chat.refused) == ("hooks.slack.com: answered 503", False)
    deps.alerts.fault = None
    notify(deps)
    assert said(deps) == [], "not at once"
    deps.now.forward(seconds=21)
    notify(deps)
    assert len(said(deps)) == 1 and undelivered_notifications(deps.reads) == []


AWAY = Unavailable("hooks.slack.com", "answered 503")
REFUSED = Rejected("hooks.slack.com", "answered 404: it does not know this webhook any more", "404")


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("fault", "grown"), [(AWAY, [320, 600, 600, 600]), (REFUSED, [320, 640, 1280, 2560, 3600, 3600])]
)
def test_tries_grow_apart_up_to_ten_minutes_and_to_an_hour_where_only_a_person_can_fix(deps, fault, grown):
    deps.alerts.fault = fault
    note(deps, LATE, ["backup_failed"])
    waits = []
    for _ in range(4 + len(grown)):
        notify(deps)
        with deps.reads() as session:
            until = session.scalars(select(Notice.lease_until)).one()
        waits.append((until - deps.now()).total_seconds())
        deps.now.at = until
    assert waits == [20, 40, 80, 160, *grown]


def test_a_chat_that_refuses_is_a_fault_that_names_its_setting_and_what_to_do(deps):
    deps.alerts.fault = REFUSED
    round_of(deps, LATE)
    (check,) = alerting(deps)
    assert (check.status, check.detail) == (
        "fault",
        (
            "ALERT_WEBHOOK_URL is refused (hooks.slack.com: answered 404: it does not know this webhook any more): "
            "1 message undelivered since 07:00"
        ),
    )
    assert "make a new address for messages in the chat, set ALERT_WEBHOOK_URL to it" in check.fix


def test_when_a_chat_takes_messages_again_all_that_waited_is_said(deps):
    deps.alerts.fault = REFUSED
    note(deps, LATE, ["backup_failed"])
    for _ in range(12):
        notify(deps)
        deps.now.forward(hours=1)
    notify(deps)
    deps.alerts.fault = None
    round_of(deps, {("hook_silent", "christmas/signup"): "no call"}, [])
    notify(deps)
    assert [text.split("\n")[1][:19] for text in said(deps)] == ["🔴 A source of leads", "🔴 No backup was mad"]


class Picky:
    """A chat that refuses one word, and what is longer than it takes."""

    def __init__(self):
        self.posted = []

    def post(self, url, text):
        if "Sign-up for" in text or len(text) > 2000:
            raise Rejected("hooks.slack.com", "answered 400: it does not know this address any more", "400")
        self.posted.append((url, text))


def test_what_a_chat_refuses_for_its_words_keeps_nothing_else_back(deps):
    object.__setattr__(deps, "alerts", Picky())
    found = {("hook_silent", f"christmas/{name}"): "no call" for name in ("booking", "maybe", "signup", "noshow")}
    round_of(deps, found, [])
    told = "\n".join(said(deps))
    assert all(f"{name} for “Christmas Surge”" in told for name in ("Booking", "Thinking it over", "Missed call"))
    assert "read it at https://funnel.example/console/" in told and undelivered_notifications(deps.reads) == []


@pytest.mark.both_databases
def test_what_does_not_fit_into_one_message_comes_in_the_next(deps):
    object.__setattr__(deps, "alerts", Picky())
    round_of(deps, {("hook_silent", f"hook {number}"): "word " * 90 for number in range(10)}, [])
    while notify(deps):
        pass
    assert sum(text.count("🔴") for text in said(deps)) == 10 and 4 <= len(said(deps)) <= 10


def test_without_a_chat_nothing_piles_up(engine):
    deps = make_deps(engine)
    round_of(deps, LATE)
    object.__setattr__(deps, "settings", replace(deps.settings, alert_webhook_url=CHAT))
    notify(deps)
    assert said(deps) == []


@pytest.mark.parametrize(("lasted", "words"), [(timedelta(hours=5), "5 h"), (timedelta(days=3), "3 days")])
def test_how_long_it_lasted_is_told(deps, lasted, words):
    round_of(deps, LATE)
    deps.now.forward(seconds=lasted.total_seconds())
    round_of(deps, LATE)
    deps.now.forward(minutes=3)
    round_of(deps, {})
    assert f"(it lasted {words})" in said(deps)[-1]


@pytest.mark.both_databases
def test_what_was_long_ago_is_forgotten(deps):
    round_of(deps, LATE)
    deps.now.forward(minutes=5)
    round_of(deps, {})
    assert forget_old(deps) == 0
    deps.now.forward(days=KEPT_FOR.days + 1)
    assert forget_old(deps) == 3


def test_a_notice_under_a_key_is_kept_once(deps):
    with deps.sessions.begin() as session:
        assert notices.add(session, "digest:1", "alerts", "a", deps.now())
        assert not notices.add(session, "digest:1", "alerts", "b", deps.now())


class TestLedgerAlarm:
    """The ledger cannot remember its own absence: the process does."""

    def test_a_ledger_that_is_away_is_told_once_and_its_return_once(self, deps):
        alarm = LedgerAlarm()
        for _ in range(10):
            alarm.away(deps, "database or disk is full\n[SQL: ...]")
            deps.now.forward(seconds=10)
        alarm.back(deps)
        alarm.back(deps)
        began, over = said(deps)
        assert began.splitlines()[1] == "🔴 The ledger cannot be used: database or disk is full"
        assert over.splitlines()[1] == "🟢 Over: The ledger cannot be used"

    def test_a_blink_is_not_told(self, deps):
        alarm = LedgerAlarm()
        alarm.away(deps, "locked")
        alarm.back(deps)
        assert said(deps) == []

    def test_a_chat_that_is_away_is_tried_again(self, deps):
        alarm = LedgerAlarm()
        alarm.away(deps, "locked")
        deps.now.forward(minutes=1)
        deps.alerts.fault = Unavailable("hooks.slack.com", "answered 503")
        alarm.away(deps, "locked")
        deps.alerts.fault = None
        alarm.away(deps, "locked")
        deps.alerts.fault = Unavailable("hooks.slack.com", "answered 503")
        alarm.back(deps)
        deps.alerts.fault = None
        alarm.back(deps)
        assert [text.splitlines()[1][0] for text in said(deps)] == ["🔴", "🟢"]

    def test_without_a_chat_nothing_is_said(self, engine):
        deps = make_deps(engine)
        alarm = LedgerAlarm()
        alarm.away(deps, "locked")
        deps.now.forward(minutes=1)
        alarm.away(deps, "locked")
        alarm.back(deps)
        assert said(deps) == []
