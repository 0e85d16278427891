"""Read the settings from the environment once, and report every invalid one in one message."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from pathlib import Path

from environs import Env, EnvValidationError

from funnel_app.environment import NotReadable, fill, find_file
from funnel_app.secret_checks import (
    key,
    key_or_off,
    long_enough,
    own_signing_secrets,
    password,
    signing_keys,
    strong_or_off,
    strong_pair,
    webhook_secrets,
)
from funnel_app.setting_checks import (
    between,
    folder_or_off,
    log_level,
    mailbox,
    mailbox_or_none,
    mailbox_or_off,
    named,
    names_of,
    not_blank,
    notion_id,
    notion_id_or_off,
    parts_of,
    recipients,
    role,
    share,
    time_zone,
)
from funnel_app.setting_faults import all_faults, by_name, in_a_circle, unsigned
from funnel_app.setting_meanings import MEANINGS
from funnel_app.setting_rows import days, lines, minutes, or_none, row_of, seconds, sender, setting, test_recipients
from funnel_app.url_checks import (
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

SUPPORTED_PYTHON = (3, 11)


class ConfigError(Exception):
    """The settings cannot be used; the message names every invalid one and its fix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings, a row each: type, environment name, default, check, and conversion."""

    secret_key: str = setting("SECRET_KEY", str, long_enough, secret=True)
    public_url: str = setting("PUBLIC_URL", str, public_address, without_end)
    testing_mode: bool = setting("TESTING_MODE", bool)
    hook_secrets: tuple[str, ...] = setting("HOOK_SECRET", str, strong_pair, parts_of, secret=True)
    legacy_key: str | None = setting("LEGACY_KEY", "", strong_or_off, or_none, secret=True)
    calendly_signing_keys: tuple[str, ...] = setting("CALENDLY_SIGNING_KEY", "", signing_keys, parts_of, secret=True)
    calendly_token: str | None = setting("CALENDLY_TOKEN", "", key_or_off, or_none, secret=True)
    calendly_api_url: str = setting("CALENDLY_API_URL", "https://api.calendly.com", web_address)
    calcom_signing_keys: tuple[str, ...] = setting("CALCOM_SIGNING_KEY", "", signing_keys, parts_of, secret=True)
    resend_api_key: str = setting("RESEND_API_KEY", str, key, secret=True)
    resend_webhook_secret: str = setting("RESEND_WEBHOOK_SECRET", str, webhook_secrets, secret=True)
    from_email: str = setting("FROM_EMAIL", str, mailbox, sender)
    notion_token: str = setting("NOTION_TOKEN", str, key, secret=True)
    notion_templates_db_id: str = setting("NOTION_TEMPLATES_DB_ID", str, notion_id)
    console_password: str = setting("CONSOLE_PASSWORD", str, password, secret=True)
    company_name: str = setting("COMPANY_NAME", str, not_blank)
    company_address: str = setting("COMPANY_ADDRESS", str, not_blank, lines)
    database_url: str = setting("DATABASE_URL", "sqlite:///funnel.db", ledger, secret=True)
    redis_url: str = setting("REDIS_URL", "redis://127.0.0.1:6379/0", redis_address, secret=True)
    port: int = setting("PORT", 8000, between(1, 65_535))
    timezone: str = setting("TIMEZONE", "America/Toronto", time_zone)
    testing_interval_seconds: int = setting("TESTING_INTERVAL_SECONDS", 60, between(1, 86_400))
    test_recipients: tuple[str, ...] = setting("TEST_RECIPIENTS", "", recipients, test_recipients)
    resend_api_url: str = setting("RESEND_API_URL", "https://api.resend.com", web_address)
    resend_rate_limit: float = setting("RESEND_RATE_LIMIT", 2.0, between(0.1, 1000))
    resend_rate_share: float = setting("RESEND_RATE_SHARE", 0.8, share)
    reply_to: str | None = setting("REPLY_TO", "", mailbox_or_off, mailbox_or_none)
    reply_forward_to: str | None = setting("REPLY_FORWARD_TO", "", mailbox_or_off, mailbox_or_none)
    notion_api_url: str = setting("NOTION_API_URL", "https://api.notion.com", web_address)
    notion_rate_limit: float = setting("NOTION_RATE_LIMIT", 3.0, between(0.2, 1000))
    notion_contacts_db_id: str | None = setting("NOTION_CONTACTS_DB_ID", "", notion_id_or_off, or_none)
    notion_sequences_db_id: str | None = setting("NOTION_SEQUENCES_DB_ID", "", notion_id_or_off, or_none)
    notion_property_names: Mapping[str, str] = setting("NOTION_PROPERTY_NAMES", "", named, names_of)
    notion_wishes_by: tuple[str, ...] = setting("NOTION_WISHES_BY", "", into=parts_of)
    schedule_horizon: timedelta = setting("ARM_HORIZON_DAYS", 14, between(1, 366), days)
    workers: int = setting("WORKERS", 2, between(1, 100))
    backup_dir: str | None = setting("BACKUP_DIR", "", folder_or_off, or_none)
    backup_keep: timedelta = setting("BACKUP_KEEP_DAYS", 14, between(1, 3650), days)
    replica_url: str | None = setting("REPLICA_URL", "", replica_address_or_off, or_none)
    role: str = setting("ROLE", "all", role)
    web_concurrency: int = setting("WEB_CONCURRENCY", 2, between(1, 100))
    log_level: str = setting("LOG_LEVEL", "INFO", log_level)
    trusted_proxies: int = setting("TRUSTED_PROXIES", 0, between(0, 10))
    metrics_token: str | None = setting("METRICS_TOKEN", "", strong_or_off, or_none, secret=True)
    alert_webhook_url: str | None = setting("ALERT_WEBHOOK_URL", "", web_address_or_off, or_none, secret=True)
    leads_webhook_url: str | None = setting("LEADS_WEBHOOK_URL", "", web_address_or_off, or_none, secret=True)
    events_webhook_urls: tuple[str, ...] = setting("EVENTS_WEBHOOK_URL", "", web_addresses, parts_of, secret=True)
    events_webhook_secrets: tuple[str, ...] = setting(
        "EVENTS_WEBHOOK_SECRET", "", own_signing_secrets, parts_of, secret=True
    )
    heartbeat_url: str | None = setting("HEARTBEAT_URL", "", web_address_or_off, or_none, secret=True)
    sentry_dsn: str | None = setting("SENTRY_DSN", "", sentry_address, or_none, secret=True)
    extra_campaigns: tuple[str, ...] = setting("EXTRA_CAMPAIGNS", "", into=parts_of)
    campaigns_dir: str | None = setting("CAMPAIGNS_DIR", "", folder_or_off, or_none)
    canary_every: timedelta = setting("CANARY_EVERY_MINUTES", 60, between(0, 10_080), minutes)
    silent_after: timedelta = setting("SILENT_AFTER_SECONDS", 60, between(5, 86_400), seconds)
    watch_every: timedelta = setting("WATCH_EVERY_SECONDS", 10, between(1, 3600), seconds)

    @property
    def session_key(self) -> str:
        """The key that signs sessions: the newest SECRET_KEY. Older keys only identify who was erased under them."""
        return parts_of(self.secret_key)[0]


def require_python(version: tuple[int, ...] = tuple(sys.version_info[:2])) -> None:
    """Exit unless this is Python 3.11.

    From 3.12 on asyncio's child watchers are deprecated, which crashed the workers of the previous system.
    """
    if tuple(version[:2]) != SUPPORTED_PYTHON:
        raise ConfigError(
            f"Funnel runs on Python 3.11 only, and this is {'.'.join(map(str, version[:2]))}. On 3.12 and later the "
            "asyncio child watcher that the old stack's workers relied on is gone, and they crashed. "
            "Use python3.11 (the image and the Makefile do)."
        )


def load_settings() -> Settings:
    """Return the settings from the environment or a `.env` file; ConfigError names all invalid ones at once."""
    require_python()
    try:
        settings, faults = examine_settings(find_file())
    except NotReadable as fault:
        raise ConfigError(str(fault)) from None
    if faults:
        raise ConfigError(all_faults(faults))
    return settings


def examine_settings(file: Path | None) -> tuple[Settings, Mapping[str, list[str]]]:
    """Return the settings and the faults by setting name; usable only without faults. Raises NotReadable."""
    faults: dict[str, list[str]] = {name: [fault] for name, fault in fill(MEANINGS, file).items()}
    env = Env(eager=False)
    settings = Settings(**{each.name: row_of(each).read(env) for each in fields(Settings)})
    try:
        env.seal()
    except EnvValidationError as error:
        faults = {**by_name(error.error_messages), **faults}
    unfit = unsigned(settings.events_webhook_urls, settings.events_webhook_secrets)
    unfit |= in_a_circle(settings.reply_forward_to, (settings.from_email, settings.reply_to))
    return settings, {**unfit, **faults}
