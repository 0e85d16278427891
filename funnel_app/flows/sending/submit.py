"""Submit: make one frozen call to Resend, and repeat it as often as needed.

The key and the payload of a request never change, so that a repeat can never send a second email.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from funnel_app.campaigns.registry import Registry, UnknownCampaign
from funnel_app.campaigns.states import State
from funnel_app.config import Settings
from funnel_app.deps import Deps
from funnel_app.flows.sending.apply_response import apply_response, give_up, must_give_up, put_back
from funnel_app.flows.sending.eligibility import Forbidden, NotInFiles, forbidden_to, stop_unwanted, why_not
from funnel_app.flows.sending.lease import LEASE
from funnel_app.flows.sending.sending_status import may_send
from funnel_app.flows.turn import turn
from funnel_app.gateways.resend.mailer import Answer, Mailer
from funnel_app.ledger import contacts, emails, messages, pauses, requests
from funnel_app.ledger.database.conflicts import retry_on_conflict
from funnel_app.ledger.models import Email, EnrolmentState, Message, Request, RequestState
from funnel_app.ledger.models.types import new_id
from funnel_app.letters.letter import Letter
from funnel_app.letters.wire import as_resend
from funnel_app.letters.words import one_line

WITHDRAWN = "withdrawn: an email of it is no longer wanted"
PAUSED = "withdrawn: somebody paused what it would have sent"
ANOTHER_DAY = "withdrawn: its letters speak of the day before"
OTHER_SETTINGS = "withdrawn: FROM_EMAIL, REPLY_TO or PUBLIC_URL was changed since its letters were made"

# An ended sequence cancels what comes back, and what a paused one has is judged once it goes on.
NOT_JUDGED_NOW = frozenset({EnrolmentState.EXITED, EnrolmentState.PAUSED})
# No day begins anywhere but at a quarter of an hour of UTC (the tz database since 1972): most letters go within one.
MIDNIGHTS_EVERY_S = 900


@dataclass(frozen=True)
class Begun:
    """A call that the ledger has recorded as started; its key and letters never change."""

    request_id: UUID
    key: str
    letters: Sequence[Letter]


def submit(mailer: Mailer, begun: Begun) -> Answer:
    """Make a call whose turn the caller has taken; returns every answer and failure, raises none."""
    return mailer.send([as_resend(letter) for letter in begun.letters], begun.key)


def repeat(deps: Deps, request_id: UUID) -> None:
    """Repeat a due call that no worker holds; or give it up if its outcome has been unknown for too long."""
    if not may_send(deps):
        return
    token = new_id()
    with turn(deps, token):
        begun = _take(deps, request_id, token)
        answer = submit(deps.mailer, begun) if begun else None
    if answer is None:
        deps.pause.leave_probe()
    else:
        apply_response(deps, request_id, answer)


@retry_on_conflict
def _take(deps: Deps, request_id: UUID, token: UUID) -> Begun | None:
    with deps.sessions.begin() as session:
        contacts.lock_of_emails(session, _email_ids(session, request_id))
        # Only now: the lease of the call counts from when it is made.
        now = deps.now()
        request = requests.take(session, request_id, now)
        if request is None:
            return None
        if must_give_up(request, now):
            give_up(session, request, now)
            return None
        if _withdrawn(deps, session, request, now):
            return None
        requests.begin_try(request, now, token, LEASE)
        letters = [_letter(message) for message in messages.of_request(session, request)]
        return Begun(request.id, request.idempotency_key, letters)


def _withdrawn(deps: Deps, session: Session, request: Request, now: datetime) -> bool:
    """Withdraw a call that certainly went nowhere if its letters would now be different; say whether it was.

    An email in it is no longer wanted or was paused, another day has begun (letters may say "tomorrow"), or settings
    used in it have changed.
    """
    if request.unknown_since is not None:
        return False
    waiting = [email for email in emails.load(session, _email_ids(session, request.id)) if _waits(email, request)]
    forbidden = forbidden_to(deps.settings, session, waiting)
    why = _why_made_again(deps, session, request, waiting, now)
    paused = pauses.standing(session, now)
    if any(pauses.covering(paused, email.enrolment) for email in waiting):
        why = PAUSED
    if why is None and all(_is_wanted(deps, session, email, now, forbidden) for email in waiting):
        return False
    for email in waiting:
        email.request_id = None
        if email.enrolment.state in NOT_JUDGED_NOW or not stop_unwanted(deps, session, email, now, forbidden):
            put_back(session, email, "requeued: Resend has not taken it yet", now)
    requests.close(request, RequestState.REFUSED, why or WITHDRAWN, now)
    return True


def _why_made_again(
    deps: Deps, session: Session, request: Request, waiting: Sequence[Email], now: datetime
) -> str | None:
    if not all(is_of_today(deps.registry, email, request.created_at, now) for email in waiting):
        return ANOTHER_DAY
    if not all(_has_our_settings(deps.settings, message) for message in messages.of_request(session, request)):
        return OTHER_SETTINGS
    return None


def _has_our_settings(settings: Settings, message: Message) -> bool:
    """Say whether a letter's From, Reply-To and unsubscribe addresses are those configured now."""
    way_out = message.headers.get("List-Unsubscribe", "")
    return (
        message.sender == one_line(settings.from_email)
        and message.reply_to == (one_line(settings.reply_to or "") or None)
        and (not way_out or f"<{settings.public_url}/" in way_out)
    )


def is_of_today(registry: Registry, email: Email, made_at: datetime, now: datetime) -> bool:
    """Say whether a letter is still read on the day it was made for: its reader's, and the business's."""
    if made_at.timestamp() // MIDNIGHTS_EVERY_S == now.timestamp() // MIDNIGHTS_EVERY_S:
        return True
    try:
        business = registry.campaign(email.enrolment.campaign).timezone
    except UnknownCampaign:
        return True
    zones = {ZoneInfo(name) for name in (business, email.enrolment.contact.timezone) if name}
    return all(made_at.astimezone(zone).date() == now.astimezone(zone).date() for zone in zones)


def _waits(email: Email, request: Request) -> bool:
    return email.state == State.SENDING and email.request_id == request.id


def _is_wanted(deps: Deps, session: Session, email: Email, now: datetime, forbidden: Forbidden) -> bool:
    try:
        return email.enrolment.state == EnrolmentState.ACTIVE and why_not(deps, session, email, now, forbidden) is None
    except NotInFiles:
        return True


def _email_ids(session: Session, request_id: UUID) -> list[UUID]:
    return [UUID(email_id) for email_id in requests.get(session, request_id).email_ids]


def _letter(message: Message) -> Letter:
    return Letter(
        sender=message.sender,
        to=message.recipient,
        reply_to=message.reply_to,
        subject=message.subject,
        html=message.html or "",
        text=message.text or "",
        headers=message.headers,
        tags=message.tags,
    )
