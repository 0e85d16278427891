"""kill -9 at each commit of edits, wishes, replies, lists and events out: done again, it is as if none had died.

Each run is a process of its own, which dies by SIGKILL right before or right after one of its commits, over the same
ledger and the same world outside, which speaks HTTP and remembers. Where nothing is asked outside, right after one
commit is right before the next.
"""

import os
import signal
import sys
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite

from funnel_app.deps import Deps
from funnel_app.flows.console.replanning import apply_to_all
from funnel_app.flows.console.wishes import grant_wishes
from funnel_app.flows.intake import replan
from funnel_app.flows.lists import take, take_uploaded, uploads
from funnel_app.flows.lists.import_settings import ImportSettings
from funnel_app.flows.outbox.history import list_events
from funnel_app.flows.outbox.publish import publish_events
from funnel_app.flows.replies.keep import Arrival, keep_received
from funnel_app.flows.replies.work import answer_received
from funnel_app.flows.sending.record_event import record_event
from funnel_app.gateways.http.receivers import Receivers
from funnel_app.gateways.resend.inbox import Inbox
from funnel_app.gateways.resend.mailer import Mailer
from funnel_app.ledger.models import Email, EmailEvent, Enrolment, HookEvent, Suppression
from funnel_app.ledger.models.watch import Notice
from funnel_app.ledger.operator_actions import OperatorAction
from funnel_app.rules.emails.reports import Report
from sandbox.crm import SECRET
from sandbox.notion.state import SEQUENCES_DATABASE_ID
from sandbox.resend.receiving import write_to_us
from sandbox.server import Server
from tests.factories import make_deps
from tests.flows.leads import email_ids, opt_in
from tests.flows.mirror.workspaces import lay, mirror_all, pages, sequences
from tests.flows.test_edits_in_flight import restarted
from tests.sqlite_files import into_one_file, open_again

OWNER, MESSAGE_ID = "delivered+olga@resend.dev", "0100abc@email.example"
PEOPLE = ("ana@resend.dev", "bea@resend.dev")
LIST = b"Email,Status\n" + b"".join(b"lead%d@resend.dev,\n" % n for n in range(2)) + b"max@resend.dev,unsubscribed\n"


@dataclass(frozen=True)
class Kind:
    """What may die: how its stage is set, what is done, and what is to be seen of it in the end."""

    prepare: Callable[[Deps, Server], object]
    act: Callable[[Deps], object]
    told: Callable[[Deps, Server], Any]
    deaths: int
    asks_outside: bool = True


def all_of(deps: Deps, *columns: Any) -> list[Any]:
    with deps.reads() as session:
        return sorted(map(tuple, session.execute(select(*columns))), key=repr)


def opt_in_all(deps: Deps, server: Server) -> None:
    for address in PEOPLE:
        opt_in(deps, address)


def what_was_edited(deps: Deps, server: Server) -> Any:
    emails = all_of(deps, Email.step, Email.template_key, Email.state, Email.due_at, Email.reason)
    return emails, all_of(deps, EmailEvent.kind, EmailEvent.detail)


def wish(deps: Deps, server: Server) -> None:
    lay(deps, server)
    opt_in(deps)
    mirror_all(deps)
    (row,) = pages(server, SEQUENCES_DATABASE_ID)
    row.values["Wish"], row.by_person = {"id": "o", "name": "Send next now", "color": "default"}, True


def what_was_wished(deps: Deps, server: Server) -> Any:
    (row,) = sequences(server)
    asked = all_of(deps, func.count(Email.asked_for_at))
    return row["Wish"], row["Wish Answer"].partition(",")[0], asked, all_of(deps, OperatorAction.action)


def reply(deps: Deps, server: Server) -> None:
    first = email_ids(opt_in(deps))[0]
    values = {"at": deps.now(), "resend_id": "r-0", "detail": None, "email_id": first, "message_id": MESSAGE_ID}
    record_event(deps, Report(provider_event_id="msg_1", kind="email.delivered", **values))
    said = {"from": PEOPLE[0], "headers": {"In-Reply-To": f"<{MESSAGE_ID}>"}}
    with server.sandbox.lock:
        written, _ = write_to_us(server.sandbox, said)
    keep_received(deps, Arrival(resend_id=written.id, sender=PEOPLE[0], subject="Re: Hello"))


def what_was_replied(deps: Deps, server: Server) -> Any:
    forwarded = [email.payload["subject"] for email in server.sandbox.emails.values() if email.to == [OWNER]]
    ended, notices = all_of(deps, Enrolment.state, Enrolment.exit_reason), all_of(deps, func.count(Notice.key))
    return forwarded, ended, notices, [each["type"] for each in list_events(deps, None, 9)]


def begin_list(deps: Deps, server: Server) -> None:
    kept = uploads.keep_list(deps, "fair.csv", LIST, "Olga")
    uploads.look(
        deps, kept, ImportSettings(columns={"email": (0,), "status": (1,)}, sequence="lead_nurture", consent="the fair")
    )
    uploads.start(deps, kept, "Olga")


