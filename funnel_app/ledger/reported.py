"""The emails that reports are about: locked, read as rows, changed in memory, and written a statement a table."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from funnel_app.campaigns.states import State
from funnel_app.ledger import contacts, emails, lead_events, outbox
from funnel_app.ledger.database.after_commit import log_after_commit
from funnel_app.ledger.database.compiled import Question
from funnel_app.ledger.models.base import one_of
from funnel_app.ledger.models.types import new_id
from funnel_app.ledger.outbox import LeadEvent
from funnel_app.ledger.reading import CONTACTS, EMAILS, ENROLMENTS, columns_of
from funnel_app.ledger.writing import EVENTS, INSERTS, UPDATES
from funnel_app.rules.emails.reports import ReportedEmail, ReportedEnrolment

Row = dict[str, Any]
OF_EMAIL = columns_of(ReportedEmail, EMAILS)
OF_ENROLMENT = tuple(field.name for field in fields(ReportedEnrolment) if field.name not in {"id", "email_norm"})
_EMAILS = Question(
    select(
        *(EMAILS.c[name] for name in OF_EMAIL),
        EMAILS.c.enrolment_id,
        *(ENROLMENTS.c[name] for name in OF_ENROLMENT),
        CONTACTS.c.email_norm,
    )
    .join(ENROLMENTS, EMAILS.c.enrolment_id == ENROLMENTS.c.id)
    .join(CONTACTS, ENROLMENTS.c.contact_id == CONTACTS.c.id)
    .where(one_of(EMAILS.c.id, "ids"))
)


class ReportedEmails:
    """The emails of one transaction's reports; state changes add timeline rows as in `ledger/emails.py`."""

    def __init__(self, session: Session, now: datetime) -> None:
        self.session = session
        self.connection = session.connection()
        self.now = now
        self._known: dict[UUID, ReportedEmail] = {}
        self._forget()

    def lock(self, ids: Collection[UUID]) -> None:
        """Lock the contacts of these emails, and read those that are known."""
        if ids:
            contacts.lock_of_emails(self.session, ids)
            self._read(ids)

    def find(self, email_id: UUID | None, resend_id: str | None) -> ReportedEmail | None:
        """Return the locked email with this id, else the one with this provider's id; None if it is not known yet."""
        if email_id in self._known:
            return self._known[email_id]
        if resend_id is None:
            return None
        self.write()
        found = emails.find_by_resend_id(self.session, resend_id)
        if found is not None and found not in self._known:
            self.lock({found})
        return None if found is None else self._known[found]

    def change(self, email: ReportedEmail, at: datetime) -> None:
        """Keep what became of an email by a report of this time."""
        before, self._known[email.id] = self._known[email.id], email
        if email is before:
            return
        changes = self._changes[email.id]
        changes |= {name: now for name in OF_EMAIL if (now := getattr(email, name)) != getattr(before, name)}
        if email.state is not before.state:
            changes[f"{email.state}_at"] = at
            self._record_move(email, at)

    def write(self) -> None:
        """Write all that changed."""
        alike: defaultdict[tuple[str, ...], list[Row]] = defaultdict(list)
        for email_id, changes in self._changes.items():
            alike[tuple(changes)].append({"id": email_id, **changes})
        for rows in alike.values():
            UPDATES[EMAILS].by_id(self.connection, rows)
        UPDATES[ENROLMENTS].by_id(self.connection, [{"id": id_, "mirror_stale_since": self.now} for id_ in self._stale])
        INSERTS[EVENTS].into(self.connection, self._moves)
        outbox.add(self.connection, self._events, self.now)
        self._forget()

    def read_again(self, contact_id: UUID) -> None:
        """Read a contact's emails once more, after objects of the same session changed some."""
        self.session.flush()
        self._read([id_ for id_, email in self._known.items() if email.enrolment.contact_id == contact_id])

    def _read(self, ids: Collection[UUID]) -> None:
        for row in _EMAILS.ask(self.connection, ids=ids):
            of_enrolment = {name: row[name] for name in (*OF_ENROLMENT, "email_norm")}
            enrolment = ReportedEnrolment(id=row["enrolment_id"], **of_enrolment)
            of_email = {name: row[name] for name in OF_EMAIL} | {"state": State(row["state"])}
            self._known[row["id"]] = ReportedEmail(**of_email, enrolment=enrolment)

    def _record_move(self, email: ReportedEmail, at: datetime) -> None:
        self._stale[email.enrolment.id] = None
        self._events += lead_events.moved(email.enrolment, email, email.state, at)
        self._moves.append(
            {
                "id": new_id(),
                "email_id": email.id,
                "kind": email.state,
                "at": at,
                "recorded_at": self.now,
                "detail": email.reason,
                "resend_id": email.resend_id if email.state is State.SENT else None,
            }
        )
        ids = {"email": str(email.id), "enrolment": str(email.enrolment.id)}
        log_after_commit(self.session, "email_moved", **ids, state=str(email.state), reason=email.reason)

    def _forget(self) -> None:
        self._changes: defaultdict[UUID, Row] = defaultdict(dict)
        self._stale: dict[UUID, None] = {}
        self._moves: list[Row] = []
        self._events: list[LeadEvent] = []
