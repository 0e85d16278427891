"""The fakes keep the contract of the gateways that they stand for: each rule is held to both."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from redis import Redis

from funnel_app.gateways.notion.templates import NotionTemplates
from funnel_app.gateways.redis.fetch_lock import FetchLock
from funnel_app.gateways.redis.process_status import ProcessStatus
from funnel_app.gateways.redis.queue import deliver_job
from funnel_app.gateways.redis.rate_limiter import SendingPause
from funnel_app.gateways.resend.account import Account
from funnel_app.gateways.resend.answers import AnswerKind
from funnel_app.gateways.resend.mailer import Mailer
from sandbox.notion.state import TEMPLATES_DATABASE_ID
from sandbox.server import Server, serve
from sandbox.state import Config
from tests.fakes import (
    FakeAccount,
    FakeFetchLock,
    FakeMailer,
    FakeNotebook,
    FakePause,
    FakeProcessStatus,
    FakeQueues,
    FrozenClock,
)

TWINS = ("fake", "real")
DOMAIN = "mail.businessx.example"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
ONE, TWO = UUID(int=1), UUID(int=2)
PAYLOADS = [
    {"from": f"BusinessX <hello@{DOMAIN}>", "to": [f"delivered+{name}@resend.dev"], "subject": "Notes", "text": "Hi"}
    for name in ("ana", "bea", "cy")
]


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(NOW)


@pytest.fixture
def twin(request: pytest.FixtureRequest) -> Callable[..., object]:
    """Return what gives the fake, or asks for the fixture that makes the real one."""
    return lambda which, fake, real: fake() if which == "fake" else request.getfixturevalue(real)


@pytest.fixture(scope="module")
def resend_server() -> Iterator[Server]:
    with serve(Config(verified_domains=(DOMAIN,))) as server:
        yield server


@pytest.fixture
def real_mailer(resend_server: Server) -> Iterator[Mailer]:
    resend_server.sandbox.forget()
    built = Mailer("re_full", resend_server.resend_url)
    yield built
    built.close()


@pytest.fixture(params=TWINS)
def mailer(request, twin):
    return twin(request.param, FakeMailer, "real_mailer")


class TestMailer:
    @pytest.mark.parametrize("many", [1, 3])
    def test_each_email_gets_an_id_and_a_repeated_key_gets_the_same(self, mailer, many):
        first = mailer.send(PAYLOADS[:many], "key")
        again = mailer.send(PAYLOADS[:many], "key")
        assert (first.kind, again.kind) == (AnswerKind.ACCEPTED, AnswerKind.ACCEPTED)
        assert len(set(first.ids)) == many and again.ids == first.ids

    def test_a_key_with_another_payload_is_a_conflict(self, mailer):
        mailer.send(PAYLOADS[:1], "key")
        assert mailer.send(PAYLOADS[1:2], "key").kind is AnswerKind.CONFLICT

    def test_other_keys_are_other_emails(self, mailer):
        assert mailer.send(PAYLOADS[:1], "a").ids != mailer.send(PAYLOADS[:1], "b").ids

    def test_nothing_is_known_of_an_email_that_was_never_sent(self, mailer):
        assert mailer.last_event("00000000-0000-4000-8000-000000000000") is None


@pytest.fixture
def real_account(real_mailer: Mailer, clock: FrozenClock) -> Account:
    return Account(clock)


@pytest.fixture(params=TWINS)
def account(request, twin):
    return twin(request.param, FakeAccount, "real_account")


class TestAccount:
    def test_the_domain_is_verified(self, account):
        assert account.domains() == {DOMAIN: "verified"}

    def test_an_endpoint_that_was_added_is_listed_with_a_secret_and_lacks_no_event(self, account):
        url = "https://other.example/webhook/resend"
        assert account.add_endpoint(url).startswith("whsec_")
        (added,) = [endpoint for endpoint in account.endpoints() if endpoint.url == url]
        assert (added.status, added.missing) == ("enabled", ())


@pytest.fixture
def real_notebook(notion: Server) -> Iterator[NotionTemplates]:
    built = NotionTemplates("ntn_sandbox", TEMPLATES_DATABASE_ID, notion.notion_url)
    yield built
    built.close()


@pytest.fixture(params=TWINS)
def notebook(request, twin):
    return twin(request.param, FakeNotebook, "real_notebook")


class TestNotebook:
    def test_a_template_that_was_written_is_found_by_its_key_and_listed(self, notebook):
        notebook.create_template("welcome", "Hello", "<p>Hi</p>", "Active")
        (found,) = notebook.find_templates("welcome")
        assert (found.name, found.subject, found.html) == ("welcome", "Hello", "<p>Hi</p>")
        assert [page.name for page in notebook.list_templates()] == ["welcome"]
        assert notebook.whole(found) == found

    def test_an_alias_finds_it_only_where_nothing_has_the_key(self, notebook):
        notebook.create_template("Welcome, old", "Hello", "<p>Hi</p>")
        assert [page.name for page in notebook.find_templates("welcome", ["welcome*"])] == ["Welcome, old"]
        notebook.create_template("welcome", "Hello", "<p>Hi</p>")
        assert [page.name for page in notebook.find_templates("welcome", ["welcome*"])] == ["welcome"]

    def test_nothing_is_found_of_a_key_that_nobody_wrote(self, notebook):
        assert notebook.find_templates("welcome") == []

    @pytest.mark.parametrize(
        ("given", "subject", "html"),
        [(("New", None), "New", "<p>Hi</p>"), ((None, "<p>New</p>"), "Hello", "<p>New</p>")],
    )
    def test_only_the_part_that_is_given_is_replaced(self, notebook, given, subject, html):
        notebook.create_template("welcome", "Hello", "<p>Hi</p>")
        notebook.fill_template(notebook.find_templates("welcome")[0].id, *given)
        (found,) = notebook.find_templates("welcome")
        assert (found.subject, found.html) == (subject, html)

    def test_what_is_in_the_trash_is_found_no_more_and_goes_there_twice_without_harm(self, notebook):
        notebook.create_template("welcome", "Hello", "<p>Hi</p>")
        page_id = notebook.find_templates("welcome")[0].id
        notebook.trash_page(page_id)
        notebook.trash_page(page_id)
        assert notebook.find_templates("welcome") == []


@pytest.fixture(params=TWINS)
def both_queues(request, twin):
    return twin(request.param, FakeQueues, "queues")


class TestQueues:
    def test_only_what_is_due_later_is_scheduled(self, both_queues):
        assert both_queues.schedule([(ONE, NOW), (TWO, LATER)], NOW)
        assert both_queues.scheduled([ONE, TWO]) == {TWO}

    def test_unscheduling_counts_what_was_there(self, both_queues):
        both_queues.schedule([(ONE, NOW), (TWO, LATER)], NOW)
        assert both_queues.unschedule([ONE, TWO, UUID(int=3)]) == 2
        assert both_queues.unschedule([ONE, TWO]) == 0
        assert both_queues.scheduled([TWO]) == set()

    def test_a_job_that_waits_is_not_queued_again(self, both_queues):
        assert both_queues.push([deliver_job(ONE), deliver_job(ONE), deliver_job(TWO)]) == 2
        assert both_queues.push([deliver_job(ONE)]) == 0

    def test_what_is_queued_leaves_the_clock(self, both_queues):
        both_queues.schedule([(ONE, LATER)], NOW)
        assert both_queues.push([deliver_job(ONE)]) == 1
        assert both_queues.scheduled([ONE]) == set()

    def test_a_mark_stays(self, both_queues):
        assert not both_queues.marked()
        both_queues.mark()
        assert both_queues.marked()

    def test_a_lock_has_one_owner_who_alone_gives_it_up(self, both_queues):
        assert both_queues.own("lock", "a", 60) and both_queues.own("lock", "a", 60)
        assert not both_queues.own("lock", "b", 60)
        both_queues.disown("lock", "b")
        assert not both_queues.own("lock", "b", 60)
        both_queues.disown("lock", "a")
        assert both_queues.own("lock", "b", 60)

    def test_it_is_there(self, both_queues):
        assert both_queues.ping() and both_queues.why_away() is None


@pytest.fixture
def real_pause(connection: Redis, clock: FrozenClock) -> SendingPause:
    return SendingPause(connection, now=lambda: clock().timestamp())


@pytest.fixture(params=TWINS)
def pause(request, twin, clock):
    return twin(request.param, lambda: FakePause(clock), "real_pause")


class TestPause:
    def test_it_stands_with_its_reason_until_it_is_cleared(self, pause, clock):
        assert pause.current() is None and pause.may_probe()
        pause.pause("wrong key", 60, "config")
        clock.forward(minutes=5)
        found = pause.current()
        assert (found.kind, found.reason, found.until) == ("config", "wrong key", NOW + timedelta(minutes=1))
        assert pause.may_probe()
        pause.clear()
        assert pause.current() is None

    def test_the_longest_wins(self, pause):
        pause.pause("quota", 600, "quota")
        pause.pause("busy", 5, "outage")
        assert pause.current().reason == "quota"
        pause.pause("wrong key", 900, "config")
        assert pause.current().reason == "wrong key"

    def test_while_it_stands_backing_off_changes_nothing_and_tells_what_is_left(self, pause, clock):
        pause.pause("quota", 600, "quota")
        clock.forward(seconds=100)
        assert pause.back_off("503", "outage") == pytest.approx(500)
        assert pause.current().reason == "quota"

    @pytest.mark.parametrize(("kind", "least", "most"), [("outage", 1, 2), ("config", 15, 15)])
    def test_it_begins_short(self, pause, kind, least, most):
        assert least - 0.001 <= pause.back_off("503", kind) <= most + 0.001
        assert pause.current().kind == kind

    def test_one_for_the_clock_is_lifted_and_not_cleared(self, pause):
        pause.pause("the clock jumped", 60, "clock")
        pause.clear()
        assert pause.current().kind == "clock"
        pause.lift()
        assert pause.current() is None


@pytest.fixture
def real_fetch_lock(connection: Redis) -> FetchLock:
    return FetchLock(connection)


@pytest.fixture(params=TWINS)
def fetch_lock(request, twin, clock):
    return twin(request.param, lambda: FakeFetchLock(clock), "real_fetch_lock")


class TestFetchLock:
    def test_one_caller_claims_a_template(self, fetch_lock):
        assert (fetch_lock.claim("a"), fetch_lock.claim("a"), fetch_lock.claim("b")) == (True, False, True)

    def test_who_gives_up_leaves_the_claim_and_says_why(self, fetch_lock):
        fetch_lock.claim("a")
        fetch_lock.give_up("a", "away", everywhere=False)
        assert (fetch_lock.fault("a"), fetch_lock.fault("b"), fetch_lock.claim("a")) == ("away", None, True)

    def test_what_keeps_all_from_being_read_is_told_of_each(self, fetch_lock):
        fetch_lock.give_up("a", "wrong token", everywhere=True)
        assert (fetch_lock.fault("a"), fetch_lock.fault("b")) == ("wrong token", "wrong token")


@pytest.fixture
def real_process_status(redis_server, clock: FrozenClock) -> Iterator[ProcessStatus]:
    built = ProcessStatus(redis_server.url, now=lambda: clock().timestamp())
    yield built
    built.close()


@pytest.fixture(params=TWINS)
def process_status(request, twin, clock):
    return twin(request.param, lambda: FakeProcessStatus(clock), "real_process_status")


class TestProcessStatus:
    def test_what_was_kept_is_there_and_nothing_before(self, process_status):
        assert (process_status.examined(), process_status.hops()) == (None, None)
        process_status.keep_examined("all well")
        process_status.note_hops(2)
        assert (process_status.examined(), process_status.hops()) == ("all well", 2)

    def test_calls_that_proved_nothing_are_counted_by_their_hook_within_a_time(self, process_status, clock):
        process_status.note_unauthenticated("signup")
        clock.forward(minutes=10)
        process_status.note_unauthenticated("signup")
        process_status.note_unauthenticated("maybe")
        assert process_status.unauthenticated(60) == {"signup": 1, "maybe": 1}
        assert process_status.unauthenticated(3600) == {"signup": 2, "maybe": 1}
