"""Judge: whether a row of a list may be imported, and the answer if not."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from email_validator import EmailNotValidError

from funnel_app.campaigns.states import State, state_in_words
from funnel_app.flows.addresses import checked, normalised, unmailable
from funnel_app.flows.intake.manual import NotUnderstood, value_of
from funnel_app.flows.lists.import_settings import Plan
from funnel_app.ledger.models.base import Scope
from funnel_app.lists.files import Line
from funnel_app.lists.row import Said, read_row
from funnel_app.lists.standing import Standing

ENROLLED, KEPT, ALREADY, IGNORED = "enrolled", "kept", "already", "ignored"
LEFT_OUT, REPEATED, REFUSED = "left out", "repeated", "refused"
SUPPRESSED = state_in_words(State.SUPPRESSED)
SCOPES = {Standing.UNSUBSCRIBED: Scope.MARKETING, Standing.BOUNCED: Scope.ALL, Standing.COMPLAINED: Scope.ALL}
NO_CONSENT = "nothing in this row says that they agreed to be mailed"
SAID_NO = "this row says that they did not agree to be mailed"
UNCONFIRMED = "they have not agreed, or not confirmed, in the program that this list is from"


@dataclass(frozen=True)
class Answer:
    """The result of one row, with the reason, and the contact if known here."""

    number: int
    address: str
    answer: str
    reason: str = ""
    contact_id: UUID | None = None


@dataclass(frozen=True)
class Candidate:
    """A row that may be imported: address in both forms, and variables."""

    said: Said
    email: str
    email_norm: str
    values: Mapping[str, Any]

    def answered(self, answer: str, reason: str = "", contact_id: UUID | None = None) -> Answer:
        """Return its answer."""
        return Answer(self.said.number, self.email, answer, reason, contact_id)


@dataclass
class Seen:
    """The addresses named by a list so far, by a short hash: who leaves, and who came in by which row."""

    leaving: dict[bytes, tuple[int, str]] = field(default_factory=dict)
    rows: dict[bytes, int] = field(default_factory=dict)


def leavers(plan: Plan, lines: Iterable[Line], seen: Seen, now: datetime) -> Iterator[tuple[str, Standing]]:
    """Yield the addresses that these rows suppress, each with the reason, and remember them."""
    for line in lines:
        said = read_row(line, plan.reading, now)
        if said.standing.leaves and (email_norm := _address(said.address)) is not None:
            seen.leaving.setdefault(_key(email_norm), (said.number, said.standing.value))
            yield email_norm, said.standing


def judge(plan: Plan, line: Line, seen: Seen, now: datetime) -> Answer | Candidate:
    """Return the answer of a row that is not imported, or the candidate; each address counts by its first row only."""
    said = read_row(line, plan.reading, now)
    try:
        email_norm = normalised(said.address)
        email, fault = checked(said.address).normalized, said.fault or unmailable(said.address)
        values = {name: value_of(plan.known, name, text) for name, text in said.values.items()}
    except EmailNotValidError as error:
        no_address = f"not an email address: {error}" if said.address else "no address"
        return Answer(said.number, said.address, REFUSED, said.fault or no_address)
    except NotUnderstood as error:
        return Answer(said.number, said.address, REFUSED, str(error))
    if fault:
        return Answer(said.number, said.address, REFUSED, fault)
    candidate = Candidate(said, email, email_norm, values)
    answer, reason = _kept_out(said, _key(email_norm), seen)
    if answer:
        return candidate.answered(answer, reason)
    seen.rows[_key(email_norm)] = said.number
    return candidate


def _kept_out(said: Said, key: bytes, seen: Seen) -> tuple[str, str]:
    if said.standing.leaves:
        return SUPPRESSED, f"{state_in_words(said.standing)} in the program that this list is from"
    if key in seen.leaving:
        number, why = seen.leaving[key]
        return LEFT_OUT, f"row {number} says {state_in_words(why)}"
    if said.standing is Standing.UNKNOWN:
        return REFUSED, f"nobody knows what its status “{said.unknown}” means: say whether it means subscribed"
    if said.standing is Standing.UNCONFIRMED:
        return LEFT_OUT, UNCONFIRMED
    if not said.evidence:
        return LEFT_OUT, SAID_NO if said.evidence is None else NO_CONSENT
    if key in seen.rows:
        return REPEATED, f"the same address as in row {seen.rows[key]}"
    return "", ""


def _address(text: str) -> str | None:
    try:
        return normalised(text)
    except EmailNotValidError:
        return None


def _key(email_norm: str) -> bytes:
    # Among a million addresses, a collision of two such hashes occurs once in millions of lists.
    return hashlib.blake2b(email_norm.encode(), digest_size=8).digest()
