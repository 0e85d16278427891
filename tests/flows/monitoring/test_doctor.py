"""Doctor: each thing that keeps emails from arriving is found, and what to do stands beside it."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from funnel_app.campaigns.model import Event
from funnel_app.campaigns.registry import Registry
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.monitoring import doctor
from funnel_app.flows.monitoring.alerts.incidents import note
from funnel_app.flows.monitoring.check import Status, title_of_check
from funnel_app.flows.monitoring.checks import ledger, settings
from funnel_app.flows.monitoring.checks.outside import calendly
from funnel_app.flows.monitoring.doctor import examine, is_well
from funnel_app.flows.monitoring.notifications.notify import notify
from funnel_app.flows.monitoring.probes.gone_quiet import without_echo
from funnel_app.flows.monitoring.probes.subscriptions import NotSet, callback_url
from funnel_app.flows.monitoring.signoff import report as signoff
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.sending.reconcile import reconcile
from funnel_app.flows.sending.record_event import record_event
from funnel_app.gateways.errors import Rejected, Unavailable
from funnel_app.gateways.redis.exposure import Exposure
from funnel_app.gateways.resend.account import Quota, Usage
from tests.factories import christmas_only, first_steps, make_deps
from tests.flows.leads import assess, call, email_ids, email_ids_of, look, opt_in, write_templates
from tests.flows.monitoring.live import (
    GOOD,
    LIVE,
    change,
    depths,
    desk,
    fail,
    shift_world,
    silent,
    start_canary,
)
from tests.flows.sending.test_record_event import report


@pytest.fixture
def young(sqlite, monkeypatch, tmp_path):
    """A Funnel in production that no canary has gone through yet."""
    (tmp_path / "funnel-20261124T080000Z.db.gz").touch()
    monkeypatch.setattr(ledger, "mount_of", lambda file: ("/data", "ext4"))
    monkeypatch.setattr(ledger, "EMPTIED", "/nowhere")
    deps = make_deps(sqlite, **LIVE, backup_dir=str(tmp_path))
    object.__setattr__(deps, "registry", first_steps())
    write_templates(deps, GOOD)
    object.__setattr__(deps, "desk", desk())
    return deps


@pytest.fixture
def well(young):
    """The same with nothing wrong."""
    deliver_canary(young)
    return young


def deliver_canary(deps):
    (canary_email,) = email_ids_of_canary(deps)
    deliver(deps, [canary_email])
    record_event(deps, report(deps, canary_email))


def email_ids_of_canary(deps):
    start_canary(deps)
    return email_ids_of(deps)


def found(deps):
    return {check.name: check for check in examine(deps)}


def take_whole(deps):
    """Let all steps be looked at: that of each sequence's first takes a third of the time."""
    object.__setattr__(deps, "registry", christmas_only())
    write_templates(deps, GOOD)


def test_a_campaign_without_a_hook_for_calendly_is_not_looked_up_there(well):
    change(well, calendly_signing_keys=("k",))
    christmas = well.registry.campaign("christmas")
    quiet = Registry({"christmas": christmas, "quiet": replace(christmas, name="quiet", hooks={})})
    object.__setattr__(well, "registry", quiet)
    assert [check.status for check in calendly(well)] == [Status.WARNING], "that of Christmas, without a token"
    with pytest.raises(NotSet, match=r"quiet has no \[hooks.calendly\]"):
        callback_url(well, "quiet")


@pytest.mark.parametrize("missing", [{"calendly_signing_keys": ("k",)}, {"calendly_token": "t"}])
def test_that_calendly_cannot_be_asked_is_said_once_for_all_campaigns(well, missing):
    change(well, **missing)
    christmas = well.registry.campaign("christmas")
    both = {name: replace(christmas, name=name) for name in ("christmas", "easter")}
    object.__setattr__(well, "registry", Registry(both))
    (found,) = calendly(well)
    assert "cannot be asked" in found.detail


def test_where_nothing_is_wrong_nothing_is_to_do(well):
    take_whole(well)
    checks = examine(well)
    assert [(check.name, check.detail) for check in checks if check.status is not Status.OK] == []
    assert is_well(checks) and not any(check.fix for check in checks)
    assert len({check.name for check in checks}) == len(checks) >= 25


WRONG_KEY = Rejected("resend", "API key is invalid", "invalid_api_key")
ONLY_SENDS = Rejected("resend", "restricted", "restricted_api_key")


