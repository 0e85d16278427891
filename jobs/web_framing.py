"""How much of a request has come: its head, and its body by length or in chunks; whether it is a good one is not said.

https://www.rfc-editor.org/rfc/rfc9112 sections 2.1, 6 and 7.1. gunicorn's parser reads the same bytes once more and
judges them: what this cannot make sense of counts as whole, so that the parser says what is wrong with it.
"""

import re
from collections.abc import Callable

from funnel_app.web.payloads import LARGEST_BODY, BoundedRequest

HEAD_ENDS, LINE_ENDS = b"\r\n\r\n", b"\r\n"
HEAD_AT_MOST = 64 * 1024
# A byte more than the application reads is enough for it to say that a body is too large.
BODY_AT_MOST = BoundedRequest.STOPS_READING_AT
# Chunks of one byte take six: enough for them too in a body of a size that forms have.
CHUNKS_AT_MOST = BODY_AT_MOST + 5 * LARGEST_BODY
LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,18})[ \t]*(?:\r\n|$)", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r\n]*chunked", re.IGNORECASE)
AWAITS = re.compile(rb"\r\nexpect:[ \t]*100-continue", re.IGNORECASE)
CHUNK_SIZE = re.compile(rb"[0-9a-f]{1,12}", re.IGNORECASE)


class Incoming:
    """The bytes of a connection since the last request was taken from it."""

    def __init__(self, data: bytes = b"") -> None:
        self.data = bytearray()
        self.expects_continue = False
        self._is_whole: Callable[[], bool] | None = None
        self.feed(data)

    @property
    def has_head(self) -> bool:
        """Say whether the head is here to its last line."""
        return self._is_whole is not None

    @property
    def is_whole(self) -> bool:
        """Say whether the head and all of the body are here, or more of it than anybody would read."""
        return self._is_whole is not None and self._is_whole()

    def feed(self, data: bytes) -> None:
        """Add what has come."""
        looked_through = max(0, len(self.data) - len(HEAD_ENDS) + 1)
        self.data += data
        if self._is_whole is None and (end := self.data.find(HEAD_ENDS, looked_through)) >= 0:
            self._read_head(bytes(self.data[:end]), end + len(HEAD_ENDS))

    def _read_head(self, head: bytes, starts_at: int) -> None:
        self.expects_continue = bool(AWAITS.search(head))
        if CHUNKED.search(head):
            self._is_whole = Chunks(self.data, starts_at).are_whole
            return
        found = LENGTH.search(head)
        wanted = starts_at + (int(found[1]) if found else 0)
        self._is_whole = lambda: len(self.data) >= min(wanted, starts_at + BODY_AT_MOST)


class Chunks:
    """A body in chunks: where the next one starts, and how much is known to have come."""

    def __init__(self, data: bytearray, starts_at: int) -> None:
        self._data, self._starts_at = data, starts_at
        self._next = starts_at
        self._content = 0

    def are_whole(self) -> bool:
        """Say whether the last chunk has come, or one that breaks the rules, or more than anybody would read."""
        if len(self._data) - self._starts_at > CHUNKS_AT_MOST:
            return True
        while self._content < BODY_AT_MOST:
            line_ends = self._data.find(LINE_ENDS, self._next)
            if line_ends < 0:
                return False
            size = CHUNK_SIZE.match(self._data, self._next, line_ends)
            if size is None:
                return True
            if int(size[0], 16) == 0:
                # Trailers may follow; without one the empty line follows at once.
                return self._data.find(HEAD_ENDS, line_ends) >= 0
            content_starts = line_ends + len(LINE_ENDS)
            if not self._step_over(content_starts, int(size[0], 16)):
                return len(self._data) - content_starts + self._content >= BODY_AT_MOST
        return True

    def _step_over(self, content_starts: int, size: int) -> bool:
        ends = content_starts + size + len(LINE_ENDS)
        if len(self._data) < ends:
            return False
        self._next, self._content = ends, self._content + size
        return True
