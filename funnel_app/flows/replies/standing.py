"""Standing: what to report about replies."""

from datetime import timedelta

from funnel_app.campaigns.spoken import things
from funnel_app.deps import Deps
from funnel_app.ledger import received_emails

WAITING, KEPT = "replies_waiting", "replies_kept"
WAITS_LONG = timedelta(minutes=10)
NEWS_FOR = timedelta(hours=1)


def waiting_long(deps: Deps) -> str | None:
    """Return what to report of replies that cannot be read or forwarded; None if all can."""
    with deps.reads() as session:
        number, since, note = received_emails.waiting_since(session)
    if since is None or deps.now() - since < WAITS_LONG:
        return None
    return f"{things(number, 'email')} that people wrote wait: {note or 'nobody has read them yet'}"


def kept_lately(deps: Deps) -> str | None:
    """Return what to report of replies not forwarded to REPLY_FORWARD_TO; None if there are none."""
    with deps.reads() as session:
        number = received_emails.count_kept_since(session, deps.now() - NEWS_FOR)
    return f"{things(number, 'email')} that people wrote did not go on to REPLY_FORWARD_TO" if number else None
