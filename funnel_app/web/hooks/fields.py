"""Fields of hooks' payloads: what a stranger typed on the website, made safe to put into a letter."""

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from email_validator import EmailNotValidError, validate_email
from marshmallow import EXCLUDE, Schema, ValidationError, fields, pre_load, validate

from funnel_app.current import current_deps

FARTHEST = timedelta(days=2 * 366)
ENDINGS = (
    "app|biz|buzz|cc|click|club|cn|co|com|de|dev|eu|fr|fun|gg|gl|icu|info|io|link|live|ly|me|ml|net|nl|online|org|"
    "page|pro|ru|sh|shop|site|space|store|tech|tk|to|top|tv|uk|us|vip|website|win|ws|xyz"
)
LINK = re.compile(
    rf"""[a-z][a-z0-9+.-]+://|//|\b(?:data|ftp|https?|javascript|mailto|sms|tel):|\bwww\.|\S@\S+\.\S
    |[\w-]+\.[^\W\d_]{{2,}}[/?\#]|[\w-]{{2,}}\.(?:{ENDINGS})\b""",
    re.I | re.X,
)
# Characters that are not seen but change what is: controls, halves of pairs, line separators, overrides of direction.
UNSEEN = frozenset({"Cc", "Cs", "Zl", "Zp"})
OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
HTTPS = re.compile(r"https://[^\s/?#]+\.[^\s/?#]+([/?#]\S*)?")
SPACES = re.compile(" {2,}")


class Address(fields.String):
    """An email address, as given; `flows/addresses.py` makes of it the form that tells people apart."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(metadata={"format": "email"}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        text = str(super()._deserialize(value, attr, data, **kwargs)).strip()
        try:
            return validate_email(text, check_deliverability=False).normalized
        except EmailNotValidError as error:
            raise ValidationError(f"Not an email address: {error}") from None


def is_unseen(character: str) -> bool:
    """Say whether a character is not seen, and changes how others are read or where a line ends."""
    return unicodedata.category(character) in UNSEEN or character in OVERRIDES


def carries_link(text: str) -> bool:
    """Say whether a mail program would make a link or an address of a part of this text, in whatever script."""
    plain = unicodedata.normalize("NFKC", text).replace("\u3002", ".")
    return LINK.search("".join(character for character in plain if unicodedata.category(character) != "Cf")) is not None


class Name(fields.String):
    """A name in any script: no link, no control characters, spaces folded; an empty one counts as left out."""

    def __init__(self, longest: int = 60, **kwargs: Any) -> None:
        super().__init__(allow_none=True, metadata={"maxLength": longest}, **kwargs)
        self.longest = longest

    def _deserialize(  # type: ignore[override]  # an empty name is none at all
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str | None:
        text = SPACES.sub(" ", str(super()._deserialize(value, attr, data, **kwargs))).strip(" ")
        if len(text) > self.longest:
            raise ValidationError(f"Longer than {self.longest} characters.")
        if any(map(is_unseen, text)):
            raise ValidationError("Holds control characters.")
        if carries_link(text):
            raise ValidationError("Holds a link: names go into our letters and must not carry one.")
        return text or None


class Words(fields.String):
    """A text that somebody typed, without control characters but for line breaks; an empty one counts as left out."""

    def __init__(self, longest: int = 255, **kwargs: Any) -> None:
        super().__init__(allow_none=True, metadata={"maxLength": longest}, **kwargs)
        self.longest = longest

    def _deserialize(  # type: ignore[override]  # an empty text is none at all
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str | None:
        text = str(super()._deserialize(value, attr, data, **kwargs)).strip()
        if len(text) > self.longest:
            raise ValidationError(f"Longer than {self.longest} characters.")
        if any(is_unseen(character) and character not in "\n\r\t" for character in text):
            raise ValidationError("Holds control characters.")
        return text or None


class Link(Words):
    """An https address; anything else is refused, since it would go into a letter."""

    def __init__(self, longest: int = 2000, **kwargs: Any) -> None:
        super().__init__(longest, **kwargs)
        self.metadata = {**self.metadata, "format": "uri"}

    def _deserialize(  # type: ignore[override]  # an empty text is none at all
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str | None:
        text = super()._deserialize(value, attr, data, **kwargs)
        if text is not None and not HTTPS.fullmatch(text):
            raise ValidationError("Not an https address.")
        return text


class Several(fields.Field[list[str]]):
    """Texts: a list of them, or one by itself."""

    def __init__(self, most: int = 20, **kwargs: Any) -> None:
        super().__init__(allow_none=True, metadata={"type": "array", "items": {"type": "string"}}, **kwargs)
        self.most = most

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> list[str]:
        rows = value if isinstance(value, list) else [value]
        if len(rows) > self.most:
            raise ValidationError(f"More than {self.most}.")
        texts = [Words().deserialize(row, attr, data, **kwargs) for row in rows]
        return [text for text in texts if text]


class Count(fields.Integer):
    """A whole number; one with a fraction is refused and not cut off, text such as "3" is taken."""

    def _validated(self, value: Any) -> Any:
        if isinstance(value, float) and not value.is_integer():
            raise self.make_error("invalid", input=value)
        return super()._validated(value)


class Moment(fields.AwareDateTime):
    """A time with its offset (ISO 8601), at most two years away; a naive one is refused."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> datetime:
        at: datetime = super()._deserialize(value, attr, data, **kwargs)
        if abs(at - current_deps().now()) > FARTHEST:
            raise ValidationError("More than two years away.")
        return at.astimezone(UTC)


