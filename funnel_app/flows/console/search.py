"""Search: one box for leads, emails, templates, versions and calls, by words, a telephone number, or an id."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from funnel_app.campaigns.registry import Registry
from funnel_app.deps import Deps
from funnel_app.flows.console.leads import LeadRow, find_leads
from funnel_app.flows.intake.received_calls import as_row
from funnel_app.flows.templates.subjects import read_subjects
from funnel_app.ledger import emails, enrolments, hook_events, template_versions
from funnel_app.ledger.models import Contact, HookEvent, TemplateVersion
from funnel_app.ledger.queries import leads, search
from funnel_app.ledger.queries.leads import Wanted
from funnel_app.ledger.queries.search import BETWEEN_DIGITS, LOOKED_THROUGH, SentEmail

LISTED = 10
# Fewer digits match almost every address and score.
SHORTEST_NUMBER = 5
SHORTEST_WORD = 2
# A version is shown by so much of its hash.
SHORTEST_HASH = 8
# A job of RQ's is called after what it sends.
JOBS = ("email-", "request-")


@dataclass(frozen=True)
class Text:
    """A template, by key, with its latest subject."""

    key: str
    subject: str


@dataclass(frozen=True)
class Found:
    """The first ten matches of each kind; sent emails and numbers among the newest `looked_through`."""

    leads: Sequence[LeadRow] = ()
    more_leads: bool = False
    emails: Sequence[SentEmail] = ()
    texts: Sequence[Text] = ()
    versions: Sequence[TemplateVersion] = ()
    calls: Sequence[dict[str, Any]] = ()
    looked_through: int = LOOKED_THROUGH

    def __bool__(self) -> bool:
        return bool(self.leads or self.emails or self.texts or self.versions or self.calls)


def find(deps: Deps, words: str) -> Found:
    """Return what these words, this number or this id match; nothing for fewer than two letters."""
    words = " ".join(words.split())
    if len(words) < SHORTEST_WORD:
        return Found()
    if id_ := _as_id(words):
        return _by_id(deps, id_)
    found = find_leads(deps, Wanted(words=words), LISTED)
    with deps.reads() as session:
        calls = [*_by_key(session, words), *_by_number(session, words)]
        sent = search.sent_with_subject(session, words, LISTED)
        sent += _by_resend_id(session, words)
        typed = template_versions.newest_subjects(session)
        versions = _known(deps.registry, _by_hash(session, words))
    subjects = read_subjects(deps, typed)
    known = [Text(key, subjects.get(key, "")) for key in deps.registry.template_keys()]
    texts = [text for text in known if _says(deps.registry, text, words)]
    rows = [as_row(call) for call in calls[:LISTED]]
    return Found(found.rows, found.next is not None, sent[:LISTED], texts[:LISTED], versions, rows)


def _says(registry: Registry, text: Text, words: str) -> bool:
    said = (text.key, text.subject, registry.title_of_email(text.key))
    return any(words.casefold() in each.casefold() for each in said)


def _as_id(words: str) -> UUID | None:
    try:
        return UUID(next((words.removeprefix(job) for job in JOBS if words.startswith(job)), words))
    except ValueError:
        return None


def _by_id(deps: Deps, id_: UUID) -> Found:
    """Return what an id belongs to: a lead, one of their sequences, an email, a version of a text, or a call."""
    with deps.reads() as session:
        enrolment, call = enrolments.find(session, id_), hook_events.find(session, id_)
        contact = leads.find(session, enrolment.contact_id if enrolment else id_)
        sent = search.sent_of(session, [id_]) or search.sent_in(session, id_)[:LISTED]
        versions = _known(deps.registry, template_versions.by_ids(session, [id_]))
        # An unsent email has a page, too.
        planned = [] if sent else emails.load(session, [id_])
        contact = planned[0].enrolment.contact if planned else contact
    return Found(leads=_rows(contact), emails=sent, versions=versions, calls=_calls(call))


def _rows(contact: Contact | None) -> Sequence[LeadRow]:
    return [LeadRow(contact, [])] if contact else []


def _calls(call: HookEvent | None) -> Sequence[dict[str, Any]]:
    return [as_row(call)] if call else []


def _by_key(session: Session, words: str) -> list[HookEvent]:
    call = hook_events.find_by_key(session, words)
    return [call] if call else []


def _by_number(session: Session, words: str) -> list[HookEvent]:
    digits = "".join(filter(str.isdigit, words))
    is_number = len(digits) >= SHORTEST_NUMBER and not words.strip(f"0123456789+{BETWEEN_DIGITS}")
    return search.calls_with_number(session, digits, LISTED) if is_number else []


def _by_resend_id(session: Session, words: str) -> list[SentEmail]:
    email_id = emails.find_by_resend_id(session, words)
    return search.sent_of(session, [email_id]) if email_id else []


def _by_hash(session: Session, words: str) -> list[TemplateVersion]:
    """Return the versions of texts whose hash begins so, however much of it somebody copied."""
    beginning = words.lower()
    is_hash = len(beginning) >= SHORTEST_HASH and not beginning.strip("0123456789abcdef")
    return template_versions.beginning_with(session, beginning, LISTED) if is_hash else []


def _known(registry: Registry, versions: Sequence[TemplateVersion]) -> list[TemplateVersion]:
    # A text that no campaign has any more has no page.
    return [each for each in versions if registry.find_template(each.key)]
