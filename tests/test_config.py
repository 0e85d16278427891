"""Settings: all faults in one message, sensible defaults, and no secret in a log."""

import json
import logging
import os
from datetime import timedelta

import pytest
import structlog
from flask.cli import load_dotenv

from funnel_app.config import ConfigError, load_settings, require_python
from funnel_app.logs import Steady, configure_logging
from sandbox.processes import ROOT
from tests.process.forked import run

GOOD = {
    "SECRET_KEY": "s" * 32,
    "PUBLIC_URL": "https://funnel.example/",
    "TESTING_MODE": "false",
    "HOOK_SECRET": "a-new-hook-secret, an-old-hook-secret",
    "RESEND_API_KEY": "re_1",
    "RESEND_WEBHOOK_SECRET": "whsec_MQ==",
    "FROM_EMAIL": "BusinessX <hello@mail.businessx.example>",
    "NOTION_TOKEN": "ntn_1",
    "NOTION_TEMPLATES_DB_ID": "5a2b0d00-0000-4000-8000-000000000001",
    "CONSOLE_PASSWORD": "four words of yours",
    "COMPANY_NAME": "BusinessX",
    "COMPANY_ADDRESS": "1 Market Street, Toronto",
}


@pytest.fixture
def load(monkeypatch, tmp_path):
    """Load settings from exactly these values."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("funnel_app.config.find_file", lambda: None)

    def load_from(**values):
        for name in list(os.environ):
            if name not in {"PATH", "HOME"} and not name.startswith(("PYTEST", "COV")):
                monkeypatch.delenv(name)
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        return load_settings()

    return load_from


def faults(load, **values) -> str:
    with pytest.raises(ConfigError) as fault:
        load(**values)
    return str(fault.value)


def test_the_required_settings_are_enough(load):
    settings = load(**GOOD)
    assert settings.public_url == "https://funnel.example"
    assert settings.hook_secrets == ("a-new-hook-secret", "an-old-hook-secret")
    assert settings.testing_mode is False
    assert (settings.port, settings.workers, settings.schedule_horizon) == (8000, 2, timedelta(days=14))
    assert (settings.resend_rate_limit, settings.resend_rate_share) == (2.0, 0.8)
    assert (settings.testing_interval_seconds, settings.test_recipients) == (60, ("*@resend.dev",))
    assert settings.reply_to is None


def test_other_names_of_notions_properties_are_read_in_pairs(load):
    settings = load(**{**GOOD, "NOTION_PROPERTY_NAMES": "contacts.name=Client, sequences.email = E-mail"})
    assert settings.notion_property_names == {"contacts.name": "Client", "sequences.email": "E-mail"}


def test_all_missing_settings_are_named_in_one_message(load):
    message = faults(load)
    assert message.startswith("The settings cannot be used. Fix these in the environment (or in .env):")
    *named, last = message.splitlines()[1:]
    assert [line.split(":")[0].strip() for line in named] == sorted(GOOD)
    assert last == "flask setup asks for each, and writes .env."
    assert "flask setup" not in faults(load, **{**GOOD, "WORKERS": "two"})


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("hello@mail.example", "hello@mail.example"),
        (" BusinessX <hello@mail.example> ", "BusinessX <hello@mail.example>"),
        ("Ana & Co, Coaching <hello@mail.example>", '"Ana & Co, Coaching" <hello@mail.example>'),
        ("Salon Ana (Toronto) <hello@mail.example>", '"Salon Ana (Toronto)" <hello@mail.example>'),
        ("Zoë Müller <hello@mail.example>", '"Zoë Müller" <hello@mail.example>'),
        ('"Ana \\"Luz\\" Inc." <hello@mail.example>', '"Ana \\"Luz\\" Inc." <hello@mail.example>'),
        ("Ana <hello@münchen.example>", "Ana <hello@xn--mnchen-3ya.example>"),
    ],
)
def test_an_address_is_written_as_mail_needs_it(load, written, sent):
    settings = load(**GOOD | {"FROM_EMAIL": written, "REPLY_TO": written})
    assert (settings.from_email, settings.reply_to) == (sent, sent)


@pytest.mark.parametrize("blank", ["", "  "])
def test_no_reply_address_is_none(load, blank):
    assert load(**GOOD, REPLY_TO=blank).reply_to is None


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("SECRET_KEY", "short", "must have 32 characters or more."),
        ("SECRET_KEY", "s" * 32 + ",old", "must have 32 characters or more."),
        ("SECRET_KEY", " , " * 20, "must have 32 characters or more."),
        ("PUBLIC_URL", "funnel.example", "must be a web address"),
        ("PUBLIC_URL", "ftp://funnel.example", "must be a web address"),
        ("TESTING_MODE", "perhaps", "must be true or false."),
        ("HOOK_SECRET", "short", "must be a secret of 16 characters or more"),
        ("HOOK_SECRET", "a-new-hook-secret,short", "must be a secret of 16 characters or more"),
        ("RESEND_API_KEY", "  ", "is not set, or empty."),
        ("RESEND_API_KEY", "re_AbCd\u200b1234", "has a line break or an invisible character (U+200B) at place 8"),
        ("RESEND_API_KEY", "re_AbCd\u20131234", "must be a key of letters, digits and signs alone"),
        ("NOTION_TOKEN", "ntn_ 1", "must be a key of letters, digits and signs alone"),
        ("RESEND_WEBHOOK_SECRET", "whsec_", "must be the signing secret"),
        ("HOOK_SECRET", "a-new-hook-\nsecret", "has a line break"),
        ("HOOK_SECRET", '"a-new-hook-secret', "begins or ends with a quote that has no partner"),
        ("NOTION_TEMPLATES_DB_ID", "https://www.notion.so/x", "must be the 32 letters and digits"),
        ("TEST_RECIPIENTS", "ana@resend.dev, resend.dev", "must be addresses with commas"),
        ("SENTRY_DSN", "https://sentry.example/1", "must be the DSN"),
        ("EVENTS_WEBHOOK_URL", "https://n8n.example/x, zapier", "must be a web address"),
        ("EVENTS_WEBHOOK_URL", "https://n8n.example/x", "EVENTS_WEBHOOK_SECRET: must be set with EVENTS_WEBHOOK_URL"),
        ("REPLY_FORWARD_TO", "olga", "must be one address"),
        ("REPLY_FORWARD_TO", "Me <Hello@mail.businessx.example>", "what goes on would come again"),
        ("EVENTS_WEBHOOK_SECRET", "whsec_c2hvcnQ=", "24 to 64 bytes"),
        ("ARM_HORIZON_DAYS", "1000000000", "366 is the most"),
        ("PORT", "80000", "65,535 is the most"),
        ("RESEND_RATE_LIMIT", "nan", "are not permitted"),
        ("TIMEZONE", "America", "must be a time zone"),
        ("DATABASE_URL", "postgresql://funnel:pa/ss@db/funnel", "percent-encode it"),
        ("DATABASE_URL", "postgresql://funnel:pa#ss@db/funnel", "percent-encode it"),
        ("DATABASE_URL", "postgresql://funnel:p@ss@db/funnel", "percent-encode it"),
        ("DATABASE_URL", "postgresql://funnel:p%ss@db/funnel", "percent-encode it"),
        ("DATABASE_URL", "postgresql://db/funnel?pgbouncer=true", "works through PgBouncer without it"),
        ("DATABASE_URL", "postgresql://db/funnel?schema=funnel", "say options=-csearch_path"),
        ("REDIS_URL", "redis://:pa/ss@redis:6379/0", "percent-encode it"),
        ("FROM_EMAIL", "BusinessX", "must be one address such as"),
        ("FROM_EMAIL", '"BusinessX <hello@mail.example>', "has half a name"),
        ("REPLY_TO", "owner(at)x", "must be one address such as"),
        ("REPLY_TO", "a@one.example, b@two.example", "must be one address such as"),
        ("REPLY_TO", "Ana <a@one.example", "must be one address such as"),
        ("REPLY_TO", 'Ana" <a@one.example>', "has half a name"),
        ("TIMEZONE", "Mars/Olympus", "must be a time zone"),
        ("TESTING_INTERVAL_SECONDS", "0", "must be 1 or more."),
        ("WORKERS", "0", "must be 1 or more."),
        ("PORT", "http", "must be a whole number"),
        ("RESEND_RATE_LIMIT", "2,5", "must be a number"),
        ("RESEND_RATE_SHARE", "1.5", "must be over 0 and at most 1."),
        ("RESEND_RATE_LIMIT", "0", "must be 0.1 or more."),
        ("ARM_HORIZON_DAYS", "0", "must be 1 or more."),
        ("RESEND_API_URL", "api.resend.com", "must be a web address"),
        ("LOG_LEVEL", "LOUD", "must be one of DEBUG, INFO, WARNING, ERROR, CRITICAL."),
        ("DATABASE_URL", "funnel.db", "must be sqlite:////folder/funnel.db or postgresql://"),
        ("DATABASE_URL", "postgresql://funnel:secret@db:here/funnel", "must be sqlite:////folder/funnel.db or"),
        ("REDIS_URL", "127.0.0.1:6379", "must be redis://host:6379/0"),
        ("REDIS_URL", "redis://127.0.0.1:here", "must be redis://host:6379/0"),
        ("NOTION_RATE_LIMIT", "0.1", "must be 0.2 or more."),
        ("NOTION_PROPERTY_NAMES", "contacts.name", "must read contacts.name=Client"),
        ("NOTION_PROPERTY_NAMES", "people.name=Client", "must read contacts.name=Client"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_with_its_rule(load, name, value, words):
    message = faults(load, **{**GOOD, name: value})
    assert sum(line.startswith("  ") for line in message.splitlines()) == 1
    assert name in message and words in message


# As `docker --env-file`, a shell, Coolify and a paste out of a document leave them, and as they are easily mistyped.
MISREAD = [
    ("HOOK_SECRET", "a-new-hook-secret # the website's", "reads as a comment"),
    ("BACKUP_DIR", "/data/backups # nightly", "reads as a comment"),
    ("HOOK_SECRET", "\u201ca-new-hook-secret\u201d", "stands in quotes that nobody takes away"),
    ("SECRET_KEY", f"`{'s' * 32}`", "stands in quotes that nobody takes away"),
    ("CALENDLY_SIGNING_KEY", '\\"a-signing-key-of-calendly\\"', "stands in quotes that nobody takes away"),
    ("SECRET_KEY", "s" * 32 + "\\n", "ends with \\n, written out"),
    ("HOOK_SECRET", "$(openssl rand -hex 32)", "stands for another value"),
    ("SECRET_KEY", "${SERVICE_PASSWORD_64_FUNNEL_OF_OURS}", "stands for another value"),
    ("COMPANY_NAME", "{{ project.NAME }}", "stands for another value"),
    ("CONSOLE_PASSWORD", "<four words of yours>", "stands for another value"),
    ("HOOK_SECRET", "s\u00e9same-ouvre-toi-vite", "plain letters"),
    ("RESEND_API_KEY", "re_AbCd1234;", "must be a key of letters"),
    ("NOTION_TOKEN", "NOTION_TOKEN=ntn_1", "must be a key of letters"),
    ("PUBLIC_URL", "https://a.example,https://b.example", "must be a web address"),
    ("PUBLIC_URL", "https://funnel.example;", "must be a web address"),
    ("PUBLIC_URL", "https://nora:secret@funnel.example", "must be the address alone"),
    ("PUBLIC_URL", "https://funnel.example/?utm=1", "must be the address alone"),
    ("ALERT_WEBHOOK_URL", "https://hooks.example/a,https://hooks.example/b", "must be a web address"),
    ("EVENTS_WEBHOOK_URL", "https://a.example;https://b.example", "must be a web address"),
    ("DATABASE_URL", "sqlite:///:memory:", "must name a file behind four slashes"),
    ("DATABASE_URL", "sqlite:///", "must name a file behind four slashes"),
    ("DATABASE_URL", "sqlite:////data/", "must name a file behind four slashes"),
    ("DATABASE_URL", "sqlite:////data/funnel.db?mode=ro", "must name a file behind four slashes"),
    ("DATABASE_URL", "postgresql://funnel:${PASSWORD}@db/funnel", "must be sqlite:////folder/funnel.db or"),
    ("DATABASE_URL", "postgresql://db/funnel?sslmode=required", "an sslmode that is none of disable"),
    ("REDIS_URL", "redis://", "must be redis://host:6379/0"),
    ("REDIS_URL", "redis://redis:6379/main", "must be redis://host:6379/0"),
    ("REDIS_URL", "redis://redis:6379/0?db=main", "must be redis://host:6379/0"),
    ("REDIS_URL", "redis://redis:6379?family=0", "of which Funnel makes nothing: leave it away"),
    ("REDIS_URL", "rediss://redis:6379?ssl_cert_reqs=CERT_NONE", "none of none, optional, required"),
    ("TEST_RECIPIENTS", '["ana@resend.dev"]', "must be addresses with commas"),
    ("TEST_RECIPIENTS", "*@*", "must be addresses with commas"),
    ("BACKUP_DIR", "none", "leave it empty for none"),
    ("BACKUP_DIR", "file:///data/backups", "must be a folder from the root"),
]


@pytest.mark.parametrize(("name", "value", "words"), MISREAD)
def test_what_a_platform_or_a_hand_spoils_is_refused(load, name, value, words):
    message = faults(load, **{**GOOD, name: value})
    assert f"{name}: " in message and words in message


@pytest.mark.parametrize("written", [" {} ", "{}\n", '"{}"', "'{}'", " '{} '\r\n", "\ufeff{}\u200b", "'\"{}\"'"])
def test_what_stands_around_a_value_is_no_part_of_it(load, written):
    settings = load(**{name: written.format(value) for name, value in GOOD.items()}, PORT=written.format(8001))
    assert settings == load(**GOOD, PORT="8001")


@pytest.mark.parametrize(
    ("name", "value", "field"),
    [
        ("FROM_EMAIL", '"Nora, BusinessX" <hello@mail.businessx.example>', "from_email"),
        ("COMPANY_NAME", "Friends of the Jones'", "company_name"),
        ("COMPANY_ADDRESS", "1 Market Street\nToronto", "company_address"),
        ("CONSOLE_PASSWORD", "a$HOME${PATH}b", "console_password"),
        ("DATABASE_URL", "postgresql://u:p%2Fss@db:5432/funnel?sslmode=require", "database_url"),
        ("REDIS_URL", "rediss://:p%23ss@redis:6379/0", "redis_url"),
        ("SENTRY_DSN", "https://key@sentry.example/1", "sentry_dsn"),
        ("COMPANY_ADDRESS", "1 Market Street #4, Toronto", "company_address"),
        ("PUBLIC_URL", "https://f\u00fcnnel.example:8443/leads", "public_url"),
        ("REDIS_URL", "rediss://app:p%23ss@valkey_1:6380/2?ssl_cert_reqs=none", "redis_url"),
        ("REDIS_URL", "unix:///run/redis.sock?db=1", "redis_url"),
        ("DATABASE_URL", "postgresql://u@[::1]:5432/funnel?channel_binding=require", "database_url"),
    ],
)
def test_what_belongs_to_a_value_is_left(load, name, value, field):
    assert getattr(load(**{**GOOD, name: value}), field) == value


def test_what_is_written_otherwise_and_means_the_same_is_read_as_that(load):
    settings = load(**{**GOOD, "PUBLIC_URL": "HTTPS://Funnel.Example/", "COMPANY_ADDRESS": "1 Market Street\\nToronto"})
    assert settings.public_url == "https://funnel.example"
    assert settings.company_address == "1 Market Street\nToronto"


def test_a_text_that_a_number_sign_would_cut_short_in_a_file_is_refused(load, monkeypatch, tmp_path):
    """Docker and Compose read it otherwise than dotenv does: only quotes say the same to all."""
    file = tmp_path / ".env"
    monkeypatch.setattr("funnel_app.config.find_file", lambda: file)
    given = {name: value for name, value in GOOD.items() if name != "COMPANY_ADDRESS"}
    file.write_text("COMPANY_ADDRESS=1 Market Street #4, Toronto\n")
    assert "COMPANY_ADDRESS: has a # in it" in faults(load, **given)
    for written in ("'1 Market Street #4, Toronto'", "1 Market Street # the office"):
        file.write_text(f"COMPANY_ADDRESS={written}\n")
        assert load(**given).company_address.startswith("1 Market Street")


def test_a_line_of_the_file_that_nobody_can_read_is_a_fault_and_no_lost_setting(load, monkeypatch, tmp_path):
    file = tmp_path / ".env"
    monkeypatch.setattr("funnel_app.config.find_file", lambda: file)
    file.write_text('# ours\nexport WORKERS=3\n\nHEARTBEAT_URL="https://hc.example/"x" # check"\n')
    assert ".env: cannot be read at line 4" in faults(load, **GOOD)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda file: file.write_bytes("COMPANY_NAME=Café".encode("cp1252")), "is not in UTF-8: save it as that."),
        (lambda file: file.write_text("COMPANY_NAME=Us", "utf-16"), "is not in UTF-8: save it as that."),
        (lambda file: file.mkdir(), "cannot be read: Is a directory."),
    ],
)
def test_a_file_that_is_no_text_is_one_fault(load, monkeypatch, tmp_path, make, words):
    file = tmp_path / ".env"
    make(file)
    monkeypatch.setattr("funnel_app.config.find_file", lambda: file)
    assert faults(load) == f"{file} {words}"


def test_an_empty_value_is_none_at_all(load):
    settings = load(**GOOD, RESEND_RATE_LIMIT="", DATABASE_URL=" ", TIMEZONE="''")
    assert (settings.resend_rate_limit, settings.database_url) == (2.0, "sqlite:///funnel.db")
    assert settings.timezone == "America/Toronto"


def test_a_dollar_in_a_file_is_a_dollar_and_the_environment_goes_before(load, monkeypatch, tmp_path):
    file = tmp_path / ".env"
    file.write_text(
        "CONSOLE_PASSWORD='a${HOME}b$c of four words'\nCOMPANY_NAME=\"Of $HOME\"\nCOMPANY_ADDRESS=of the file\n"
    )
    monkeypatch.setattr("funnel_app.config.find_file", lambda: file)
    given = {name: value for name, value in GOOD.items() if name not in {"CONSOLE_PASSWORD", "COMPANY_NAME"}}
    settings = load(**given)
    assert (settings.console_password, settings.company_name) == ("a${HOME}b$c of four words", "Of $HOME")
    assert settings.company_address == GOOD["COMPANY_ADDRESS"]


def test_a_command_reads_a_file_as_the_web_does_though_flask_has_expanded_it_before(load, monkeypatch, tmp_path):
    file = tmp_path / ".env"
    file.write_text("CONSOLE_PASSWORD='a${HOME}b$c of four words'\nCOMPANY_ADDRESS=1 Market Street #4\n")
    monkeypatch.setattr("funnel_app.config.find_file", lambda: (load_dotenv(), file)[1])
    given = {name: value for name, value in GOOD.items() if name not in {"CONSOLE_PASSWORD", "COMPANY_ADDRESS"}}
    assert "COMPANY_ADDRESS: has a # in it" in faults(load, **given)
    assert load(**given, COMPANY_ADDRESS="2 Market Street").console_password == "a${HOME}b$c of four words"


def test_no_fault_shows_the_value(load):
    message = faults(
        load, **{**GOOD, "DATABASE_URL": "postgresql://u:se/cret@db/x", "RESEND_API_KEY": "re_\u200bsecret"}
    )
    assert "se/cret" not in message and "secret" not in message


def test_two_faults_are_told_at_once(load):
    message = faults(load, **{**GOOD, "SECRET_KEY": "short", "WORKERS": "none"})
    assert "SECRET_KEY" in message and "WORKERS" in message


@pytest.mark.parametrize("version", [(3, 10), (3, 12), (3, 13), (2, 7)])
def test_another_python_is_refused_with_the_reason(version):
    with pytest.raises(ConfigError, match=r"Python 3\.11 only, and this is .*child watcher"):
        require_python(version)


def test_secrets_stay_out_of_the_settings_representation(load):
    shown = repr(load(**GOOD))
    for name in ("SECRET_KEY", "RESEND_API_KEY", "RESEND_WEBHOOK_SECRET", "NOTION_TOKEN"):
        assert GOOD[name] not in shown
    assert "a-new-hook-secret" not in shown


def test_what_the_example_has_in_a_secrets_place_is_refused(load):
    example = dict(line.split("=", 1) for line in (ROOT / ".env.example").read_text().splitlines() if "=" in line[:40])
    with pytest.raises(ConfigError) as error:
        load(**{name: value for name, value in example.items() if value and not name.startswith("#")})
    told = dict(line.strip().split(": ", 1) for line in str(error.value).splitlines() if ": " in line)
    for name in ("SECRET_KEY", "HOOK_SECRET", "RESEND_API_KEY", "NOTION_TOKEN"):
        assert told[name].startswith("is still the example's"), told
    assert "RESEND_WEBHOOK_SECRET" in told


@pytest.mark.parametrize("module", ["jobs.worker", "jobs.scheduler"])
def test_a_process_with_faulty_settings_ends_with_the_message(module, tmp_path):
    environment = {"PATH": os.environ["PATH"], "SECRET_KEY": "short"}
    done = run(module, env=environment, folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("The settings cannot be used.") and "Traceback" not in done.stderr


@pytest.mark.parametrize("module", ["jobs.worker", "jobs.all_parts"])
def test_a_process_with_a_faulty_campaign_file_ends_with_the_message(module, tmp_path):
    shipped = (ROOT / "funnel_app" / "campaigns" / "christmas.toml").read_text()
    (tmp_path / "own.toml").write_text(shipped.replace('after = "1d"', 'after = "1x"', 1))
    environment = {"PATH": os.environ["PATH"], **GOOD, "CAMPAIGNS_DIR": str(tmp_path)}
    done = run(module, env=environment, folder=tmp_path)
    assert done.returncode == 1
    assert "own.toml: sequences.lead_nurture.steps[2].after: '1x' is not a duration" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_logs_are_json_lines_at_their_level(capsys):
    """One line a thing, and nothing below the level."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        configure_logging("warning")
        structlog.get_logger().info("not worth it")
        structlog.get_logger().error("emails_ambiguous", emails=3)
        assert logging.getLogger("rq.worker").level == logging.WARNING
        assert root.level == logging.WARNING
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()
    (line,) = capsys.readouterr().err.splitlines()
    told = json.loads(line)
    assert (told["event"], told["level"], told["emails"]) == ("emails_ambiguous", "error", 3)


def test_a_log_that_cannot_be_written_fails_nothing():
    class Broken:
        def write(self, text):
            raise BrokenPipeError

        def flush(self):
            raise BrokenPipeError

    steady = Steady(Broken())
    steady.write("a line")
    steady.flush()


def test_a_role_that_does_not_exist_is_refused(load):
    assert "ROLE: must be one of all, web, worker, scheduler, migrate." in faults(load, **GOOD, ROLE="cook")


WEAK = {
    "CONSOLE_PASSWORD": "eleven chars"[:11],
    "CALENDLY_SIGNING_KEY": "short",
    "CALCOM_SIGNING_KEY": f"{'k' * 16},short",
    "METRICS_TOKEN": f"{'k' * 16},short",
}


@pytest.mark.parametrize("name", WEAK)
def test_what_can_be_guessed_is_refused_and_not_shown(load, name):
    with pytest.raises(ConfigError, match=f"{name}.*characters|{name}.*letters") as fault:
        load(**GOOD | {name: WEAK[name]})
    assert WEAK[name] not in str(fault.value)