def time_zone(value: str) -> None:
    """Refuse what is not the name of a time zone."""
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValidationError("Not a time zone such as America/Toronto.") from None


class ConsentSchema(Schema):
    """The evidence that a person agreed to be mailed."""

    class Meta:
        """Unknown fields are kept in the record and ignored."""

        unknown = EXCLUDE

    at = Moment(allow_none=True)
    text = fields.String(allow_none=True, validate=validate.Length(max=2000))
    source = fields.String(allow_none=True, validate=validate.Length(max=255))
    ip = fields.IP(allow_none=True)


class HookSchema(Schema):
    """What every hook may carry."""

    example: ClassVar[dict[str, Any]] = {}

    class Meta:
        """Unknown fields are kept in the record and ignored."""

        unknown = EXCLUDE

    @pre_load
    def leave_out_blanks(self, data: Any, **kwargs: Any) -> Any:
        """Read an empty text as left out: that is what a form's empty field is."""
        return {name: value for name, value in data.items() if value != ""} if isinstance(data, dict) else data

    email = Address(required=True, validate=validate.Length(max=254))
    first_name = Name()
    business_name = Name(longest=120)
    timezone = fields.String(allow_none=True, validate=time_zone)
    consent = fields.Nested(ConsentSchema, allow_none=True)
    utm_source = fields.String(allow_none=True, validate=validate.Length(max=255))
    utm_medium = fields.String(allow_none=True, validate=validate.Length(max=255))
    utm_campaign = fields.String(allow_none=True, validate=validate.Length(max=255))
    utm_content = fields.String(allow_none=True, validate=validate.Length(max=255))
    utm_term = fields.String(allow_none=True, validate=validate.Length(max=255))


def contact_facts(payload: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Return what a payload says of the contact: the common fields, the consent, and these fields of its own."""
    common = ("first_name", "business_name", "timezone")
    tracking = tuple(name for name in payload if name.startswith("utm_"))
    facts = {name: payload.get(name) for name in (*common, *tracking, *names)}
    consent = payload.get("consent") or {}
    evidence = {f"consent_{name}": value for name, value in consent.items() if value is not None}
    return {**facts, **evidence, **({"consent_ip": str(consent["ip"])} if consent.get("ip") else {})}