def facts(deps, **values):
    deps.process_status.found = replace(deps.process_status.found, **values)


def domain(deps, status):
    deps.account.known["mail.businessx.example"] = status


def endpoint(deps, **values):
    deps.account.told = [replace(deps.account.told[0], **values)]


def used(deps, count):
    deps.account.used = Usage((Quota("daily", count, 100),), None)


def send_first(deps):
    first = email_ids(opt_in(deps))[0]
    deliver(deps, [first])
    return first


def hold(deps):
    deps.notebook.pages.clear()
    deliver(deps, email_ids(assess(deps))[:1])


BUSY = Unavailable("notion", "its rate is used up; free again in 1 s", 1.0)


def put(deps, found):
    object.__setattr__(deps, "desk", found)


class Broken:
    """A desk whose databases are not shared, or whose rate is used up."""

    def __init__(self, error=None):
        self.error = error or Rejected("notion", "404 object_not_found", "object_not_found")

    def __iter__(self):
        raise self.error


def mute(deps):
    deps.alerts.fault = Rejected("hooks.slack.com", "answered 404", "404")
    note(deps, {("doctor", "x"): "broken"}, [])
    notify(deps)


# One cause is one fault: what follows from it is a warning that names it.
STAND_STILL = {
    "a dead scheduler": (lambda d: silent(d, "scheduler"), "scheduler", ["overdue"]),
    "no worker": (lambda d: silent(d, "worker"), "workers", ["overdue"]),
    "Redis away": (lambda d: setattr(d.process_status, "away", True), "redis", ["overdue"]),
    "a wrong key": (
        lambda d: (fail(d.account, WRONG_KEY), d.pause.pause("401 bad key", 600, "config")),
        "resend key",
        ["sending", "overdue"],
    ),
    "a broken text": (lambda d: d.notebook.pages.pop("lead_nurture_email_1"), "templates", ["invariants"]),
}


