"""Read the settings from the environment once, and name every fault in one message."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from environs import Env, EnvValidationError

from funnel_app.address_checks import (
    ledger,
    public_address,
    redis_address,
    replica_address_or_off,
    sentry_address,
    web_address,
    web_address_or_off,
    web_addresses,
    without_end,
)
from funnel_app.environment import fill, find_file
from funnel_app.setting_checks import (
    between,
    folder_or_off,
    key,
    key_or_off,
    log_level,
    long_enough,
    mailbox,
    mailbox_or_none,
    mailbox_or_off,
    named,
    names_of,
    not_blank,
    notion_id,
    notion_id_or_off,
    own_signing_secrets,
    parts_of,
    password,
    recipients,
    role,
    share,
    signing_keys,
    strong_or_off,
    strong_pair,
    time_zone,
    webhook_secrets,
)
from funnel_app.setting_faults import all_faults, by_name, in_a_circle, unsigned

SUPPORTED_PYTHON = (3, 11)

MEANINGS = {
    "SECRET_KEY": "Signs sessions; peppers the hashes of erased addresses; 32 characters up. A new one goes before the "
    "old, with a comma",
    "PUBLIC_URL": "Where the world reaches Funnel: unsubscribe links and the playbook begin with it",
    "TESTING_MODE": "`true`: minutes for days, and only `TEST_RECIPIENTS` are mailed; no default, so nobody guesses",
    "HOOK_SECRET": "The bearer token of the website and the CRM; two with a comma while it is rotated",
    "LEGACY_KEY": "Opens `/k/<LEGACY_KEY>/api` and nothing else; two with a comma while it is rotated; none: closed",
    "CALENDLY_SIGNING_KEY": "Proves Calendly's events; two with a comma while it is rotated; none: that hook is closed",
    "CALENDLY_TOKEN": "A Calendly token, for `flask calendly check` and `subscribe`",
    "CALENDLY_API_URL": "Another address for Calendly, for tests",
    "CALCOM_SIGNING_KEY": "Proves Cal.com's events; two with a comma while it is rotated; none: that hook is closed",
    "RESEND_API_KEY": "Resend's key for sending",
    "RESEND_WEBHOOK_SECRET": "Proves Resend's events (`whsec_…`)",
    "FROM_EMAIL": "Who the emails are from: `Name <name@domain>`, a domain that Resend has verified",
    "NOTION_TOKEN": "The token of the Notion integration",
    "NOTION_TEMPLATES_DB_ID": "The Notion database in which the owner writes the emails",
    "CONSOLE_PASSWORD": "The operators' password for the console, 12 characters up",
    "COMPANY_NAME": "The sender's name in every footer",
    "COMPANY_ADDRESS": "The sender's postal address in every footer, as the law asks",
    "DATABASE_URL": "The ledger: a SQLite file, or PostgreSQL",
    "REDIS_URL": "The clock and the queues; may be lost at any time",
    "PORT": "Where the web process listens",
    "TIMEZONE": "The business's time zone",
    "TESTING_INTERVAL_SECONDS": "What stands for a delay's unit in testing mode",
    "TEST_RECIPIENTS": "Who may be mailed in testing mode, with commas; `*@domain` allows a domain",
    "RESEND_API_URL": "Another address for Resend, for the stand-in",
    "RESEND_RATE_LIMIT": "Calls a second that the Resend team may make, until its answers say it better",
    "RESEND_RATE_SHARE": "The share of that rate that Funnel takes: the website uses the same team",
    "REPLY_TO": "Where answers to the emails go: one address, `name@domain` or `Name <name@domain>`",
    "REPLY_FORWARD_TO": "Your own mailbox, for the answers that Resend receives; none: the console alone has them",
    "NOTION_API_URL": "Another address for Notion, for the stand-in",
    "NOTION_RATE_LIMIT": "Calls a second to Notion, of all processes together; refusals lower it for a while",
    "NOTION_CONTACTS_DB_ID": "The Notion database with a row per contact; none: contacts are not mirrored",
    "NOTION_SEQUENCES_DB_ID": "The Notion database with a row per enrolment; none: enrolments are not mirrored",
    "NOTION_PROPERTY_NAMES": "Other names of properties: `contacts.name=Client, sequences.email=E-mail` (keys as in "
    "`migrations/notion/schema.toml`)",
    "NOTION_WISHES_BY": "Whose wishes in Notion's rows are granted: addresses or ids of Notion users, with commas, "
    "`*` for all who may edit them; none: nobody's, and none are read",
    "ARM_HORIZON_DAYS": "How far ahead emails are put on the clock in Redis",
    "WORKERS": "How many workers send at once",
    "BACKUP_DIR": "Where a verified copy of the ledger goes each night (`/data/backups` in the image); none: nowhere",
    "BACKUP_KEEP_DAYS": "How long those copies are kept; the newest always is",
    "REPLICA_URL": "Where each change of a SQLite ledger goes at once: `file:///folder`, `s3://bucket/path`; none: no",
    "ROLE": "What a container runs: `all`, `web`, `worker`, `scheduler`, or `migrate`, which then ends",
    "WEB_CONCURRENCY": "How many web processes answer, each with 4 threads",
    "LOG_LEVEL": "From which level on things are logged",
    "TRUSTED_PROXIES": "How many proxies stand in front and may name the caller's address",
    "METRICS_TOKEN": "Opens `/metrics`, and the reasons at `/readyz`; two with a comma while it changes; none: closed",
    "ALERT_WEBHOOK_URL": "Where alerts and the daily digest go: an incoming webhook of Slack or Discord",
    "LEADS_WEBHOOK_URL": "Where one word of each CRITICAL lead goes, likewise",
    "EVENTS_WEBHOOK_URL": "Who else is told what happens to leads (Zapier, n8n, a CRM): addresses, with commas",
    "EVENTS_WEBHOOK_SECRET": "Signs what they are told (`whsec_…`, base64); two with a comma while it changes",
    "HEARTBEAT_URL": "Called each minute while all is well: a dead man's switch outside this machine",
    "SENTRY_DSN": "Where unexpected errors are reported, without addresses and secrets",
    "EXTRA_CAMPAIGNS": "Campaigns that run only if they are named here, with commas: `evergreen`; none: none of these",
    "CANARY_EVERY_MINUTES": "How often the test email (the canary) runs from the public hook to its delivery; 0: never",
    "SILENT_AFTER_SECONDS": "How long scheduler and workers may give no sign before that is an alert",
    "WATCH_EVERY_SECONDS": "How often Funnel looks whether something is wrong",
}


class ConfigError(Exception):
    """The settings cannot be used; the message names every one at fault and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting, typed. Secrets stay out of its representation."""

    secret_key: str = field(repr=False)
    public_url: str
    testing_mode: bool
    hook_secrets: tuple[str, ...] = field(repr=False)
    legacy_key: str | None = field(repr=False)
    calendly_signing_keys: tuple[str, ...] = field(repr=False)
    calendly_token: str | None = field(repr=False)
    calendly_api_url: str
    calcom_signing_keys: tuple[str, ...] = field(repr=False)
    resend_api_key: str = field(repr=False)
    resend_webhook_secret: str = field(repr=False)
    from_email: str
    notion_token: str = field(repr=False)
    notion_templates_db_id: str
    console_password: str = field(repr=False)
    company_name: str
    company_address: str
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    port: int
    timezone: str
    testing_interval_seconds: int
    test_recipients: tuple[str, ...]
    resend_api_url: str
    resend_rate_limit: float
    resend_rate_share: float
    reply_to: str | None
    reply_forward_to: str | None
    notion_api_url: str
    notion_rate_limit: float
    notion_contacts_db_id: str | None
    notion_sequences_db_id: str | None
    notion_property_names: Mapping[str, str]
    notion_wishes_by: tuple[str, ...]
    arm_horizon: timedelta
    workers: int
    backup_dir: str | None
    backup_keep: timedelta
    replica_url: str | None
    role: str
    web_concurrency: int
    log_level: str
    trusted_proxies: int
    metrics_token: str | None = field(repr=False)
    alert_webhook_url: str | None = field(repr=False)
    leads_webhook_url: str | None = field(repr=False)
    events_webhook_urls: tuple[str, ...] = field(repr=False)
    events_webhook_secrets: tuple[str, ...] = field(repr=False)
    heartbeat_url: str | None = field(repr=False)
    sentry_dsn: str | None = field(repr=False)
    extra_campaigns: tuple[str, ...]
    canary_every: timedelta
    silent_after: timedelta
    watch_every: timedelta

    @property
    def session_key(self) -> str:
        """What signs sessions: the newest SECRET_KEY. The ones behind it only tell who was erased under them."""
        return parts_of(self.secret_key)[0]


def require_python(version: tuple[int, ...] = tuple(sys.version_info[:2])) -> None:
    """Refuse every Python but 3.11.

    From 3.12 on asyncio's child watchers are deprecated, which is what crashed the workers of the system before Funnel.
    """
    if tuple(version[:2]) != SUPPORTED_PYTHON:
        raise ConfigError(
            f"Funnel runs on Python 3.11 only, and this is {'.'.join(map(str, version[:2]))}. On 3.12 and later the "
            "asyncio child watcher that the old stack's workers relied on is gone, and they crashed. "
            "Use python3.11 (the image and the Makefile do)."
        )


def load_settings() -> Settings:
    """Return the settings, from the environment or a `.env` file; ConfigError names all faults at once."""
    require_python()
    settings, faults = examine_settings(find_file())
    if faults:
        raise ConfigError(all_faults(faults))
    return settings


def examine_settings(file: Path | None) -> tuple[Settings, Mapping[str, list[str]]]:
    """Return the settings and what is wrong with each by its name; only where nothing is, they can be used."""
    faults: dict[str, list[str]] = {name: [fault] for name, fault in fill(MEANINGS, file).items()}
    env = Env(eager=False)
    settings = _read(env)
    try:
        env.seal()
    except EnvValidationError as error:
        faults = {**by_name(error.error_messages), **faults}
    unfit = unsigned(settings.events_webhook_urls, settings.events_webhook_secrets)
    unfit |= in_a_circle(settings.reply_forward_to, (settings.from_email, settings.reply_to))
    return settings, {**unfit, **faults}


def _read(env: Env) -> Settings:
    return Settings(
        secret_key=env.str("SECRET_KEY", validate=long_enough),
        public_url=without_end(env.str("PUBLIC_URL", validate=public_address)),
        testing_mode=env.bool("TESTING_MODE"),
        hook_secrets=parts_of(env.str("HOOK_SECRET", validate=strong_pair)),
        legacy_key=env.str("LEGACY_KEY", "", validate=strong_or_off) or None,
        calendly_signing_keys=parts_of(env.str("CALENDLY_SIGNING_KEY", "", validate=signing_keys)),
        calendly_token=env.str("CALENDLY_TOKEN", "", validate=key_or_off) or None,
        calendly_api_url=env.str("CALENDLY_API_URL", "https://api.calendly.com", validate=web_address),
        calcom_signing_keys=parts_of(env.str("CALCOM_SIGNING_KEY", "", validate=signing_keys)),
        resend_api_key=env.str("RESEND_API_KEY", validate=key),
        resend_webhook_secret=env.str("RESEND_WEBHOOK_SECRET", validate=webhook_secrets),
        from_email=mailbox_or_none(env.str("FROM_EMAIL", validate=mailbox)) or "",
        notion_token=env.str("NOTION_TOKEN", validate=key),
        notion_templates_db_id=env.str("NOTION_TEMPLATES_DB_ID", validate=notion_id),
        console_password=env.str("CONSOLE_PASSWORD", validate=password),
        company_name=env.str("COMPANY_NAME", validate=not_blank),
        company_address=(env.str("COMPANY_ADDRESS", validate=not_blank) or "").replace("\\n", "\n"),
        database_url=env.str("DATABASE_URL", "sqlite:///funnel.db", validate=ledger),
        redis_url=env.str("REDIS_URL", "redis://127.0.0.1:6379/0", validate=redis_address),
        port=env.int("PORT", 8000, validate=between(1, 65_535)),
        timezone=env.str("TIMEZONE", "America/Toronto", validate=time_zone),
        testing_interval_seconds=env.int("TESTING_INTERVAL_SECONDS", 60, validate=between(1, 86_400)),
        test_recipients=parts_of(env.str("TEST_RECIPIENTS", "", validate=recipients)) or ("*@resend.dev",),
        resend_api_url=env.str("RESEND_API_URL", "https://api.resend.com", validate=web_address),
        resend_rate_limit=env.float("RESEND_RATE_LIMIT", 2.0, validate=between(0.1, 1000)),
        resend_rate_share=env.float("RESEND_RATE_SHARE", 0.8, validate=share),
        reply_to=mailbox_or_none(env.str("REPLY_TO", "", validate=mailbox_or_off)),
        reply_forward_to=mailbox_or_none(env.str("REPLY_FORWARD_TO", "", validate=mailbox_or_off)),
        notion_api_url=env.str("NOTION_API_URL", "https://api.notion.com", validate=web_address),
        notion_rate_limit=env.float("NOTION_RATE_LIMIT", 3.0, validate=between(0.2, 1000)),
        notion_contacts_db_id=env.str("NOTION_CONTACTS_DB_ID", "", validate=notion_id_or_off) or None,
        notion_sequences_db_id=env.str("NOTION_SEQUENCES_DB_ID", "", validate=notion_id_or_off) or None,
        notion_property_names=names_of(env.str("NOTION_PROPERTY_NAMES", "", validate=named)),
        notion_wishes_by=parts_of(env.str("NOTION_WISHES_BY", "")),
        arm_horizon=timedelta(days=env.int("ARM_HORIZON_DAYS", 14, validate=between(1, 366)) or 0),
        workers=env.int("WORKERS", 2, validate=between(1, 100)),
        backup_dir=env.str("BACKUP_DIR", "", validate=folder_or_off) or None,
        backup_keep=timedelta(days=env.int("BACKUP_KEEP_DAYS", 14, validate=between(1, 3650)) or 0),
        replica_url=env.str("REPLICA_URL", "", validate=replica_address_or_off) or None,
        role=env.str("ROLE", "all", validate=role),
        web_concurrency=env.int("WEB_CONCURRENCY", 2, validate=between(1, 100)),
        log_level=env.str("LOG_LEVEL", "INFO", validate=log_level),
        trusted_proxies=env.int("TRUSTED_PROXIES", 0, validate=between(0, 10)),
        metrics_token=env.str("METRICS_TOKEN", "", validate=strong_or_off) or None,
        alert_webhook_url=env.str("ALERT_WEBHOOK_URL", "", validate=web_address_or_off) or None,
        leads_webhook_url=env.str("LEADS_WEBHOOK_URL", "", validate=web_address_or_off) or None,
        events_webhook_urls=parts_of(env.str("EVENTS_WEBHOOK_URL", "", validate=web_addresses)),
        events_webhook_secrets=parts_of(env.str("EVENTS_WEBHOOK_SECRET", "", validate=own_signing_secrets)),
        heartbeat_url=env.str("HEARTBEAT_URL", "", validate=web_address_or_off) or None,
        sentry_dsn=env.str("SENTRY_DSN", "", validate=sentry_address) or None,
        extra_campaigns=parts_of(env.str("EXTRA_CAMPAIGNS", "")),
        canary_every=timedelta(minutes=env.int("CANARY_EVERY_MINUTES", 60, validate=between(0, 10_080)) or 0),
        silent_after=timedelta(seconds=env.int("SILENT_AFTER_SECONDS", 60, validate=between(5, 86_400)) or 0),
        watch_every=timedelta(seconds=env.int("WATCH_EVERY_SECONDS", 10, validate=between(1, 3600)) or 0),
    )
