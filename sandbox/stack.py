"""A complete Funnel on this machine: Redis, stand-ins, web, worker and scheduler as real processes."""

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from sandbox import crm
from sandbox.processes import MIRROR, NotStarted, Processes, answers, development_settings, inheriting
from sandbox.redis_server import RedisServer, free_port
from sandbox.signing import calendly_headers

READY_WITHIN_S = 150.0
# What comes of a lead is shown and told outside within this time.
TOLD_WITHIN_S = 40.0
PARTS = ("web", "worker", "scheduler")
Seen = TypeVar("Seen")


@dataclass
class Stack:
    """The addresses of a running Funnel, and how to call its hooks."""

    processes: Processes
    redis: RedisServer
    web_url: str
    sandbox_url: str
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def ledger(self) -> Path:
        """The SQLite file of the ledger."""
        return self.processes.folder / "funnel.db"

    def post(self, path: str, payload: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Call a hook with its secret; return status and JSON."""
        secret = self.processes.env["HOOK_SECRET"]
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        return call_json(Request(f"{self.web_url}{path}", json.dumps(payload).encode(), headers))

    def post_calendly(self, path: str, event: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Call a hook as Calendly does, signed; return status and answer."""
        body = json.dumps(event).encode()
        proof = calendly_headers(self.processes.env["CALENDLY_SIGNING_KEY"], int(time.time()), body)
        return call_json(Request(f"{self.web_url}{path}", body, {**proof, "Content-Type": "application/json"}))

    def control(self, settings: dict[str, Any]) -> None:
        """Change switches of the stand-ins."""
        body = json.dumps(settings).encode()
        call_json(Request(f"{self.sandbox_url}/control", body, {"Content-Type": "application/json"}))

    def write(self, said: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Write an email to us, by the control API."""
        body = json.dumps(said).encode()
        return call_json(Request(f"{self.sandbox_url}/control/written", body, {"Content-Type": "application/json"}))

    def received(self) -> list[dict[str, Any]]:
        """Return every email that the stand-in for Resend accepted, in order."""
        with urlopen(f"{self.sandbox_url}/control/emails", timeout=10) as response:
            return cast(list[dict[str, Any]], json.load(response))

    def told(self) -> list[dict[str, Any]]:
        """Return every event that the CRM accepted, in order, with repetitions."""
        with urlopen(f"{self.sandbox_url}/crm/events", timeout=10) as response:
            return cast(list[dict[str, Any]], json.load(response))

    def said(self) -> list[str]:
        """Return every message in the owner's chat, in order."""
        with urlopen(f"{self.sandbox_url}/chat/messages", timeout=10) as response:
            return cast(list[str], json.load(response))

    def rows(self, title: str) -> list[dict[str, str]]:
        """Return the rows of a database in the stand-in for Notion, as text."""
        with urlopen(f"{self.sandbox_url}/control/notion/tables", timeout=10) as response:
            return cast(list[dict[str, str]], json.load(response)[title])

    def page_of(self, title: str, address: str) -> str:
        """Return the id of the page that a person's row is, in a database of the stand-in for Notion.

        It waits for the row, as its owner does: rows come a little after their emails. LookupError: none came.
        """
        asked = Request(f"{self.sandbox_url}/control/notion/page?{urlencode({'title': title, 'email': address})}")
        found = look_until(lambda: call_json(asked)[1]["id"], bool)
        if not found:
            raise LookupError(f"{address} has no row in {title} after {TOLD_WITHIN_S:.0f} s")
        return str(found)

    def fill_in(self, path: str, values: Mapping[str, str]) -> None:
        """Submit a form of the stand-ins' pages, as a browser does."""
        with urlopen(f"{self.sandbox_url}{path}", urlencode(values).encode(), timeout=30):
            pass

    def look(self, email_id: str, link: str | None = None) -> None:
        """Open an email as a reader, or click a link in it."""
        body = json.dumps({"email": email_id, "link": link}).encode()
        call_json(Request(f"{self.sandbox_url}/control/looked", body, {"Content-Type": "application/json"}))

    def restart_parts(self) -> float:
        """Stop web, worker and scheduler as a deployment does, and start them again; return for how many seconds."""
        stopped = time.monotonic()
        self.processes.stop(PARTS)
        start_parts(self)
        return time.monotonic() - stopped

    def flask(self, *arguments: str) -> str:
        """Run a command of Funnel's CLI and return what it printed."""
        return self.processes.run("-m", "flask", "--app", "wsgi", *arguments)

    def wait_until_ready(self) -> None:
        """Wait until web, worker and scheduler are all there."""
        deadline = time.monotonic() + READY_WITHIN_S
        while not answers(f"{self.web_url}/readyz"):
            self._see_that_all_live()
            if time.monotonic() > deadline:
                raise NotStarted(f"Funnel is not ready after {READY_WITHIN_S:.0f} s; see {self.processes.folder}")
            time.sleep(0.1)

    def _see_that_all_live(self) -> None:
        for name in self.processes.ended():
            last_words = self.processes.log(name).read_text()[-1000:].strip()
            raise NotStarted(f"{name} has ended by itself: {last_words}")


def look_until(look: Callable[[], Seen], is_enough: Callable[[Seen], bool]) -> Seen:
    """Look again until it is enough, or until all should have been told; return what was seen last."""
    deadline = time.monotonic() + TOLD_WITHIN_S
    while not is_enough(seen := look()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return seen


def call_json(request: Request) -> tuple[int, dict[str, Any]]:
    """Make a call; return its status, whatever that is, and its JSON answer."""
    try:
        with urlopen(request, timeout=30) as response:
            return response.status, json.load(response)
    except HTTPError as error:
        return error.code, json.load(error)


@contextmanager
def running_stack(interval_s: int, **settings: str) -> Iterator[Stack]:
    """Run a whole Funnel for the time of the block, with an empty ledger at the newest migration."""
    with tempfile.TemporaryDirectory(prefix="funnel-") as name, RedisServer() as redis:
        folder, web_port, sandbox_port = Path(name), free_port(), free_port()
        sandbox_url, web_url = f"http://127.0.0.1:{sandbox_port}", f"http://127.0.0.1:{web_port}"
        own = development_settings(
            folder=folder, web_port=web_port, sandbox_url=sandbox_url, redis_url=redis.url, interval_s=interval_s
        )
        # The website's name for the address of Funnel; its other setting, HOOK_SECRET, is Funnel's own.
        own["FUNNEL_URL"] = web_url
        own |= {"EVENTS_WEBHOOK_URL": f"{sandbox_url}/crm/events", "EVENTS_WEBHOOK_SECRET": crm.SECRET}
        own["LEADS_WEBHOOK_URL"] = f"{sandbox_url}/chat"
        # Signs of life and all else that they leave goes with the folder, and two Funnels do not share them.
        processes = Processes(folder, inheriting({"TMPDIR": name, **own, **settings}))
        try:
            start_sandbox(processes, sandbox_port, web_url)
            yield Stack(processes, redis, web_url, sandbox_url, {**own, **settings})
        finally:
            processes.stop()


def start_sandbox(processes: Processes, port: int, web_url: str) -> None:
    """Start the stand-ins on a port of 127.0.0.1, with webhooks to this web process."""
    webhook = ("--webhook-url", f"{web_url}/webhook/resend", "--webhook-secret", processes.env["RESEND_WEBHOOK_SECRET"])
    domain = ("--domain", "mail.businessx.example")
    processes.start("sandbox", "-m", "sandbox", "--port", str(port), *webhook, *domain)
    processes.wait_for("sandbox", f"http://127.0.0.1:{port}/")


def start_funnel(stack: Stack) -> None:
    """Migrate the ledger, fill Notion, start web, worker and scheduler, and wait until all are there."""
    stack.flask("db", "upgrade")
    stack.flask("templates", "populate")
    if stack.settings.keys() & MIRROR.keys():  # before the scheduler's doctor looks for the first time
        stack.flask("notion", "init")
    start_parts(stack)


def start_web(stack: Stack) -> None:
    """Migrate the ledger, start the web alone, and wait until it answers."""
    stack.flask("db", "upgrade")
    stack.processes.start("web")
    stack.processes.wait_for("web", f"{stack.web_url}/healthz")


def start_parts(stack: Stack) -> None:
    """Start web, worker and scheduler over a ledger that is migrated, and wait until all are there."""
    for name in PARTS:
        stack.processes.start(name)
    stack.wait_until_ready()
