"""Fields of payloads: typed text, made safe for letters."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from email_validator import EmailNotValidError
from marshmallow import ValidationError, fields

from funnel_app.campaigns.links import carries_link, carries_number
from funnel_app.current import current_deps
from funnel_app.flows.addresses import LONGEST, checked, unmailable
from funnel_app.rules.people.typed_text import LINES, clean, says_nothing, visible
from funnel_app.web.hooks.decoration import SPAM, Judging

LONGEST_ROW = 255
LONGEST_LINK = 2000
MOST_ROWS = 20
FARTHEST = timedelta(days=2 * 366)
WHOLE = re.compile(r"[+-]?[0-9]{1,18}(?:\.0{1,18})?")
HTTPS = re.compile(r"https://[^\s/?#.]+(?:\.[^\s/?#.]+)+\.?(?:[/?#]\S*)?")


class Address(fields.String):
    """An email address as given; `flows/addresses.py` normalises it.

    A calendar's may be undeliverable: the person booked all the same.
    """

    def __init__(self, *, mailable: bool = True, **kwargs: Any) -> None:
        super().__init__(metadata={"format": "email"}, **kwargs)
        self.mailable = mailable

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = str(super()._deserialize(value, attr, data, **kwargs))
        # `mailto:` and invisible pasted characters are no part of an address.
        text = visible(text[: 4 * LONGEST]).strip().removeprefix("mailto:")
        if len(text) > LONGEST:
            raise ValidationError(f"Longer than {LONGEST} characters.")
        try:
            address = checked(text).normalized
        except EmailNotValidError as error:
            raise ValidationError(f"Not an email address: {error}") from None
        if self.mailable and (fault := unmailable(address)):
            raise ValidationError(f"Not an address that mail can go to: {fault}.")
        return address


class _Typed(Judging):
    """Typed text: without invisible characters, cut to fit; a placeholder counts as missing."""

    kept: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, longest: int, **kwargs: Any) -> None:
        super().__init__(allow_none=True, metadata={"maxLength": longest}, **kwargs)
        self.longest = longest

    def deserialize(  # type: ignore[override]  # an empty text is none at all
        self, value: Any, attr: str | None = None, data: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> str | None:
        """Return the text; ValidationError if it is none."""
        return self.read(value) if isinstance(value, str) else super().deserialize(value, attr, data, **kwargs)

    def read(self, text: str) -> str | None:
        """Return what a text says; None if it says nothing."""
        return clean(text, self.longest, self.kept)


class Name(_Typed):
    """A name in any script, on one line. A business may be named like its domain: letters show it without a link."""

    def __init__(self, longest: int = 60, **kwargs: Any) -> None:
        super().__init__(longest, **kwargs)


class PersonsName(Name):
    """A person's name: one with a link or a phone number is spam, and refuses the call."""

    def read(self, text: str) -> str | None:
        """Return the name; None if it says nothing, ValidationError if it is spam."""
        name = super().read(text)
        if name is None:
            return None
        numbered = carries_number(name)
        if numbered and not any(map(str.isalpha, name)):
            return None
        if numbered or carries_link(name):
            raise ValidationError(SPAM)
        return name


class Words(_Typed):
    """Typed text with line breaks."""

    kept = LINES

    def __init__(self, longest: int = 255, **kwargs: Any) -> None:
        super().__init__(longest, **kwargs)


class Id(Judging):
    """An id of another system, exactly as given, also a number; never cut."""

    def __init__(self, longest: int = 255, **kwargs: Any) -> None:
        super().__init__(allow_none=not kwargs.get("required"), metadata={"maxLength": longest}, **kwargs)
        self.longest = longest

    def _deserialize(  # type: ignore[override]  # an empty text is none at all
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str | None:
        given = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        text = str(super()._deserialize(given, attr, data, **kwargs)).strip()
        if len(text) > self.longest:
            raise ValidationError(f"Longer than {self.longest} characters.")
        if not says_nothing(text):
            return text
        if self.required:
            raise self.make_error("required")
        return None


class Link(Id):
    """An https address; anything else is refused, since it would go into a letter."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(LONGEST_LINK, **kwargs)
        self.metadata = {**self.metadata, "format": "uri"}

    def _deserialize(  # type: ignore[override]  # an empty text is none at all
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str | None:
        text = super()._deserialize(value, attr, data, **kwargs)
        if text is not None and not HTTPS.fullmatch(text):
            raise ValidationError("Not an https address.")
        return text


class Several(fields.Field[list[str]]):
    """A list of texts, or a single one; other values and excess ones are dropped."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_none=True, metadata={"type": "array", "items": {"type": "string"}}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> list[str]:
        rows = value if isinstance(value, list) else [value]
        texts = [clean(row, LONGEST_ROW, LINES) for row in rows]
        return [text for text in texts if text][:MOST_ROWS]


class Count(fields.Integer):
    """A whole number; fractions are refused, text such as "3" or "3.0" is accepted."""

    def _validated(self, value: Any) -> Any:
        if isinstance(value, str) and WHOLE.fullmatch(value.strip()):
            value = value.strip().partition(".")[0]
        if isinstance(value, float) and not value.is_integer():
            raise self.make_error("invalid", input=value)
        return super()._validated(value)


class Moment(fields.AwareDateTime):
    """A time with its offset (ISO 8601), at most two years away; a naive one is refused."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> datetime:
        text = value.strip().upper() if isinstance(value, str) else value
        at: datetime = super()._deserialize(text, attr, data, **kwargs)
        if abs(at - current_deps().now()) > FARTHEST:
            raise ValidationError("More than two years away.")
        return at.astimezone(UTC)


class Read(fields.Field[str]):
    """A text parsed by a rule; if the rule rejects it, the fault says what was expected."""

    def __init__(self, rule: Callable[[object], str | None], wanted: str) -> None:
        super().__init__(allow_none=True, metadata={"type": "string"})
        self.rule, self.wanted = rule, wanted

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        found = self.rule(value)
        if found is None:
            raise ValidationError(self.wanted)
        return found