WRONG = {
    "a local address": (lambda d: change(d, public_url="http://localhost:8000"), "settings: fault", "no reader"),
    "a stand-in": (lambda d: change(d, resend_api_url="http://127.0.0.1:1"), "settings: fault", "stand-in"),
    "testing in public": (lambda d: change(d, testing_mode=True), "testing mode: warning", "get no email"),
    "a short secret": (lambda d: change(d, hook_secrets=("s" * 16,)), "hook secrets: warning", "short"),
    "a proxy that is not trusted": (
        lambda d: d.process_status.note_hops(1),
        "proxies: warning",
        "TRUSTED_PROXIES is 0",
    ),
    "a proxy that is not there": (
        lambda d: (change(d, trusted_proxies=2), d.process_status.note_hops(1)),
        "proxies: warning",
        "TRUSTED_PROXIES is 2, and calls come through 1",
    ),
    "a rotation": (lambda d: change(d, calcom_signing_keys=("a", "b")), "hook secrets: warning", "CALCOM"),
    "a clock that ran back": (lambda d: (opt_in(d), d.now.forward(hours=-2)), "clock: fault", "the ledger holds"),
    "another time elsewhere": (lambda d: shift_world(d, hours=2), "clock: fault", "7200 s off"),
    "a slow clock": (lambda d: shift_world(d, minutes=2), "clock: warning", "120 s off"),
    "no other clock": (lambda d: shift_world(d, fault=Unavailable("x", "gone")), "clock: warning", "no other clock"),
    "Redis away": (lambda d: setattr(d.process_status, "away", True), "redis: fault", "Redis cannot be reached"),
    "an evicting Redis": (lambda d: facts(d, policy="allkeys-lru"), "redis eviction: warning", "throws jobs away"),
    "a forgetful Redis": (lambda d: facts(d, keeps=False), "redis persistence: warning", "keeps nothing"),
    "an open Redis": (lambda d: facts(d, exposure=Exposure.OPEN), "redis access: warning", "without a password"),
    "a silent Redis": (lambda d: facts(d, exposure=Exposure.UNKNOWN), "redis access: warning", "does not say whom"),
    "a dead scheduler": (lambda d: silent(d, "scheduler"), "scheduler: fault", "no scheduler has been heard of"),
    "a dead worker": (lambda d: d.process_status.silent.add("worker:1"), "workers: warning", "1 of 2 workers"),
    "no worker": (lambda d: silent(d, "worker"), "workers: fault", "no worker has been heard of"),
    "failed jobs": (lambda d: depths(d, failed=1), "queues: warning", "1 failed"),
    "jobs set aside": (lambda d: depths(d, unreadable=2), "queues: warning", "2 set aside"),
    "a long queue": (lambda d: depths(d, queues={"emails": 300}), "queues: warning", "300 jobs waiting"),
    "a pause": (lambda d: d.pause.pause("401 bad key", 60, "config"), "sending: fault", "401 bad key"),
    "a broken invariant": (hold, "invariants: fault", "1 held, since the letter"),
    "an unconfirmed email": (lambda d: (send_first(d), d.now.forward(minutes=20)), "invariants: warning", "1 taken by"),
    "a canary that is late": (lambda d: (start_canary(d), d.now.forward(minutes=6)), "canary: fault", "is planned"),
    "a chat that is gone": (mute, "alerts: fault", "answered 404"),
    "an overdue email": (lambda d: (opt_in(d), d.now.forward(minutes=2)), "overdue: fault", "1 email should have gone"),
    "Resend away": (lambda d: fail(d.account, Unavailable("resend", "503")), "resend key: fault", "503"),
    "a wrong key": (lambda d: fail(d.account, WRONG_KEY), "resend key: fault", "API key is invalid"),
    "a key that may only send": (
        lambda d: fail(d.account, ONLY_SENDS),
        "resend key: warning",
        "no reply can be fetched",
    ),
    "an unverified domain": (lambda d: domain(d, "pending"), "from domain: fault", "is pending"),
    "an unknown domain": (lambda d: d.account.known.clear(), "from domain: fault", "none of the account's"),
    "no webhook": (lambda d: d.account.told.clear(), "resend webhook: fault", "nothing"),
    "a disabled webhook": (lambda d: endpoint(d, status="disabled"), "resend webhook: fault", "is disabled"),
    "a quiet webhook": (lambda d: endpoint(d, events=("email.sent",)), "resend webhook: fault", "email.bounced"),
    "a quota used up": (lambda d: used(d, 100), "resend quota: fault", "100 of 100 sent today"),
    "a quota nearly used": (lambda d: used(d, 90), "resend quota: warning", "90 of 100 sent today"),
    "silence from Resend": (
        lambda d: (deliver_canary(d), send_first(d), d.now.forward(hours=2)),
        "resend events: fault",
        "came 2 h ago",
    ),
    "a wrong token": (lambda d: fail(d.notebook, Rejected("notion", "401")), "notion token: fault", "401"),
    "Notion away": (lambda d: fail(d.notebook, Unavailable("notion", "503")), "notion token: fault", "503"),
    "a database without a property": (
        lambda d: put(d, desk("Contacts: no Email")),
        "notion databases: fault",
        "Contacts: no Email",
    ),
    "no mirror": (lambda d: put(d, desk(missing=["Email Sequence"])), "notion databases: warning", "not set"),
    "no desk": (lambda d: put(d, SimpleNamespace(tables=Broken())), "notion databases: fault", "404"),
    "a busy desk": (
        lambda d: put(d, SimpleNamespace(tables=Broken(BUSY))),
        "notion databases: warning",
        "rate is used up",
    ),
    "nobody home": (lambda d: fail(d.public, Unavailable("x", "no route")), "public address: fault", "no route"),
    "no token": (lambda d: change(d, calendly_signing_keys=("k",)), "calendly: warning", "cannot be asked"),
    "no Calendly": (lambda d: change(d, calendly_token="t"), "calendly: fault", "cannot be reached"),
    "nobody to tell": (lambda d: change(d, heartbeat_url=None), "alerts: warning", "HEARTBEAT_URL not set"),
}


def only_that_of(name):
    """Return the checks without those that find nothing of this name: all of them take ten times as long."""
    of = {name, name.split()[0]}
    return {names: check for names, check in doctor.CHECKS.items() if of & set(names.split(", "))}


@pytest.mark.parametrize("trouble", WRONG)
def test_what_is_wrong_is_found_with_what_to_do(young, monkeypatch, trouble):
    make, title, words = WRONG[trouble]
    make(young)
    name, _, status = title.partition(": ")
    monkeypatch.setattr(doctor, "CHECKS", only_that_of(name))
    check = found(young)[name]
    assert (check.status, words in check.detail) == (status, True), check
    assert check.detail.count("Contacts: ") <= 1, "a database is named once"
    assert check.fix


