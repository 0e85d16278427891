"""A fast stand-in for Resend: it answers at once, and records when each email arrived.

`python -m bench.stub PORT [CALLS_A_SECOND]`; `GET /seen` tells, `POST /forget` begins again. It counts calls by the
clock's seconds, as strict a reading of "so many a second" as there is.
"""

import asyncio
import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from sandbox.command_line import command_line

REFUSED = {"name": "rate_limit_exceeded", "message": "Too many requests.", "statusCode": 429}


@dataclass
class Seen:
    """What it received: (email, time) in order, the sizes of calls, and the number of refusals."""

    emails: list[tuple[str, float]] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    refused: int = 0
    second: int = 0
    used: int = 0


class Stub:
    """The stand-in; 0 calls a second means no limit."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.seen = Seen()

    def answer(self, line: str, body: bytes) -> tuple[int, Any]:
        """Return status and JSON for one call."""
        if line.startswith("GET /seen"):
            return 200, vars(self.seen)
        if line.startswith("POST /forget"):
            self.seen = Seen()
            return 200, {}
        if not line.startswith("POST /emails"):
            return 404, {"name": "not_found", "message": "This stand-in only takes emails."}
        now = time.time()
        return self._take(now, json.loads(body)) if self._within(now) else (429, REFUSED)

    def _within(self, now: float) -> bool:
        seen = self.seen
        if int(now) != seen.second:
            seen.second, seen.used = int(now), 0
        seen.used += 1
        within = not self.limit or seen.used <= self.limit
        seen.refused += not within
        return within

    def _take(self, now: float, body: Any) -> tuple[int, Any]:
        letters = body if isinstance(body, list) else [body]
        self.seen.sizes.append(len(letters))
        self.seen.emails += [(_name(letter), now) for letter in letters]
        ids = [{"id": str(uuid.uuid4())} for _ in letters]
        return 200, {"data": ids, "errors": []} if isinstance(body, list) else ids[0]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the calls of one connection until it ends."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                text = head.decode("latin-1")
                fields = dict(row.lower().split(": ", 1) for row in text.split("\r\n")[1:] if ": " in row)
                body = await reader.readexactly(int(fields.get("content-length", "0")))
                writer.write(self._packed(*self.answer(text, body)))
        except (OSError, asyncio.IncompleteReadError):
            writer.close()

    def _packed(self, status: int, said: Any) -> bytes:
        body = json.dumps(said).encode()
        head = [f"HTTP/1.1 {status} x", "Content-Type: application/json", f"Content-Length: {len(body)}"]
        head += [f"ratelimit-limit: {self.limit}"] if self.limit else []
        return "\r\n".join([*head, "", ""]).encode() + body


def _name(letter: Any) -> str:
    return str(next((tag["value"] for tag in letter.get("tags", ()) if tag["name"] == "email"), letter["to"][0]))


async def main(port: int, limit: int) -> None:
    """Serve until killed."""
    server = await asyncio.start_server(Stub(limit).serve, "127.0.0.1", port, limit=2**20)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(**command_line(__doc__, port=8080, limit=0)))
