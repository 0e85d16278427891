"""Left behind: emails that stayed planned though their sequence had ended, as earlier releases left some.

They never go, but count as waiting for their time: Resend refused the batch that an exit had left them to.
"""

from funnel_app.campaigns.states import State
from funnel_app.deps import Deps
from funnel_app.ledger import contacts, emails
from funnel_app.ledger.database.conflicts import retry_on_conflict

AT_A_TIME = 100


@retry_on_conflict
def cancel_left_behind(deps: Deps) -> int:
    """Cancel them, each with the reason why its sequence ended; return how many. Safe to repeat."""
    now = deps.now()
    with deps.reads() as session:
        found = emails.left_behind(session, now, AT_A_TIME)
    if not found:
        return 0
    with deps.sessions.begin() as session:
        contacts.lock_of_emails(session, found)
        left = emails.load(session, emails.left_behind(session, now, AT_A_TIME))
        for email in (each for each in left if each.id in found):
            emails.move(session, email, State.CANCELLED, now, email.enrolment.exit_reason)
            if contacts.is_erased(email.enrolment.contact):
                # Their page in Notion is gone, and not to be made again.
                email.enrolment.mirror_stale_since = None
    return len(found)
