"""A row of the settings: environment name, default, check, and conversion."""

from collections.abc import Callable
from dataclasses import Field, dataclass, field, fields
from datetime import timedelta
from typing import Any

from environs import Env

from funnel_app.setting_checks import mailbox_or_none, parts_of

ROW = "setting"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: `default` is its type if it is required; `into` converts the value for the code."""

    name: str
    default: Any
    check: Callable[[Any], None] | None
    into: Callable[[Any], Any] | None

    @property
    def is_required(self) -> bool:
        """Say whether it has no default."""
        return isinstance(self.default, type)

    def made(self) -> Any:
        """Return the converted default."""
        return self.into(self.default) if self.into else self.default

    def read(self, env: Env) -> Any:
        """Return the value in the environment; faults are collected in `env`, which does not raise at once."""
        kind = self.default if self.is_required else type(self.default)
        checked = {"validate": self.check} if self.check else {}
        value = getattr(env, kind.__name__)(self.name, *([] if self.is_required else [self.default]), **checked)
        return self.into(value) if self.into else value


def setting(
    name: str,
    default: Any,
    check: Callable[[Any], None] | None = None,
    into: Callable[[Any], Any] | None = None,
    *,
    secret: bool = False,
) -> Any:
    """Return the dataclass field of a setting; a secret one is left out of every repr."""
    return field(repr=not secret, metadata={ROW: Setting(name, default, check, into)})


def row_of(each: Field[Any]) -> Setting:
    """Return the row of a field made by `setting`."""
    row: Setting = each.metadata[ROW]
    return row


def rows_of(settings: type) -> list[Setting]:
    """Return the rows of a settings class, in order."""
    return [row_of(each) for each in fields(settings)]


def or_none(text: str | None) -> str | None:
    """Return a text; None if it is empty."""
    return text or None


def lines(text: str | None) -> str:
    """Return a text with each typed backslash-n as a line end."""
    return (text or "").replace("\\n", "\n")


def sender(text: str | None) -> str:
    """Return the From address in its header form; empty if its check has failed."""
    return mailbox_or_none(text) or ""


def test_recipients(text: str | None) -> tuple[str, ...]:
    """Return the recipients allowed in testing mode; Resend's test addresses by default."""
    return parts_of(text) or ("*@resend.dev",)


def days(count: int | None) -> timedelta:
    """Return this number of days."""
    return timedelta(days=count or 0)


def minutes(count: int | None) -> timedelta:
    """Return this number of minutes."""
    return timedelta(minutes=count or 0)


def seconds(count: int | None) -> timedelta:
    """Return this number of seconds."""
    return timedelta(seconds=count or 0)
