"""Record opens and clicks; they are figures, and never evidence of delivery."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from funnel_app.deps import Deps
from funnel_app.ledger import engagements
from funnel_app.rules.emails.clicks import TOGETHER, By, Click, about_of, is_scanned
from funnel_app.rules.emails.reports import ReportedEmail

# IP address and user agent only serve to tell programs from people, so they are deleted later.
KNOWN_FOR = timedelta(days=30)
AT_A_TIME = 1000


def record_opening(session: Session, email: ReportedEmail, event_id: str, at: datetime) -> None:
    """Record the first open of an email; a mail program may have caused it."""
    row = {"email_id": email.id, "event_id": event_id, "clicked": False, "at": at, "by": By.PERSON}
    engagements.add(session, row)


def record_click(deps: Deps, session: Session, email: ReportedEmail, event_id: str, click: Click) -> None:
    """Record a click once, in a locked contact's email; clicks on different links within seconds are a program's."""
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
    """Delete IP address and user agent of clicks older than 30 days; return how many. Safe to repeat."""
    with deps.sessions.begin() as session:
        return engagements.forget_who(session, deps.now() - KNOWN_FOR, AT_A_TIME)
