"""Wishes: requests that people enter in rows of Notion are carried out once, like buttons, and answered there.

A wish is stored under its action's future id before anything is done. So the audit log shows what was done even if the
process died, or Notion did not take the answer.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.orm import Session, sessionmaker

from funnel_app.campaigns.registry import UnknownCampaign
from funnel_app.deps import Deps
from funnel_app.flows.addresses import NotAnAddress, required
from funnel_app.flows.console import operate
from funnel_app.flows.console.intervene import NotPossible
from funnel_app.flows.intake.manual import NotUnderstood, enrol_manually, in_words
from funnel_app.flows.monitoring.local_time import dated
from funnel_app.flows.privacy.suppress import suppress_each
from funnel_app.gateways.notion.table import NotionTable, Row, RowGone
from funnel_app.ledger import operator_actions, wishes
from funnel_app.ledger.models import Scope
from funnel_app.ledger.operator_actions import NOTION
from funnel_app.ledger.wishes import Wish
from funnel_app.redact import masked_addresses
from funnel_app.rules.calls.limits import TooManyEnrolments

ANYBODY = "*"
TICKED = "yes"
LONGEST_NAME, LONGEST_VALUE = 60, 100
# By then the process that handles a wish has answered it, or died.
GRANTED_WITHIN = timedelta(minutes=1)
NOT_KNOWN = "Funnel does not know this row"
NOT_ALLOWED = "this is for people whom NOTION_WISHES_BY names, and the last one to edit this row is none of them"
BY_US = "Funnel wrote this row meanwhile, and cannot see any more who wished it: wish it again"

log = structlog.get_logger()
Verb = Callable[..., str]
VERBS: Mapping[str, Verb] = {
    "pause": operate.pause,
    "resume": operate.resume,
    "stop": operate.stop,
    "send next now": operate.send_next_now,
}


@dataclass(frozen=True)
class _Found:
    """One wish as its row shows it now."""

    table: NotionTable
    row: Row
    key: str
    value: str

    @property
    def emptied(self) -> Any:
        """What the property contains once the wish is answered."""
        return False if self.key == "do_not_mail" else None


def grant_wishes(deps: Deps) -> int:
    """Carry out and answer the wishes in Notion; return how many there were. Safe to repeat and to race.

    Two queries to Notion, and one more for each wish. Raises Unavailable or Rejected; the rest is done next time.
    """
    if not deps.settings.notion_wishes_by:
        return 0
    count = 0
    for table in filter(None, (deps.desk.sequences, deps.desk.contacts)):
        found = [each for row in table.find_wishes() for each in _wishes_in(table, row)]
        _forget_gone(deps, table, found)
        for each in found:
            _grant(deps, each)
        count += len(found)
    return count


def _wishes_in(table: NotionTable, row: Row) -> Iterator[_Found]:
    for name in ("wish", "start"):
        if name in table.table.properties and (value := row.values.get(name)):
            yield _Found(table, row, name, str(value)[:LONGEST_VALUE])
    if row.values.get("do_not_mail") is True:
        yield _Found(table, row, "do_not_mail", TICKED)


def _grant(deps: Deps, found: _Found) -> None:
    who, refusal = _wisher(deps, found.row)
    with deps.sessions.begin() as session:
        wish = wishes.keep(session, found.row.id, found.key, found.value, who, deps.now())
        done = operator_actions.find(session, wish.id)
    if wish.answer is None:
        told = _recorded(deps, done.detail or "", wish) if done else _do(deps, found, wish, refusal)
        with deps.sessions.begin() as session:
            wishes.answer(session, wish.id, told)
        wish.answer = told
    _answer(deps.sessions, found, wish)


def _wisher(deps: Deps, row: Row) -> tuple[str, str | None]:
    """Return who made the wish, and why they may not; None if they may."""
    may = {each.lower() for each in deps.settings.notion_wishes_by}
    name, address = deps.desk.who(row.edited_by) if row.edited_by else ("", "")
    who = (name or f"Notion user {row.edited_by[:8]}")[:LONGEST_NAME]
    if ANYBODY in may or may & {address, row.edited_by.lower(), row.edited_by.replace("-", "").lower()} - {""}:
        return who, None
    return who, BY_US if deps.desk.is_us(row.edited_by) else NOT_ALLOWED


def _do(deps: Deps, found: _Found, wish: Wish, refusal: str | None) -> str:
    try:
        if refusal is not None:
            raise NotPossible(refusal)
        return _recorded(deps, DO[found.key](deps, found, wish), wish)
    except (NotPossible, NotUnderstood, NotAnAddress, TooManyEnrolments) as fault:
        about = {"id": wish.id, "source": NOTION}
        why = masked_addresses(f"{_called(wish)}: {fault}")
        operate.note(deps, wish.who, "refused_wish", _whose(deps.reads, found), why, **about)
        return f"not done: {str(fault).rstrip('.')} ({dated(deps.settings, deps.now())})"


def _whose(reads: sessionmaker[Session], found: _Found) -> UUID | None:
    """Return whose row it is; None for one that Funnel did not write."""
    with reads() as session:
        return wishes.owner_of(session, found.row.id)


def _steer(deps: Deps, found: _Found, wish: Wish) -> str:
    verb = VERBS.get(" ".join(found.value.split()).casefold())
    if verb is None:
        raise NotPossible(f"“{found.value}” is none of Pause, Resume, Stop and Send next now")
    with deps.reads() as session:
        enrolment_id = wishes.enrolment_of(session, found.row.id)
    if enrolment_id is None:
        raise NotPossible(NOT_KNOWN)
    return verb(deps, enrolment_id, wish.who, id=wish.id, source=NOTION)


def _start(deps: Deps, found: _Found, wish: Wish) -> str:
    address = _address(deps.reads, found)
    try:
        _, sequence = deps.registry.named(found.value)
    except UnknownCampaign:
        there = ", ".join(deps.registry.sequence_titles().values())
        raise NotPossible(f"there is no one sequence “{found.value}”; there are {there}") from None
    receipt = enrol_manually(deps, f"{sequence.campaign}/{sequence.name}", address, {}, key=f"{NOTION}:{wish.id}")
    told = in_words(sequence.title, receipt)
    about = {"id": wish.id, "source": NOTION, "enrolment_id": receipt.enrolment_id}
    operate.note(deps, wish.who, "enrol", receipt.contact_id, told, **about)
    return told


def _do_not_mail(deps: Deps, found: _Found, wish: Wish) -> str:
    with deps.reads() as session:
        contact = wishes.contact_of(session, found.row.id)
    if contact is not None:
        return operate.suppress(deps, contact.id, wish.who, Scope.ALL, id=wish.id, source=NOTION)
    told = "nothing goes to this address any more"
    suppress_each(
        deps, [(required(_address(deps.reads, found)), Scope.ALL, f"mail was stopped by {wish.who}")], "console"
    )
    operate.note(deps, wish.who, "suppress", None, told, id=wish.id, source=NOTION)
    return told


DO: Mapping[str, Callable[[Deps, _Found, Wish], str]] = {
    "wish": _steer,
    "start": _start,
    "do_not_mail": _do_not_mail,
}


def _address(reads: sessionmaker[Session], found: _Found) -> str:
    """Return the row's address: the ledger's, else the one that a person typed into a new row."""
    with reads() as session:
        contact = wishes.contact_of(session, found.row.id)
    return contact.email if contact else str(found.row.values.get("email") or "")


def _called(wish: Wish) -> str:
    return "Do not mail" if wish.property == "do_not_mail" else wish.value


def _recorded(deps: Deps, told: str, wish: Wish) -> str:
    return f"{told}, {dated(deps.settings, deps.now())}, by {wish.who}"


def _answer(sessions: sessionmaker[Session], found: _Found, wish: Wish) -> None:
    values = {"answer": wish.answer, found.key: found.emptied}
    try:
        found.table.answer_wish(found.row.id, values)
    except RowGone:
        log.info("wish_row_gone", wish=str(wish.id))
    with sessions.begin() as session:
        wishes.forget(session, wish.id)


def _forget_gone(deps: Deps, table: NotionTable, found: list[_Found]) -> None:
    names, before = [name for name in DO if name in table.table.properties], deps.now() - GRANTED_WITHIN
    with deps.reads() as session:
        if not wishes.any_settled(session, names, before):
            return
    with deps.sessions.begin() as session:
        wishes.forget_gone(session, names, before, [(each.row.id, each.key) for each in found])
