"""Payloads: JSON as the ledger can keep it, read once and the same for schema, record and replay."""

from io import BytesIO
from typing import IO, Any

from flask import Request
from flask.json.provider import DefaultJSONProvider
from flask_smorest import Blueprint
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import ClientDisconnected, HTTPException, RequestEntityTooLarge
from werkzeug.utils import cached_property

from funnel_app.bodies import kept_as, read_body, read_json, sanitize
from funnel_app.rules.call import CALENDARS

LARGEST_BODY = 64 * 1024
# One event of a calendar speaks of all who come: some thousands of them are more than a form ever says.
LARGEST_OF_CALENDARS = 1024 * 1024
# What is larger is still read whole, since its proof is over all of it: then it is known whose it is, and is kept.
READ_OF_CALENDARS = 2 * LARGEST_OF_CALENDARS
# A list of leads that somebody brings to the console; larger ones come in by the command line.
LARGEST_LIST = READ_OF_CALENDARS
BRINGS_LISTS = "console.keep_list"
HEAD_KEPT = 16 * 1024
# In a request's environment: its body has not come, and the application answers to the head if it can.
HEAD_ONLY = "funnel.head_only"


class BodyAwaited(HTTPException):
    """The head is right as far as it goes, and the answer depends on the body (RFC 9110, section 15.2.1)."""

    code = 100


class BoundedRequest(Request):
    """Flask's request, whose body is never more than 64 KB, of a list or calendar 2 MB; of a calendar 1 MB is taken.

    Werkzeug cuts a body that comes in chunks at its limit and says nothing: so its limit is a byte beyond ours.
    """

    STOPS_READING_AT = READ_OF_CALENDARS + 1

    @property
    def largest(self) -> int:
        """How many bytes a body may have at this address."""
        if self.endpoint == BRINGS_LISTS:
            return LARGEST_LIST
        return READ_OF_CALENDARS if self.blueprint in CALENDARS else LARGEST_BODY

    @property  # type: ignore[misc]  # Flask lets it be set for one request, which nobody does here
    def max_content_length(self) -> int | None:  # type: ignore[override]
        """Where werkzeug stops to read."""
        return self.largest + 1

    @cached_property
    def stream(self) -> IO[bytes]:
        """The body; RequestEntityTooLarge for one that is announced too large, BodyAwaited where it has not come."""
        if (self.content_length or 0) > self.largest:
            raise RequestEntityTooLarge
        if self.environ.get(HEAD_ONLY):
            raise BodyAwaited
        if not self.environ.get("wsgi.input_terminated"):
            return super().stream
        # Ours ends where the body does, and has it in memory.
        try:
            return BytesIO(self.environ["wsgi.input"].read(self.largest + 1))
        except (OSError, ValueError):
            raise ClientDisconnected from None

    def get_data(self, *arguments: Any, **named: Any) -> Any:
        """Return the body; RequestEntityTooLarge for one that is too large, announced or not."""
        body = super().get_data(*arguments, **named)
        if len(body) > self.largest:
            raise RequestEntityTooLarge
        return body

    @cached_property
    def payload(self) -> Any:
        """What the body says, whatever it was written in. Raises as `read_body`."""
        if len(self.get_data()) > LARGEST_OF_CALENDARS:
            raise RequestEntityTooLarge
        encoding = self.headers.get("Content-Encoding", "").strip().lower()
        return read_body(self.get_data(), self.mimetype, encoding, min(self.largest, LARGEST_OF_CALENDARS))

    def get_json(self, *arguments: Any, **named: Any) -> Any:
        """Return the payload: flask-smorest and views ask for it by this name."""
        return self.payload


def sent(request: Request) -> dict[str, Any]:
    """Return a body that is no payload as it can be kept: byte for byte, or its head where it is too large."""
    body = request.get_data()
    if len(body) <= LARGEST_OF_CALENDARS:
        return dict(kept_as(body))
    return {"head": sanitize(body[:HEAD_KEPT].decode(errors="replace")), "bytes": len(body)}


class StrictJson(DefaultJSONProvider):
    """Flask's JSON, which reads UTF-8 only, no NaN and no Infinity, and puts U+001A for what no database keeps."""

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Return what a text says; ValueError where it is not JSON."""
        return read_json(s.decode() if isinstance(s, bytes) else s, **kwargs)


class _Parser(FlaskParser):
    def _raw_load_json(self, req: Request) -> Any:
        # What webargs reads by itself would differ from what is kept.
        return req.get_json()


class HookBlueprint(Blueprint):  # type: ignore[misc]  # flask-smorest has no types
    """flask-smorest's blueprint, whose schemas see the payload as it is kept."""

    ARGUMENTS_PARSER = _Parser()
