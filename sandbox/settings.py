"""The sandbox's switches: their names, valid values, and how changes are merged."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from sandbox.signing import signing_key


class BadSetting(ValueError):
    """A switch that does not exist, or a value it cannot hold."""


@dataclass(frozen=True)
class Fault:
    """One scripted answer: a refusal, a cut connection, or a late or lost acceptance."""

    status: int | None = None
    name: str | None = None
    code: str | None = None
    message: str | None = None
    retry_after: int | None = None
    body: str | None = None
    lost_answer: bool = False
    hang_s: float = 0.0
    accept: bool = False
    drop: bool = False

    @property
    def accepts(self) -> bool:
        """True where the work is done all the same, and only the answer suffers."""
        return self.lost_answer or self.accept


@dataclass
class ResendSettings:
    """How the mail service behaves; a rate or a limit of 0 means none."""

    latency_s: float = 0.0
    rate_per_second: int = 10
    fail: list[Fault] = field(default_factory=list)
    fail_always: Fault | None = None
    wrong_keys: list[str] = field(default_factory=list)
    domains: dict[str, str] = field(default_factory=dict)
    daily_limit: int = 0
    monthly_limit: int = 0


@dataclass
class WebhookSettings:
    """How events are delivered."""

    url: str | None = None
    secret: str = ""
    enabled: bool = True
    delay_s: float = 0.1
    before_answer: bool = False
    duplicate: bool = False
    reverse: bool = False


@dataclass
class NotionSettings:
    """How the notebook behaves; a rate of 0 means no limit."""

    latency_s: float = 0.0
    rate_per_second: int = 0
    fail: list[Fault] = field(default_factory=list)
    fail_always: Fault | None = None
    wrong_tokens: list[str] = field(default_factory=list)


@dataclass
class CrmSettings:
    """How the CRM behaves; a status of 0 means that it accepts."""

    fail_status: int = 0


@dataclass
class Settings:
    """All switches, by section."""

    resend: ResendSettings = field(default_factory=ResendSettings)
    webhooks: WebhookSettings = field(default_factory=WebhookSettings)
    notion: NotionSettings = field(default_factory=NotionSettings)
    crm: CrmSettings = field(default_factory=CrmSettings)

    def merge(self, changes: object) -> None:
        """Apply `{"resend": {"latency_s": 1}}` or `{"resend.latency_s": 1}`, all or nothing; raises BadSetting."""
        parsed = [(section, key, _parse(section, key, value)) for section, key, value in _flat(changes)]
        for section, key, value in parsed:
            setattr(getattr(self, section), key, value)

    def as_json(self) -> dict[str, Any]:
        """Return every switch with its current value, by section."""
        return asdict(self)


def _flat(changes: object) -> list[tuple[str, str, object]]:
    flat: list[tuple[str, str, object]] = []
    for name, value in _mapping(changes).items():
        section, dot, key = name.partition(".")
        flat += [(section, key, value)] if dot else [(section, key, inner) for key, inner in _mapping(value).items()]
    return flat


def _parse(section: str, key: str, value: object) -> object:
    parser = PARSERS.get(key)
    if section not in SECTIONS or parser is None or key not in SECTIONS[section]:
        raise BadSetting(f"There is no setting {section}.{key}.")
    try:
        return parser(value)
    except BadSetting as error:
        raise BadSetting(f"{section}.{key}: {error}") from error


def _mapping(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise BadSetting("Expected a JSON object.")
    return value


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise BadSetting("Expected seconds, 0 or more.")
    return float(value)


def _rate(value: object) -> int:
    if value is None:
        return 0
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadSetting("Expected calls per second, 0 or null for no limit.")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise BadSetting("Expected true or false.")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise BadSetting("Expected text.")
    return value


def _secret(value: object) -> str:
    try:
        signing_key(_text(value))
    except ValueError as error:
        raise BadSetting(str(error)) from error
    return _text(value)


def _texts(value: object) -> list[str]:
    if not isinstance(value, list):
        raise BadSetting("Expected a list of texts.")
    return [_text(item) for item in value]


def _domains(value: object) -> dict[str, str]:
    return {name.lower(): _text(status) for name, status in _mapping(value).items()}


def _fault(value: object) -> Fault:
    given = _mapping(value)
    if not given or not set(given) <= FAULT_PARSERS.keys():
        raise BadSetting(f"A scripted answer holds some of {', '.join(FAULT_PARSERS)}.")
    # The parsers answer for the types that the type checker cannot see here.
    return Fault(**{key: FAULT_PARSERS[key](inner) for key, inner in given.items()})  # type: ignore[arg-type]


def _faults(value: object) -> list[Fault]:
    if not isinstance(value, list):
        raise BadSetting("Expected a list of scripted answers.")
    return [_fault(item) for item in value]


def _or_none(parser: Callable[[object], object]) -> Callable[[object], object]:
    return lambda value: None if value is None else parser(value)


FAULT_PARSERS: dict[str, Callable[[object], object]] = {
    "status": _rate, "name": _text, "code": _text, "message": _text, "retry_after": _rate, "body": _text,
    "lost_answer": _flag, "hang_s": _seconds, "accept": _flag, "drop": _flag,
}  # fmt: skip
PARSERS: dict[str, Callable[[object], object]] = {
    "latency_s": _seconds, "delay_s": _seconds, "rate_per_second": _rate, "daily_limit": _rate,
    "monthly_limit": _rate, "fail_status": _rate, "fail": _faults,
    "fail_always": _or_none(_fault), "wrong_keys": _texts, "wrong_tokens": _texts, "domains": _domains,
    "url": _or_none(_text), "secret": _secret, "enabled": _flag, "before_answer": _flag, "duplicate": _flag,
    "reverse": _flag,
}  # fmt: skip
SECTIONS = {
    "resend": {item.name for item in fields(ResendSettings)},
    "webhooks": {item.name for item in fields(WebhookSettings)},
    "notion": {item.name for item in fields(NotionSettings)},
    "crm": {item.name for item in fields(CrmSettings)},
}
