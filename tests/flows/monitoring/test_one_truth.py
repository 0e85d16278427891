"""One truth: in each outage every place that tells how all stands tells it in the same words, at the same time.

Redis is stopped, its heartbeats end, Notion answers 503 over HTTP, PostgreSQL refuses all connections, and SQLite's
file cannot be opened.
"""

import json
import re
from contextlib import contextmanager
from html import unescape
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner
from flask.cli import ScriptInfo
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from funnel_app.commands.cli import own_command
from funnel_app.flows.console.pausing import PauseRequest, pause_sending, resume_sending
from funnel_app.flows.monitoring import headline as headlines
from funnel_app.flows.monitoring.checks.redis import redis
from funnel_app.flows.monitoring.headline import Standing, current_headline, headline
from funnel_app.flows.monitoring.notifications.digest import digest, digest_when_due
from funnel_app.flows.monitoring.notifications.ledger_alarm import LedgerAlarm
from funnel_app.flows.monitoring.notifications.notify import notify
from funnel_app.flows.monitoring.probes.templates import watch_texts
from funnel_app.flows.monitoring.probes.watch import watch, watch_from_web
from funnel_app.flows.monitoring.statistics.day import Day
from funnel_app.flows.monitoring.statistics.stats import ledger_stats
from funnel_app.flows.monitoring.status.needs import Need, NeedKind
from funnel_app.flows.monitoring.status.ready import why_all_waits
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.sending.submit import repeat
from funnel_app.gateways.errors import GatewayError
from funnel_app.gateways.notion.client import NotionCalls
from funnel_app.gateways.notion.templates import NotionTemplates
from funnel_app.gateways.redis.process_status import ProcessStatus
from funnel_app.gateways.redis.queue import Queues
from funnel_app.gateways.redis.rate_limiter import SendingPause
from funnel_app.gateways.resend.mailer import Mailer
from funnel_app.ledger.models import Request
from funnel_app.ledger.models.watch import Notice
from sandbox.settings import Fault
from tests.apps import application
from tests.factories import METRICS_TOKEN, make_deps, seconds_of
from tests.flows.leads import email_ids_of, opt_in, write_templates
from tests.flows.monitoring.live import GOOD, LIVE
from tests.web.console import Operator

LEAD = "ana@resend.dev"
FIRST_GOES = "the first email after a sign-up still goes, and later ones wait"
SCHEDULER_SILENT = f"Sending stands still: the scheduler has been silent since 07:05; {FIRST_GOES}"
TOKEN = {"Authorization": f"Bearer {METRICS_TOKEN}"}
SHOWN = re.compile(r'<p class="headline \w+">(.*?)\.</p>', re.DOTALL)


@pytest.fixture
def live(sqlite):
    return have_a_lead(sqlite)


def have_a_lead(engine):
    deps = make_deps(engine, **LIVE)
    write_templates(deps, GOOD)
    opt_in(deps, LEAD)
    deps.now.forward(minutes=5)
    return deps


@pytest.fixture
def over_redis(live, redis_server):
    """The same over a real Redis, in which all parts have just been heard of."""
    seconds = seconds_of(live.now)
    queues = Queues(redis_server.url, seconds)
    parts = {
        "queues": queues,
        "process_status": ProcessStatus(redis_server.url, seconds),
        "pause": SendingPause(queues.connection, seconds),
    }
    for name, part in parts.items():
        object.__setattr__(live, name, part)
    hear_from(live)
    yield live
    queues.close()


def hear_from(deps, silent=""):
    """Let the parts be heard of, but for one."""
    for part, member in (("scheduler", ""), ("worker", "1"), ("worker", "2")):
        if part != silent:
            deps.queues.send_heartbeat(part, 60, member)


def fall_silent(deps, part):
    deps.now.forward(seconds=deps.settings.silent_after.total_seconds() + 1)
    return lambda: hear_from(deps, part)


def redis_away(deps, redis_server):
    redis_server.kill()
    return lambda: None


def notion_away(deps, notion):
    """Let Notion answer 503 to every call; the heartbeats go on."""
    calls = NotionCalls("ntn_test", notion.notion_url)
    object.__setattr__(deps, "notebook", NotionTemplates("ntn_test", "none", calls=calls))
    notion.sandbox.settings.notion.fail_always = Fault(status=503)
    for _ in range(3):
        with pytest.raises(GatewayError):
            watch_texts(deps)
        deps.now.forward(seconds=45)
    return lambda: hear_from(deps)


def resend_away(deps, resend):
    """Let Resend answer 503 to every call for as long as nobody is told of it; the heartbeats go on."""
    object.__setattr__(deps, "mailer", Mailer("re_test", resend.resend_url, now=deps.now))
    resend.sandbox.settings.resend.fail_always = Fault(status=503)
    deliver(deps, email_ids_of(deps)[:1])
    for _ in range(9):
        hear_from(deps)
        watch(deps)
        assert not current_headline(deps).sentence.startswith("Sending"), "it ends by itself within minutes, mostly"
        deps.now.forward(seconds=32)
        for request in unsettled(deps):
            repeat(deps, request)
    deps.now.forward(seconds=15)
    return lambda: hear_from(deps)


