"""Logs and reports: everything that happens is told with its ids, and no address and no secret is among it."""

import json
import logging
import re
import sys
from types import SimpleNamespace
from uuid import UUID

import pytest
import sentry_sdk
import structlog
from sentry_sdk.transport import Transport

from funnel_app import faults, sentry
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.sending.record_event import record_event
from funnel_app.gateways.errors import Unavailable
from funnel_app.logs import FORMER_NAMES, configure_logging
from funnel_app.redact import masked_addresses, redact_all, redactor
from funnel_app.sentry import report_errors
from sandbox.processes import ROOT
from tests.factories import HOOK_SECRET, LEGACY_KEY, METRICS_TOKEN, make_settings
from tests.flows.leads import write_templates
from tests.flows.sending.test_record_event import report
from tests.web.callers import post, signup


@pytest.fixture
def logged(capsys):
    """Log as a process does, from the first call on; return what was logged since, line by line."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    begun = []

    def since_last():
        if begun:
            return [json.loads(line) for line in capsys.readouterr().err.splitlines()]
        begun.append(True)
        configure_logging("info", redactor(make_settings()))
        return []

    yield since_last
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_whole_journey_is_told_with_its_ids_and_without_address_or_secret(client, deps, logged):
    logged()
    write_templates(deps)
    taken = signup(client).json
    first = taken["emails"][0]["id"]
    post(client, {"email": "bea.long@", "first_name": "Bea"})
    client.post("/webhook/christmas/signup", json={}, headers={"Authorization": "Bearer wrong-secret-of-somebody"})
    client.get(f"/u/{'t' * 43}")
    client.post(f"/k/{LEGACY_KEY}/api/deployments/x/create_flow_run", json={})

    deliver(deps, [UUID(first)])
    record_event(deps, report(deps, UUID(first)))
    structlog.get_logger().error("broke", error=f"ana@resend.dev, {HOOK_SECRET}, {deps.settings.resend_api_key}-secret")
    logging.getLogger("gunicorn.error").warning("Booting for ana@resend.dev")
    lines = logged()
    text = json.dumps(lines)
    told = {line["event"]: line for line in lines}
    assert (
        told["webhook_accepted"] | {"hook": taken["hook_id"], "enrolment": taken["enrolment_id"]}
        == told["webhook_accepted"]
    )
    assert first in told["webhook_accepted"]["emails"] and told["webhook_accepted"]["request_id"]
    assert told["email_moved"]["email"] == first and told["request_answered"]["emails"] == [first]
    assert told["event_recorded"]["email"] == first
    assert {line["name"] for line in lines if line["event"] == "hook_refused"} == {"signup", "address"}
    assert told["Booting for a***@resend.dev"]["logger"] == "gunicorn.error"
    for secret in ("ana@", "bea.long", HOOK_SECRET, LEGACY_KEY, METRICS_TOKEN, "t" * 43, "wrong-secret", "re_test-"):
        assert secret not in text, secret
    assert all({"event", "level", "timestamp"} <= set(line) for line in lines)


def test_an_exception_is_told_in_one_line_without_an_address(logged):
    logged()
    try:
        raise Unavailable("resend", "ana.silva@client.example was refused")
    except Unavailable:
        structlog.get_logger().exception("periodic_task_crashed")
    (line,) = logged()
    assert "a***@client.example was refused" in line["exception"] and "Traceback" in line["exception"]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("ana@resend.dev", "a***@resend.dev"),
        ("<Ana Silva> ana.silva+x@mail.client.example,", "<Ana Silva> a***@mail.client.example,"),
        ("josé@bücher.example", "j***@bücher.example"),
        ("no address @ all", "no address @ all"),
        ("a@b.example+c@d.example", "a***@b***@d.example"),
        ("x" * 60_000, "x" * 60_000),
        ("a@" * 3, "a@" * 3),
    ],
)
def test_an_address_shows_its_first_letter_and_its_domain(given, shown):
    assert masked_addresses(given) == shown


@pytest.mark.parametrize(
    "secret",
    [
        "re_AbCdEf123456",
        "ntn_AbCdEf123456",
        "whsec_AbCdEf12+/=",
        "/u/abcdefgh12345678",
        "Bearer abcdef.ghijkl",
        "k" * 40,
    ],
)
def test_secrets_are_hidden_wherever_they_stand(secret):
    hidden = redactor(make_settings())(f"before {secret} after")
    assert hidden.startswith("before") and hidden.endswith(" after") and secret not in hidden


@pytest.mark.parametrize("name", ["legacy_key", "resend_webhook_secret"])
def test_each_of_two_secrets_in_one_setting_is_hidden(name):
    redact = redactor(make_settings(**{name: "first-of-them, second-of-them"}))
    assert redact("a first-of-them b second-of-them c") == "a *** b *** c"


def test_plain_data_is_cleaned_to_its_depths():
    given = {"a": ["ana@resend.dev", {"b": ("bea@resend.dev", 3)}], "n": None}
    assert redact_all(given, masked_addresses) == {"a": ["a***@resend.dev", {"b": ["b***@resend.dev", 3]}], "n": None}


def test_what_holds_nothing_to_hide_stays_as_it_is_and_two_texts_are_never_read_as_one():
    redact = redactor(make_settings())
    for given in ({"a": ["ana", {"b": 3}], "n": None}, {"a": "bearer", "b": "abcdefgh"}, ["ana@", "resend.dev"]):
        assert redact_all(given, redact) == given


QUOTED = 'a"quoted\\secret\u00e9'


@pytest.mark.parametrize(
    ("told", "hidden"),
    [
        ("a new line\nre_AbCdEf123456", "AbCdEf123456"),
        ("a tab\tBearer\tabcdefgh1", "abcdefgh1"),
        ("of j\u00fcrgen@b\u00fccher.de", "rgen@"),
        (f"with {QUOTED} in it", "quoted"),
        ({"deep": ["ana@resend.dev", ("bea@resend.dev",)]}, "ea@"),
    ],
)
def test_what_json_writes_in_another_way_is_hidden_all_the_same(logged, told, hidden):
    logged()
    configure_logging("info", redactor(make_settings(metrics_token=QUOTED)))
    structlog.get_logger().info("said", told=told)
    (line,) = logged()
    assert hidden not in json.dumps(line, ensure_ascii=False) and "***" in json.dumps(line)


def test_what_is_no_data_is_told_as_python_shows_it(logged):
    logged()
    structlog.get_logger().info("said", error=ValueError("ana@resend.dev"), at={1})
    assert [(line["error"], line["at"]) for line in logged()] == [("ValueError('***@resend.dev')", "{1}")]


class Kept(Transport):
    """Keeps what would be sent."""

    def __init__(self):
        super().__init__()
        self.sent = []

    def capture_envelope(self, envelope):
        self.sent.append(envelope)


def raised(kind):
    """Return an error of a kind, always raised by this line."""
    try:
        raise kind("a row that no rule foresaw")
    except kind as fault:
        return fault


TOLD_OF = [(0.0, RuntimeError), (1.0, RuntimeError), (2.0, KeyError), (599.0, RuntimeError), (600.0, RuntimeError)]


def caught(call):
    try:
        return call()
    except ValueError as fault:
        return fault


class TestSentry:
    """Unexpected errors are reported where a DSN is set, and nobody's address goes with them."""

    def test_without_a_dsn_nothing_is_set_up(self, monkeypatch):
        monkeypatch.setattr(faults, "SENTRY", "funnel_app.nowhere:at_all")
        faults.report_faults(make_settings())
        faults.report(RuntimeError("nobody hears of it"))

    def test_with_one_what_is_caught_at_the_edge_of_a_process_is_reported(self, monkeypatch):
        told = []
        monkeypatch.setattr("funnel_app.sentry.report_errors", lambda settings: told.append)
        monkeypatch.setattr(faults, "_reporters", [])
        faults.report_faults(make_settings(sentry_dsn="https://key@sentry.example/1"))
        faults.report(fault := RuntimeError("a row that no rule foresaw"))
        assert told == [fault]

    def test_what_fails_again_and_again_is_reported_once_in_ten_minutes(self, monkeypatch):
        before_send, now = sentry._once_and_without_secrets(str), [0.0]
        monkeypatch.setattr(sentry, "time", SimpleNamespace(monotonic=lambda: now[0]))

        def is_sent(fault):
            return before_send({}, {"exc_info": (type(fault), fault, fault.__traceback__)}) is not None

        told = [(now[0], is_sent(raised(kind))) for now[0], kind in TOLD_OF]
        assert [at for at, sent in told if sent] == [0.0, 2.0, 600.0]
        assert is_sent(RuntimeError("made, and not raised"))
        assert before_send({}, {}) == before_send({}, {"exc_info": None}) == {}

    def test_two_callers_of_one_library_hide_no_error_of_each_other(self, monkeypatch):
        monkeypatch.setattr(sentry, "OURS", (__file__,))
        before_send = sentry._once_and_without_secrets(str)
        one = caught(lambda: UUID("x"))
        other = caught(lambda: UUID("y"))
        hints = [{"exc_info": (type(fault), fault, fault.__traceback__)} for fault in (one, other)]
        assert [before_send({}, hint) for hint in (*hints, *hints)] == [{}, {}, None, None]

    def test_a_report_holds_no_address_no_secret_and_no_variable(self):
        kept = Kept()
        settings = make_settings(sentry_dsn="https://key@sentry.example/1")
        try:
            assert report_errors(settings, transport=kept)
            secret_local = HOOK_SECRET
            try:
                raise RuntimeError(f"ana.silva@client.example {secret_local}")
            except RuntimeError:
                sentry_sdk.capture_exception(sys.exc_info())
            sentry_sdk.flush()
        finally:
            # With `init` it would go on adding to what RQ keeps of a job.
            sentry_sdk.get_global_scope().set_client(None)
        text = json.dumps([envelope.get_event() for envelope in kept.sent], default=str)
        assert "a***@client.example" in text and "ana.silva" not in text and "testing" in text
        assert HOOK_SECRET not in text and '"vars"' not in text


def test_passwords_within_addresses_are_known():
    settings = make_settings(
        database_url="postgresql://funnel:p%40ss%2Fword@db.example/funnel",
        redis_url="redis://:red1s-pass@r.example:6379/0",
    )
    told = redactor(settings)("p%40ss%2Fword and p@ss/word of red1s-pass; postgresql://funnel:p%40ss%2Fword@db.example")
    assert told == "*** and *** of ***; postgresql://funnel:****@db.example"


def test_a_renamed_event_carries_its_former_name_for_one_release(logged):
    logged()
    structlog.get_logger().info("webhook_accepted")
    structlog.get_logger().info("email_moved")
    renamed, kept = logged()
    assert renamed["was"] == "hook_taken" and "was" not in kept


def test_every_former_name_is_that_of_an_event_that_is_logged():
    code = "".join(path.read_text() for room in ("funnel_app", "jobs") for path in (ROOT / room).rglob("*.py"))
    assert [name for name in FORMER_NAMES if not re.search(rf'\(\s*"{name}"', code)] == []