@pytest.mark.parametrize("trouble", STAND_STILL)
def test_one_cause_is_one_fault_and_what_follows_names_it(well, trouble):
    make, cause, following = STAND_STILL[trouble]
    make(well)
    well.now.forward(minutes=2)
    lead = opt_in(well)
    if cause == "templates":
        deliver(well, email_ids(lead)[:1])
    well.now.forward(minutes=4)
    checks = found(well)
    assert [name for name, check in checks.items() if check.status == "fault"] == [cause]
    for name in following:
        assert checks[name].status == "warning" and f"this follows from {cause}" in checks[name].detail, name


def test_what_is_late_for_no_known_reason_is_a_fault_once(well):
    opt_in(well)
    well.now.forward(minutes=4)
    checks = found(well)
    assert [name for name, check in checks.items() if check.status == "fault"] == ["overdue"]
    assert "follows" not in checks["overdue"].detail and "due for over" not in checks["invariants"].detail


def test_a_lead_taken_for_a_test_is_a_fault(deps):
    write_templates(deps)
    (first, *_) = email_ids(opt_in(deps, "ana@client.example"))
    deliver(deps, [first])
    check = found(deps)["testing mode"]
    assert check.status == "fault" and "1 email went to nobody" in check.detail
    change(deps, public_url="http://localhost:8000")
    deps.now.forward(days=8)
    assert found(deps)["testing mode"].status == "ok", "at home, and long ago"


@pytest.mark.parametrize("told", [True, False])
def test_an_assessment_that_does_not_say_who_sent_email_1_is_told(engine, told):
    deps = make_deps(engine, **LIVE)
    said = {"payload": {"email_1_sent_at": "2026-11-24T12:00:00Z"}} if told else {"payload": {}}
    enrol(deps, call(event=Event.ASSESSMENT, **said))
    check = found(deps)["email 1 of christmas/five_day"]
    assert check.status == ("ok" if told else "warning")
    assert "the website if it says so" in check.detail
    assert told or "1 assessment of the last 7 days" in check.detail


def test_events_that_come_back_are_no_silence(well):
    first = send_first(well)
    record_event(well, report(well, first))
    well.now.forward(hours=3)
    check = found(well)["resend events"]
    assert (check.status, check.detail) == ("ok", "the last came 3 h ago")


def test_an_answer_to_our_own_question_is_no_sign_of_life_from_the_webhook(well):
    first = send_first(well)
    well.mailer.last_events = {look(well, first).resend_id: "delivered"}
    well.now.forward(hours=2)
    assert reconcile(well) == 1
    assert found(well)["resend events"].status == "fault"
    assert "Resend has reported nothing" in without_echo(well)


@pytest.mark.parametrize(
    ("part", "told", "untold"),
    [
        (
            lambda d: setattr(d.process_status, "away", True),
            "redis",
            {"scheduler", "workers", "jobs", "redis access"},
        ),
        (lambda d: fail(d.account, Unavailable("resend", "503")), "resend key", {"from domain", "resend quota"}),
        (lambda d: fail(d.account, Rejected("resend", "401")), "resend key", {"from domain", "resend's address for"}),
        (lambda d: fail(d.notebook, Unavailable("notion", "503")), "notion token", {"notion databases", "templates"}),
    ],
)
def test_one_cause_is_one_fault_that_names_what_cannot_be_looked_at(deps, part, told, untold):
    part(deps)
    checks = found(deps)
    assert checks[told].status == "fault" and not untold & set(checks)
    assert all(name in checks[told].detail for name in untold)


def test_another_python_is_a_fault(deps, monkeypatch):
    monkeypatch.setattr(settings.sys, "version_info", (3, 12, 1))
    (check,) = settings.python(deps)
    assert check.status == "fault"


def test_a_lead_whom_notion_refuses_is_told_with_its_words(well):
    opt_in(well)
    assert found(well)["notion mirror"].status == "ok"
    refused(well, "400 validation_error: Name is expected to be title")
    check = found(well)["notion mirror"]
    assert (check.status, check.detail) == (
        "warning",
        "Notion refused 1 lead: 400 validation_error: Name is expected to be title",
    )


def refused(deps, words):
    with deps.sessions.begin() as session:
        session.execute(text("UPDATE contacts SET mirror_error = :words"), {"words": words})


