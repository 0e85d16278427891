"""Framing: how much of a request has arrived, its head and its body by length or in chunks; no validation.

https://www.rfc-editor.org/rfc/rfc9112 sections 2.1, 6 and 7.1. gunicorn's parser reads the same bytes again and
validates them: anything incomprehensible counts as complete, so that the parser rejects it.
"""

import re
from typing import Protocol

from funnel_app.web.bounded_request import LARGEST_BODY, BoundedRequest

HEAD_ENDS, LINE_ENDS = b"\r\n\r\n", b"\r\n"
HEAD_AT_MOST = 64 * 1024
# One byte above the application's limit lets it say that a body is too large.
BODY_AT_MOST = BoundedRequest.STOPS_READING_AT
# A one-byte chunk takes six: enough for a form-sized body of them.
CHUNKS_AT_MOST = BODY_AT_MOST + 5 * LARGEST_BODY
LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,18})[ \t]*(?:\r\n|$)", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r\n]*chunked", re.IGNORECASE)
AWAITS = re.compile(rb"\r\nexpect:[ \t]*100-continue", re.IGNORECASE)
CHUNK_SIZE = re.compile(rb"([0-9a-f]{1,12})(?:[ \t]*;[^\x00-\x08\x0a-\x1f\x7f]*)?", re.IGNORECASE)
# The chunks of a form-sized body at seven bytes each; more are not processed.
MOST_CHUNKS = 10_000
# No valid size: the parser rejects it.
BROKEN_CHUNK = b"\r\n"


class Incoming:
    """The bytes of a connection since the last request was taken from it."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = bytearray()
        self.expects_continue = False
        self._body: Body | None = None
        self.feed(data)

    @property
    def has_head(self) -> bool:
        """Say whether the head is complete."""
        return self._body is not None

    @property
    def is_whole(self) -> bool:
        """Say whether head and body are complete, or larger than anybody would read."""
        return self._body is not None and self._body.is_whole()

    @property
    def ends_at(self) -> int | None:
        """Where the next request begins; None if unknown yet, or after a body that is not read to its end."""
        return self._body.ends_at() if self._body is not None else None

    def as_parsed(self) -> bytes:
        """Return the request, and what follows it, for the parser."""
        return self._body.as_parsed() if self._body is not None else bytes(self.data)

    def feed(self, data: bytes) -> None:
        """Append received bytes."""
        looked_through = max(0, len(self.data) - len(HEAD_ENDS) + 1)
        self.data += data
        if self._body is None and (end := self.data.find(HEAD_ENDS, looked_through)) >= 0:
            self._read_head(bytes(self.data[:end]), end + len(HEAD_ENDS))

    def _read_head(self, head: bytes, starts_at: int) -> None:
        self.expects_continue = bool(AWAITS.search(head))
        if CHUNKED.search(head):
            self._body = Chunks(self.data, starts_at)
            return
        found = LENGTH.search(head)
        self._body = Measured(self.data, starts_at, int(found[1]) if found else 0)


class Body(Protocol):
    """The body of a request being received."""

    def is_whole(self) -> bool:
        """Say whether it is complete, or larger than anybody would read."""

    def ends_at(self) -> int | None:
        """Return its end; None if it has not arrived."""

    def as_parsed(self) -> bytes:
        """Return the request, and what follows it, for the parser."""


class Measured:
    """A body with a Content-Length."""

    def __init__(self, data: bytearray, starts_at: int, length: int) -> None:
        self._data, self._ends_at = data, starts_at + length
        self._enough = starts_at + min(length, BODY_AT_MOST)

    def is_whole(self) -> bool:
        """Say whether it is complete, or larger than anybody would read."""
        return len(self._data) >= self._enough

    def ends_at(self) -> int | None:
        """Return its end; None if it has not arrived."""
        return self._ends_at if len(self._data) >= self._ends_at else None

    def as_parsed(self) -> bytes:
        """Return the request, and what follows it, unchanged."""
        return bytes(self._data)


class Chunks:
    """A chunked body: where the next chunk starts, and what has arrived."""

    def __init__(self, data: bytearray, starts_at: int) -> None:
        self._data, self._starts_at = data, starts_at
        self._next, self._count = starts_at, 0
        self._content = bytearray()
        self._ends_at: int | None = None
        self._is_broken = self._is_large = False

    def is_whole(self) -> bool:
        """Say whether the last chunk has arrived, or an invalid one, or more than anybody would read."""
        while not self._is_enough() and (line_ends := self._data.find(LINE_ENDS, self._next)) >= 0:
            size = CHUNK_SIZE.fullmatch(self._data, self._next, line_ends)
            self._is_broken = size is None
            if size is None:
                return True
            if int(size[1], 16) == 0:
                return self._has_last(line_ends)
            if not self._step_over(line_ends + len(LINE_ENDS), int(size[1], 16)):
                self._is_large = self._is_enough(len(self._data) - line_ends)
                return self._is_broken or self._is_large
        self._is_broken = not self._is_enough() and len(self._data) - self._starts_at > CHUNKS_AT_MOST
        return self._is_broken or self._is_enough()

    def ends_at(self) -> int | None:
        """Return its end; None if the last chunk was not seen."""
        return self._ends_at

    def as_parsed(self) -> bytes:
        """Return the request for the parser, with a single chunk.

        gunicorn 27 copies the remaining data for each chunk: a hostile body took it half a minute.
        """
        head, content = bytes(self._data[: self._starts_at]), bytes(self._content)
        chunk = b"%x\r\n%b\r\n" % (len(content), content) if content else b""
        if self._is_broken:
            return head + chunk + BROKEN_CHUNK
        is_known = self._is_large or self._ends_at is not None
        return head + chunk + (bytes(self._data[self._next :]) if is_known else b"")

    def _is_enough(self, coming: int = 0) -> bool:
        return len(self._content) + coming >= BODY_AT_MOST or self._count >= MOST_CHUNKS

    def _has_last(self, line_ends: int) -> bool:
        # Trailers may follow; without any the empty line follows at once.
        ends = self._data.find(HEAD_ENDS, line_ends)
        self._ends_at = ends + len(HEAD_ENDS) if ends >= 0 else None
        return ends >= 0

    def _step_over(self, content_starts: int, size: int) -> bool:
        ends = content_starts + size
        if len(self._data) < ends + len(LINE_ENDS):
            return False
        self._is_broken = not self._data.startswith(LINE_ENDS, ends)
        if self._is_broken:
            return False
        self._content += self._data[content_starts:ends]
        self._next, self._count = ends + len(LINE_ENDS), self._count + 1
        return True
