"""A row of the settings: its name in the environment, its default, its check, and what is made of it."""

from collections.abc import Callable
from dataclasses import Field, dataclass, field, fields
from datetime import timedelta
from typing import Any

from environs import Env

from funnel_app.setting_checks import mailbox_or_none, parts_of

ROW = "setting"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: `default` is its type where it has to be given; `into` makes of it what the code works with."""

    name: str
    default: Any
    check: Callable[[Any], None] | None
    into: Callable[[Any], Any] | None

    @property
    def is_required(self) -> bool:
        """Say whether it has no default."""
        return isinstance(self.default, type)

    def made(self) -> Any:
        """Return what the code works with where nothing is set."""
        return self.into(self.default) if self.into else self.default

    def read(self, env: Env) -> Any:
        """Return what the environment has for it; faults are noted in `env`, which is not eager."""
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
    """Return the field of a setting; a secret one stays out of every representation."""
    return field(repr=not secret, metadata={ROW: Setting(name, default, check, into)})


def row_of(each: Field[Any]) -> Setting:
    """Return the row of a field that `setting` made."""
    row: Setting = each.metadata[ROW]
    return row


def rows_of(settings: type) -> list[Setting]:
    """Return the rows of a class of settings, in its order."""
    return [row_of(each) for each in fields(settings)]


def secrets_of(settings: type) -> set[str]:
    """Return the names of the settings that are nobody's to see."""
    return {row_of(each).name for each in fields(settings) if not each.repr}


def or_none(text: str | None) -> str | None:
    """Return a text; None for an empty one."""
    return text or None


def lines(text: str | None) -> str:
    """Return a text with its lines, whose ends somebody wrote as a backslash and an n."""
    return (text or "").replace("\\n", "\n")


def sender(text: str | None) -> str:
    """Return who emails are from, as emails carry it; nothing where its check told the fault."""
    return mailbox_or_none(text) or ""


def test_recipients(text: str | None) -> tuple[str, ...]:
    """Return who may be mailed in testing mode; the addresses of Resend's own tests where nobody is named."""
    return parts_of(text) or ("*@resend.dev",)


def days(count: int | None) -> timedelta:
    """Return so many days."""
    return timedelta(days=count or 0)


def minutes(count: int | None) -> timedelta:
    """Return so many minutes."""
    return timedelta(minutes=count or 0)


def seconds(count: int | None) -> timedelta:
    """Return so many seconds."""
    return timedelta(seconds=count or 0)