def test_what_resend_does_not_say_is_no_fault(well, monkeypatch):
    well.account.used = Usage((Quota("monthly", 4, None),), None)
    checks = found(well)
    assert (checks["resend quota"].detail, checks["resend rate"].detail) == ("4 sent this month", "Resend does not say")

    def unknown():
        raise Rejected("resend", "404 not_found", "not_found")

    monkeypatch.setattr(well.account, "usage", unknown)
    checks = found(well)
    assert [checks[name].status for name in ("resend webhook", "resend quota", "resend rate")] == [
        "ok",
        "warning",
        "warning",
    ]


def test_no_check_is_missing_from_a_report_whatever_is_wrong(well):
    names = list(found(well))
    for trouble in (WRONG_KEY, ONLY_SENDS, Unavailable("resend", "no connection")):
        well.account.fault = trouble
        checks = found(well)
        unnamed = [name for name in names if title_of_check(name) not in checks["resend key"].detail]
        assert [name for name in unnamed if name not in checks] == []


def test_a_look_that_breaks_hides_no_other(well, monkeypatch):
    def break_down(engine):
        raise RuntimeError("nobody thought of this")

    names, reported = list(found(well)), []
    monkeypatch.setattr(ledger.storage, "file_of", break_down)
    monkeypatch.setattr(doctor, "report", reported.append)
    checks = found(well)
    assert list(checks) == names
    assert "RuntimeError: nobody thought of this" in checks["disk space"].detail
    assert {str(fault) for fault in reported} == {"nobody thought of this"}


def test_a_canary_in_the_air_does_not_hide_the_one_before(deps):
    write_templates(deps)
    start_canary(deps)
    check = found(deps)["canary"]
    assert (check.status, check.detail) == ("warning", "the first runs since 07:00")
    deliver(deps, email_ids_of(deps))
    record_event(deps, report(deps, email_ids_of(deps)[0]))
    deps.now.forward(minutes=60)
    start_canary(deps)
    check = found(deps)["canary"]
    assert (check.status, check.detail) == ("ok", "the one of 07:00 arrived after 0 s")


def test_a_database_that_is_not_shared_is_a_fault(well, monkeypatch):
    def unknown():
        raise Rejected("notion", "404 object_not_found", "object_not_found")

    monkeypatch.setattr("funnel_app.flows.monitoring.checks.notion.audit_templates", lambda deps: unknown())
    check = found(well)["templates"]
    assert check.status == "fault" and "share the database" in check.fix


def test_templates_that_there_was_no_time_to_read_are_no_fault(well, monkeypatch):
    def busy(_):
        raise BUSY

    monkeypatch.setattr("funnel_app.flows.monitoring.checks.notion.audit_templates", busy)
    check = found(well)["templates"]
    assert (check.status, check.fix) == ("warning", "wait: the last good texts serve for a day")
    assert "its rate is used up" in check.detail


def test_templates_that_cannot_be_sent_are_named(well):
    take_whole(well)
    for key in well.registry.template_keys()[:7]:
        del well.notebook.pages[key]
    check = found(well)["templates"]
    assert check.status == "fault"
    assert "7 templates of 22 cannot be sent: lead_nurture_email_1 (missing)" in check.detail
    assert check.detail.endswith("and 2 more")


def test_an_older_text_that_somebody_chose_is_said(well, monkeypatch):
    monkeypatch.setattr("funnel_app.flows.monitoring.checks.notion.kept_manually", lambda deps: ["christmas_email_1"])
    check = found(well)["templates"]
    assert check.status == "ok" and check.detail.endswith("an older text, chosen by hand: christmas_email_1")


def test_templates_to_be_looked_at_are_named(well):
    well.notebook.write("christmas_email_1", html="<p>Hi {{ first_name }}</p>")
    check = found(well)["templates"]
    assert check.status == "warning" and "christmas_email_1 (no unsubscribe)" in check.detail


@pytest.mark.parametrize("trouble", [None, "a rotation", "a wrong key"])
def test_the_report_to_sign_says_where_it_stands(well, trouble):
    if trouble:
        WRONG[trouble][0](well)
    text = signoff(well, examine(well))
    verdict = {None: "is right", "a rotation": "warnings are to be read", "a wrong key": "Not ready"}[trouble]
    assert text.startswith("# Production report, 24 November 2026") and verdict in text
    assert "on 2026-11-24 at 07:00:00 (America/Toronto) for" in text
    assert text.count("\n| ") == len(examine(well)) + 2
    assert ("Signed: ____" in text) is (trouble != "a wrong key") and ("Not to be signed" in text) is (
        trouble == "a wrong key"
    )
    assert f"over the ledger `{well.engine.dialect.name}" in text and "password" not in text