def what_came_in(deps: Deps, server: Server) -> Any:
    (kept,) = uploads.list_imports(deps.reads)
    _, counts = uploads.find_import(deps.reads, kept.id)
    rows = [all_of(deps, func.count(each.id)) for each in (Enrolment, Email, HookEvent, Suppression)]
    return kept.state, kept.done, dict(counts), rows, all_of(deps, OperatorAction.detail)


def what_was_told(deps: Deps, server: Server) -> Any:
    """At least once, so that what came again counts once; of each lead in its order."""
    told = {each["id"]: (each["data"]["lead"]["email"], each["type"]) for each in server.sandbox.told}.values()
    states = [(each["lead"], each["type"], each["state"]) for each in list_events(deps, None, 99)]
    return {address: [kind for who, kind in told if who == address] for address in PEOPLE}, sorted(states)


KINDS = {
    "edits applied": Kind(
        opt_in_all, lambda deps: apply_to_all(restarted(deps), "olga"), what_was_edited, 4, asks_outside=False
    ),
    "wishes": Kind(wish, grant_wishes, what_was_wished, 8),
    "replies": Kind(reply, answer_received, what_was_replied, 8),
    "lists": Kind(begin_list, take_uploaded.take_waiting, what_came_in, 8, asks_outside=False),
    "events out": Kind(opt_in_all, publish_events, what_was_told, 4),
}


def open_deps(ledger: Path, server: Server, at: datetime) -> Deps:
    """Return collaborators of a process that begins now: its own connections, and gateways that speak HTTP."""
    engine = open_again(ledger)
    told = {"events_webhook_urls": (f"{server.url}/crm/events",), "events_webhook_secrets": (SECRET,)}
    deps = make_deps(
        engine, reply_forward_to=OWNER, leads_webhook_url="https://chat.example/", notion_wishes_by=("*",), **told
    )
    lay(deps, server, ready=False)
    deps.now.at = at
    return replace(deps, mailer=Mailer("re_test", server.resend_url), inbox=Inbox(deps.now), receivers=Receivers())


def dies(ledger: Path, server: Server, kind: Kind, at: datetime, point: tuple[int, bool]) -> bool:
    """Do it in a process of its own that is killed at this point; False where it came to its end."""
    child = os.fork()
    if child == 0:
        try:
            # What it would have measured dies with it.
            sys.settrace(None)
            kill_at(*point)
            kind.act(open_deps(ledger, server, at))
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def kill_at(number: int, before: bool) -> None:
    """Let this process die at the so many-th commit from now on, before it or right after."""
    real, left = SQLiteDialect_pysqlite.do_commit, iter(range(number))

    def commit(dialect: Any, connection: Any) -> None:
        is_it = next(left, None) is None
        if not (is_it and before):
            real(dialect, connection)
        if is_it:
            os.kill(os.getpid(), signal.SIGKILL)

    SQLiteDialect_pysqlite.do_commit = commit


@dataclass
class Stage:
    """A ledger and a world outside as they are before anything dies, to be entered again and again."""

    kind: Kind
    server: Server
    ledger: Path

    def __post_init__(self) -> None:
        """Set it once."""
        # Now: a receiver of events takes no signature that is minutes old.
        deps = open_deps(self.ledger, self.server, datetime.now(UTC))
        self.kind.prepare(deps, self.server)
        self.before = self.kind.told(deps, self.server)
        into_one_file(deps.engine)
        self.at, self.rows = deps.now(), self.ledger.read_bytes()
        self.notion, self.written = deepcopy(self.server.sandbox.notion), dict(self.server.sandbox.written)

    def played(self, point: tuple[int, bool] | None) -> Any:
        """Do it, once more after a death at this point; return what is to be seen, None where none died."""
        self.server.sandbox.forget()
        self.server.sandbox.notion, self.server.sandbox.written = deepcopy(self.notion), dict(self.written)
        ledger = self.ledger.with_name(f"{point}.db")
        ledger.write_bytes(self.rows)
        if point and not dies(ledger, self.server, self.kind, self.at, point):
            return None
        deps = open_deps(ledger, self.server, self.at)
        deps.now.forward(minutes=3)
        self.kind.act(deps)
        seen = self.kind.told(deps, self.server)
        deps.engine.dispose()
        return seen


@pytest.mark.parametrize("name", KINDS)
def test_nothing_is_lost_and_nothing_double_wherever_it_is_killed(migrated_sqlite, tmp_path, notion, monkeypatch, name):
    monkeypatch.setattr(take, "ROWS_AT_ONCE", 2)
    monkeypatch.setattr(replan, "AT_ONCE", 1)
    ledger = tmp_path / "funnel.db"
    ledger.write_bytes(migrated_sqlite.read_bytes())
    stage, deaths = Stage(KINDS[name], notion, ledger), 0
    whole = stage.played(None)
    assert whole != stage.before
    for point in product(range(50), (True, False) if stage.kind.asks_outside else (True,)):
        seen = stage.played(point)
        if seen is None:
            break
        assert seen == whole, f"killed {'before' if point[1] else 'after'} commit {point[0] + 1}"
        deaths += 1
    assert deaths >= stage.kind.deaths
