"""Record click: what a reader did with what arrived; it says nothing of how the email fared."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from funnel_app.deps import Deps
from funnel_app.ledger import engagements
from funnel_app.ledger.models import Email
from funnel_app.rules.clicks import TOGETHER, By, Click, about_of, is_scanned

# From where and with what a reader clicked is of use for telling programs from people, and for nothing later.
KNOWN_FOR = timedelta(days=30)
AT_A_TIME = 1000


def record_opening(session: Session, email: Email, event_id: str, at: datetime) -> None:
    """Keep that an email was opened, once; a mail program may have done it by itself."""
    row = {"email_id": email.id, "event_id": event_id, "clicked": False, "at": at, "by": By.PERSON}
    engagements.add(session, row)


def record_click(deps: Deps, session: Session, email: Email, event_id: str, click: Click) -> None:
    """Keep a click in a locked contact's email, once; clicks of different links within seconds are a program's."""
    near = engagements.clicks_between(session, email.id, click.at - TOGETHER, click.at + TOGETHER)
    campaign = deps.registry.campaigns.get(email.enrolment.campaign)
    row = {
        "email_id": email.id,
        "event_id": event_id,
        "clicked": True,
        "at": click.at,
        "by": By.PERSON,
        "about": about_of(click.link, campaign.calendly_link if campaign else "", deps.settings.public_url),
        "link": click.link,
        "ip": click.ip,
        "agent": click.agent,
    }
    engagements.add(session, row)
    if is_scanned(click, [(each.at, each.link or "") for each in near]):
        engagements.mark_scanned(session, [event_id, *(each.event_id for each in near)])
    elif click.by_program:
        engagements.mark_scanned(session, [event_id])


def forget_who_clicked(deps: Deps) -> int:
    """Forget after 30 days from where and with what readers clicked; return of how many clicks. Safe to repeat."""
    with deps.sessions.begin() as session:
        return engagements.forget_who(session, deps.now() - KNOWN_FOR, AT_A_TIME)
