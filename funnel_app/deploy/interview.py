"""Interview: the settings to ask for, in order, and those to generate."""

import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from funnel_app.config import examine_settings
from funnel_app.deploy import live_answers
from funnel_app.deploy.live_answers import Found, Values
from funnel_app.environment import plain
from funnel_app.setting_meanings import MEANINGS

NOTION_ID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
TRUE = frozenset({"true", "1", "yes", "on", "y", "t"})


class Place(StrEnum):
    """Where Funnel runs: in Docker Compose, with its own Redis, or on this machine."""

    COMPOSE = "compose"
    HERE = "here"


def always(values: Values) -> bool:
    """Return True."""
    return True


def notion_id(text: str) -> str:
    """Return the id in a Notion URL, or the text if there is none."""
    found = NOTION_ID.findall(text.partition("?")[0])
    return found[-1] if found else text


@dataclass(frozen=True)
class Question:
    """One setting: its default, how it is read, when it is asked, and what checks it."""

    name: str
    hint: str = ""
    default: str = ""
    secret: bool = False
    read: Callable[[str], str] = plain
    check: Callable[[Values], Found] | None = None
    find: Callable[[Values], Found] | None = None
    when: Callable[[Values], bool] = always

    @property
    def meaning(self) -> str:
        """The setting's meaning, in the README's words."""
        return MEANINGS[self.name].replace("`", "")


QUESTIONS = (
    Question("PUBLIC_URL", "https://funnel.your-domain; for a try on this machine http://127.0.0.1:8000"),
    Question("COMPANY_NAME"),
    Question("COMPANY_ADDRESS"),
    Question("TIMEZONE", default="America/Toronto"),
    Question("TESTING_MODE", "leave it at true until the test email has arrived, then set false", default="true"),
    Question(
        "TEST_RECIPIENTS", default="*@resend.dev", when=lambda values: values.get("TESTING_MODE", "").lower() in TRUE
    ),
    Question("RESEND_API_KEY", "resend.com, API Keys, with full access", secret=True, check=live_answers.resend_key),
    Question("FROM_EMAIL", "as BusinessX <hello@mail.your-domain>", check=live_answers.sender),
    Question("REPLY_TO"),
    Question(
        "REPLY_FORWARD_TO",
        "a mailbox elsewhere; only where Resend receives for REPLY_TO: turn on Receiving for its domain at Resend, and "
        "set the MX record that it names (docs/replies.md)",
    ),
    Question(live_answers.NAME, secret=True, find=live_answers.webhook),
    Question(
        "NOTION_TOKEN",
        "notion.so/profile/integrations: a new internal integration, its secret",
        secret=True,
        check=live_answers.notion_token,
    ),
    Question(
        "NOTION_TEMPLATES_DB_ID",
        "its address or id; or those of a page that is shared with the integration: databases are made below it",
        read=notion_id,
        check=live_answers.templates_database,
    ),
    Question(
        "CALENDLY_TOKEN",
        "calendly.com/integrations/api_webhooks, a personal access token; without a good one Funnel cannot make "
        "Calendly tell it of bookings, and does not notice where it stops",
        secret=True,
        check=live_answers.calendly_token,
    ),
    Question("ALERT_WEBHOOK_URL", "a message is posted there at once", secret=True, check=live_answers.chat),
    Question("HEARTBEAT_URL", "such as healthchecks.io", secret=True, check=live_answers.dead_mans_switch),
)
AT_HOME = (
    Question(
        "REDIS_URL",
        "such as redis://127.0.0.1:6379/0; without one make run brings a Redis of its own along",
        check=live_answers.redis,
    ),
)
# Nobody has to think of these.
MADE = ("SECRET_KEY", "HOOK_SECRET", "CONSOLE_PASSWORD", "METRICS_TOKEN", "REDIS_PASSWORD")


def questions(place: Place) -> tuple[Question, ...]:
    """Return the questions for a place, in order."""
    return QUESTIONS + (AT_HOME if place is Place.HERE else ())


def wrong_with(name: str, value: str) -> str | None:
    """Return a value's fault by its setting's rule, and put it into the environment; None if it is valid."""
    os.environ[name] = value
    _, faults = examine_settings(None)
    if name not in faults:
        return None
    return " ".join(faults[name]) if value else "Funnel does not start without it."


def is_needed(name: str) -> bool:
    """Return whether Funnel needs a setting to start."""
    return wrong_with(name, "") is not None


def make_secrets(values: Mapping[str, str]) -> dict[str, str]:
    """Return a new secret for each setting that lacks one."""
    return {name: secrets.token_hex(24) for name in MADE if not values.get(name)}
