"""Payloads: JSON as the ledger can keep it, read once and the same for schema, record and replay."""

import json
import math
import re
from typing import IO, Any, NoReturn

from flask import Request
from flask.json.provider import DefaultJSONProvider
from flask_smorest import Blueprint
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.utils import cached_property

# JSON may spell a null character and half a surrogate pair, but neither is text that a database keeps or a reader sees.
UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")
SUBSTITUTE = "\x1a"
LARGEST_BODY = 64 * 1024
# In a request's environment: its body has not come, and the application answers to the head if it can.
HEAD_ONLY = "funnel.head_only"


class BodyAwaited(HTTPException):
    """The head is right as far as it goes, and the answer depends on the body (RFC 9110, section 15.2.1)."""

    code = 100


class BoundedRequest(Request):
    """Flask's request, whose body is never more than 64 KB.

    Werkzeug cuts a body that comes in chunks at its limit and says nothing: so its limit is a byte beyond ours.
    """

    STOPS_READING_AT = LARGEST_BODY + 1

    @cached_property
    def stream(self) -> IO[bytes]:
        """The body; RequestEntityTooLarge for one that is announced over 64 KB, BodyAwaited where it has not come."""
        if (self.content_length or 0) > LARGEST_BODY:
            raise RequestEntityTooLarge
        if self.environ.get(HEAD_ONLY):
            raise BodyAwaited
        return super().stream

    def get_data(self, *arguments: Any, **named: Any) -> Any:
        """Return the body; RequestEntityTooLarge for one over 64 KB, announced or not."""
        body = super().get_data(*arguments, **named)
        if len(body) > LARGEST_BODY:
            raise RequestEntityTooLarge
        return body


class StrictJson(DefaultJSONProvider):
    """Flask's JSON, which reads UTF-8 only, no NaN and no Infinity, and puts U+001A for what no database keeps."""

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Return what a text says; ValueError where it is not JSON."""
        text = s.decode() if isinstance(s, bytes) else s
        return sanitize(json.loads(text, parse_constant=_refuse_constant, parse_float=_finite, **kwargs))


def sanitize(value: Any) -> Any:
    """Return data with a substitute for every character that cannot be kept."""
    if isinstance(value, str):
        return UNKEEPABLE.sub(SUBSTITUTE, value)
    if isinstance(value, list):
        return [sanitize(inner) for inner in value]
    if isinstance(value, dict):
        return {sanitize(name): sanitize(inner) for name, inner in value.items()}
    return value


class _Parser(FlaskParser):
    def _raw_load_json(self, req: Request) -> Any:
        # What webargs reads by itself would differ from what is kept.
        return req.get_json()


class HookBlueprint(Blueprint):  # type: ignore[misc]  # flask-smorest has no types
    """flask-smorest's blueprint, whose schemas see the payload as it is kept."""

    ARGUMENTS_PARSER = _Parser()


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number that JSON knows")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is too large a number")
    return number
