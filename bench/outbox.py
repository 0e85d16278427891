"""How fast receivers outside are told, and what a dead one costs: `python -m bench.outbox [EVENTS]`.

A ledger in SQLite with so many events of a fifth as many leads, and receivers over HTTP on this machine: one that
answers at once, one that takes fifty milliseconds, one where nobody is.
Exit 1 where an event is missing, or out of order.
"""

import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import UUID

from sqlalchemy import insert

from bench.common import Row, calibrate, show
from funnel_app.deps import Deps, listened_to
from funnel_app.flows.outbox.publish import publish_events
from funnel_app.gateways.http.receivers import Receivers
from funnel_app.ledger import outbox
from funnel_app.ledger.database import schema
from funnel_app.ledger.database.engine import open_engine
from funnel_app.ledger.models import Contact
from funnel_app.ledger.outbox import Kind, LeadEvent
from sandbox.command_line import command_line
from tests.factories import make_deps, make_settings

SECRET = "whsec_" + "b3V0Ym94" * 4
OF_A_LEAD = 5
LATENCY_S = 0.05
NOWHERE = "http://127.0.0.1:9/"


def main(events: int) -> int:
    """Print the events per second for each receiver; exit with 1 if one got too few or in a wrong order."""
    machine = calibrate()
    rows, faults = [], 0
    for name, latency_s in (("one that answers at once", 0.0), ("one that takes 50 ms", LATENCY_S)):
        with _receiver(latency_s) as (url, came):
            took_s = _tell_all(url, events)
        faults += _is_wrong(came, events)
        rows.append(Row(f"events a second to {name}", events / took_s, "/s"))
    rows.append(Row("one round to a dead one", _round_to_nobody(events) * 1000, "ms"))
    show("Outbox", machine, rows)
    return int(faults > 0)


@contextmanager
def _receiver(latency_s: float) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """Run a receiver; yield its URL and the received ids, by lead."""
    came: dict[str, list[str]] = defaultdict(list)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            came[body.partition(b'"lead":{"id":"')[2][:36].decode()].append(self.headers["webhook-id"])
            time.sleep(latency_s)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Log nothing: it would be measured too."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", came
    server.shutdown()


def _tell_all(url: str, events: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        deps = _deps(Path(folder), url, events)
        began, told = time.perf_counter(), 0
        while told < events and (taken := publish_events(deps)):
            told += taken
        return time.perf_counter() - began


def _round_to_nobody(events: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        deps = _deps(Path(folder), NOWHERE, events)
        began = time.perf_counter()
        publish_events(deps)
        return time.perf_counter() - began


def _deps(folder: Path, url: str, events: int) -> Deps:
    told = {"events_webhook_urls": (url,), "events_webhook_secrets": (SECRET,)}
    engine = listened_to(open_engine(f"sqlite:///{folder / 'bench.db'}"), make_settings(**told))
    schema.upgrade(engine)
    leads, now = [UUID(int=number) for number in range(events // OF_A_LEAD)], datetime.now(UTC)
    with engine.begin() as connection:
        connection.execute(insert(Contact), [_contact(lead, now) for lead in leads])
        happened = [LeadEvent(Kind.EMAIL_DELIVERED, lead, now, {}) for _ in range(OF_A_LEAD) for lead in leads]
        outbox.add(connection, happened, now)
    deps: Deps = make_deps(engine, **told)
    object.__setattr__(deps, "receivers", Receivers())
    return deps


def _contact(lead: UUID, now: datetime) -> dict[str, object]:
    address = f"lead{lead.int}@example.com"
    names = {"email": address, "email_norm": address, "unsubscribe_token": str(lead)}
    return {"id": lead, **names, "properties": {}, "created_at": now, "updated_at": now}


def _is_wrong(came: dict[str, list[str]], events: int) -> bool:
    # Ids are in the order in which things happened.
    return sum(map(len, came.values())) != events or any(ids != sorted(ids) for ids in came.values())


if __name__ == "__main__":
    sys.exit(main(**command_line(__doc__, events=2000)))