def unsettled(deps):
    with deps.reads() as session:
        return list(session.scalars(select(Request.id)))


OUTAGES = {
    "the scheduler": (
        lambda deps, server, notion: fall_silent(deps, "scheduler"),
        SCHEDULER_SILENT,
    ),
    "the workers": (
        lambda deps, server, notion: fall_silent(deps, "worker"),
        "Sending stands still: no worker has been heard of since 07:05",
    ),
    "Redis": (
        lambda deps, server, notion: redis_away(deps, server),
        "Sending stands still: Redis cannot be reached",
    ),
    "Notion": (
        lambda deps, server, notion: notion_away(deps, notion),
        "need you: Notion cannot be read: it gave no proper answer",
    ),
    "Resend": (
        lambda deps, server, sandbox: resend_away(deps, sandbox),
        "since Resend cannot be reached",
    ),
}


def look(deps, still):
    """Let the watch look until everything that lasts is told, while the parts that live go on."""
    for _ in range(8):
        still()
        watch(deps)
        watch_from_web(deps)
        notify(deps)
        deps.now.forward(seconds=10)
    still()


def run(deps, name, *arguments):
    app = application(deps)
    return CliRunner().invoke(own_command(name), arguments, obj=ScriptInfo(create_app=lambda: app))


def of_alert(text, said):
    """Return the headline that an alert tells: its first line, or the number there and the need right below it."""
    first, below = text.removeprefix("Funnel at funnel.example: ").splitlines()[:2]
    number, _, need = said.partition(" you: ")
    told_below = first == f"{number} you." and need.startswith(below.removeprefix("🔴 "))
    return said if told_below else first


@pytest.mark.parametrize("part", OUTAGES)
def test_in_each_outage_seven_places_say_the_same(over_redis, redis_server, notion, part):
    live = over_redis
    olga = Operator(application(live).test_client())
    olga.log_in()
    begin, words = OUTAGES[part]
    look(live, begin(live, redis_server, notion))
    said = current_headline(live).sentence
    today, health = olga.get("/console/").text, olga.get("/console/doctor").text
    told = {
        "today": unescape(SHOWN.search(today)[1]),
        "health": unescape(SHOWN.search(health)[1]),
        "doctor": json.loads(run(live, "doctor", "--json").stdout)["headline"],
        "readyz": olga.client.get("/readyz", headers=TOKEN).get_json()["headline"],
        "trace": json.loads(run(live, "trace", LEAD, "--json").stdout)["headline"],
        "digest": digest(live, live.now().date()).splitlines()[0],
        "alert": of_alert(live.alerts.posted[-1][1], said),
    }
    assert set(told.values()) == {said}, told
    assert words in said
    if part != "Notion":
        why = current_headline(live).named or said.removeprefix("Sending stands still ")
        cause = why.removesuffix(f"; {FIRST_GOES}")
        assert cause in unescape(today.split('id="health"')[1]), "the strip says it too"
        assert ledger_stats(live)["unexplained"] == 0 and "nothing says why" not in today
        # With Resend away it is no longer planned, and not late either: it is on its way.
        assert part == "Resend" or ("No email is planned" not in today and "1 email is late" in today)


@contextmanager
def without_a_file(engine):
    """Let a folder stand where SQLite's file is."""
    file = Path(engine.url.database)
    engine.dispose()
    aside = file.rename(file.with_suffix(".aside"))
    file.mkdir()
    yield
    file.rmdir()
    aside.rename(file)


@contextmanager
def refusing(engine):
    """Let a PostgreSQL refuse all connections to the ledger's database, and end those that there are."""
    at, name = engine.url, engine.url.database
    with psycopg.connect(host=at.host, port=at.port, user=at.username, dbname="template1", autocommit=True) as operator:
        operator.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        operator.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        yield
        operator.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


AWAY = {"sqlite": without_a_file, "postgresql": refusing}


@pytest.mark.both_databases
@pytest.mark.parametrize("database", AWAY)
def test_with_the_ledger_away_every_place_that_can_speak_says_so(request, database):
    live = have_a_lead(request.getfixturevalue({"postgresql": "postgres"}.get(database, database)))
    olga = Operator(application(live).test_client())
    olga.log_in()
    with AWAY[database](live.engine):
        said = say_that_the_ledger_is_away(live, olga)
    assert digest_when_due(live)
    with live.reads() as session:
        kept = session.scalars(select(Notice.text).order_by(Notice.created_at.desc())).first()
    assert kept and kept.startswith(current_headline(live).sentence) and said not in kept, "back again, and so told"


