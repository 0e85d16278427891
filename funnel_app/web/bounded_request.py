"""Bounded requests: how long a body may be, read once for schema, record and replay; what it holds is for bodies.py."""

from functools import partial
from io import BytesIO
from typing import IO, Any

from flask import Request
from flask.json.provider import DefaultJSONProvider
from flask_smorest import Blueprint
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import ClientDisconnected, HTTPException, RequestEntityTooLarge
from werkzeug.utils import cached_property

from funnel_app.bodies import kept_as, read_body, read_json, sanitize
from funnel_app.rules.calls.call import CALENDARS

LARGEST_BODY = 64 * 1024
# A calendar's event may list thousands of attendees, far more than a form sends.
LARGEST_OF_CALENDARS = 1024 * 1024
# Larger bodies are still read, since the signature covers all of it: then the sender is known, and the head is kept.
READ_OF_CALENDARS = 2 * LARGEST_OF_CALENDARS
# Uploads to the console; larger lists use the command line.
LARGEST_LIST = 2 * 1024 * 1024
BRINGS_LISTS = "console.keep_list"
HEAD_KEPT = 16 * 1024
# In a request's environment: the body has not arrived, and the headers may suffice for a response.
HEAD_ONLY = "funnel.head_only"


class BodyAwaited(HTTPException):
    """The headers are fine, and the response depends on the body (RFC 9110, section 15.2.1)."""

    code = 100


class BoundedRequest(Request):
    """A request with a bounded body: 64 KB, for lists and calendars 2 MB, of which calendars use 1 MB.

    Werkzeug truncates a chunked body at its limit silently, so its limit is a byte above ours.
    """

    STOPS_READING_AT = READ_OF_CALENDARS + 1

    @cached_property
    def largest(self) -> int:
        """The maximum size of a body at this address, in bytes."""
        if self.endpoint == BRINGS_LISTS:
            return LARGEST_LIST
        return READ_OF_CALENDARS if self.blueprint in CALENDARS else LARGEST_BODY

    @property  # type: ignore[misc]  # Flask lets it be set for one request, which nobody does here
    def max_content_length(self) -> int | None:  # type: ignore[override]
        """Where werkzeug stops reading."""
        return self.largest + 1

    @cached_property
    def stream(self) -> IO[bytes]:
        """The body; RequestEntityTooLarge if announced too large, BodyAwaited if it has not arrived."""
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
        """Return the body; RequestEntityTooLarge if too large, announced or not."""
        body = super().get_data(*arguments, **named)
        if len(body) > self.largest:
            raise RequestEntityTooLarge
        return body

    @cached_property
    def payload(self) -> Any:
        """The parsed body, in any supported format. Raises as `read_body`."""
        body = self.get_data()
        if len(body) > LARGEST_OF_CALENDARS:
            raise RequestEntityTooLarge
        encoding = self.headers.get("Content-Encoding", "").strip().lower()
        return read_body(body, self.mimetype, encoding, min(self.largest, LARGEST_OF_CALENDARS))

    def get_json(self, *arguments: Any, **named: Any) -> Any:
        """Return the payload: flask-smorest and views call this."""
        return self.payload


def sent(request: Request) -> dict[str, Any]:
    """Return an unparsable body in storable form: byte for byte, or its head if too large."""
    body = request.get_data()
    if len(body) <= LARGEST_OF_CALENDARS:
        return dict(kept_as(body))
    return {"head": sanitize(body[:HEAD_KEPT].decode(errors="replace")), "bytes": len(body)}


class StrictJson(DefaultJSONProvider):
    """Flask's JSON, restricted to UTF-8 without NaN and Infinity; unstorable characters become U+001A."""

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Parse a text; ValueError if it is not JSON."""
        return read_json(s.decode() if isinstance(s, bytes) else s, **kwargs)


class _Parser(FlaskParser):
    def _raw_load_json(self, req: Request) -> Any:
        # webargs' own parsing would differ from what is stored.
        return req.get_json()


class HookBlueprint(Blueprint):  # type: ignore[misc]  # flask-smorest has no types
    """flask-smorest's blueprint, whose schemas see the payload as it is stored, and are described later."""

    ARGUMENTS_PARSER = _Parser()

    def register_views_in_doc(self, api: Any, *of_what: Any, **more: Any) -> None:
        """Leave it to the API to describe the hooks once somebody asks."""
        api.undescribed.append(partial(super().register_views_in_doc, api, *of_what, **more))