def say_that_the_ledger_is_away(live, olga):
    alarm = LedgerAlarm()
    for _ in range(2):
        with pytest.raises(OperationalError) as gone:
            watch(live)
        alarm.away(live, str(gone.value))
        live.now.forward(seconds=40)
    said = "No call is taken, and sending stands still: the ledger cannot be reached"
    page = olga.get("/console/")
    told = {
        "today": unescape(SHOWN.search(page.text)[1]),
        "health": unescape(SHOWN.search(olga.get("/console/doctor").text)[1]),
        "doctor": json.loads(run(live, "doctor", "--json").stdout)["headline"],
        "readyz": olga.client.get("/readyz", headers=TOKEN).get_json()["headline"],
        "alert": live.alerts.posted[-1][1].splitlines()[0].removeprefix("Funnel at funnel.example: "),
    }
    traced = run(live, "trace", LEAD)
    assert isinstance(traced.exception, OperationalError), "which the command ends in a sentence for"
    told["trace"] = traced.stderr.strip().rstrip(".")
    assert page.status_code == 503 and set(told.values()) == {said}, told
    live.now.forward(hours=26)
    with pytest.raises(OperationalError):
        digest_when_due(live)  # none is kept that says otherwise
    return said


@pytest.mark.parametrize(
    ("stop", "wants", "day", "state", "sentence"),
    [
        (None, [], Day(), "well", "All is well: no email is due today"),
        (None, [], Day(delivered=31), "well", "All is well: 31 emails today, all delivered"),
        (None, [], Day(delivered=1), "well", "All is well: 1 email today, delivered"),
        (
            None,
            [],
            Day(delivered=2, on_the_way=1, waiting=3, stopped=1),
            "well",
            (
                "All is well: 7 emails today: 2 delivered, 1 on the way, 3 waiting for their time "
                "and 1 stopped with a reason"
            ),
        ),
        (None, ["a", "b", "c"], Day(), "needs_you", "3 things need you: a; and 2 more"),
        (None, ["a"], Day(delivered=1), "needs_you", "1 thing needs you: a"),
        (("Sending stands still", ""), ["a"], Day(), "stopped", "Sending stands still"),
        (("Sending stands still", "b"), ["a"], Day(), "stopped", "Sending stands still: b"),
    ],
)
def test_the_headline_is_the_worst_that_is_true(stop, wants, day, state, sentence):
    needs = tuple(Need(want, NeedKind.INCIDENT) for want in wants)
    found = headline(stop, needs, day)
    assert (found.state, found.sentence, found.needs, found.day) == (Standing(state), sentence, needs, day)


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("config", "Sending stands still until 07:06 on 24 November, since Resend refuses the key"),
        ("rate_limited", "All is well"),
        ("outage", "All is well"),
    ],
)
def test_a_pause_that_lasts_stops_and_one_that_passes_does_not(live, kind, sentence):
    live.pause.pause("said Resend", 60, kind)
    assert current_headline(live).sentence.startswith(sentence)


def test_a_silent_part_is_told_with_the_time_from_which_on_it_is(live, monkeypatch):
    since = live.now()
    live.now.forward(hours=2)
    monkeypatch.setattr(live.process_status, "seen", lambda: {"scheduler": since, "worker:1": live.now()})
    assert current_headline(live).sentence == SCHEDULER_SILENT
    assert headlines.stops(live)[0].part == "scheduler"


def test_without_the_scheduler_a_first_email_goes_and_every_place_says_so(over_redis, redis_server):
    fall_silent(over_redis, "scheduler")()
    opt_in(over_redis, "bea@resend.dev")
    assert sum(over_redis.process_status.depths().queues.values()) == 1, "which a worker sends at once"
    words = "the first email after a sign-up still goes"
    look(over_redis, lambda: hear_from(over_redis, "scheduler"))
    assert f"What it means: {words}" in over_redis.alerts.posted[-1][1]
    assert f"silent since 07:05; {words}, and later ones wait" in why_all_waits(over_redis)
    check = next(each for each in redis(over_redis) if each.name == "scheduler")
    assert f"until then {words}" in check.fix


def test_of_a_first_email_nothing_is_said_where_something_else_keeps_it(over_redis, redis_server):
    fall_silent(over_redis, "scheduler")()
    pause_sending(over_redis, PauseRequest("all", "typo in it", ""), "Olga")
    assert current_headline(over_redis).sentence.startswith("Sending stands still: the scheduler")
    over_redis.now.forward(seconds=61)
    resume_sending(over_redis, "all", "Olga")
    assert current_headline(over_redis).sentence.startswith("Sending stands still: the scheduler"), "nor do workers"
    assert "first email" not in why_all_waits(over_redis)


def test_what_is_over_needs_nobody_though_its_end_is_told_later(live):
    live.process_status.silent.add("worker:1")
    look(live, lambda: None)
    assert "Workers are missing: 1 of 2" in current_headline(live).sentence
    live.process_status.silent.clear()
    assert "Workers are missing" not in current_headline(live).sentence
