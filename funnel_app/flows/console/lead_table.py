"""Lead table: leads as rows of a CSV for other programs, each with its suppression status."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from funnel_app.campaigns.registry import Registry
from funnel_app.campaigns.segments import segment_of
from funnel_app.deps import Deps
from funnel_app.flows.console.leads import AT_A_TIME, LeadRow, all_leads
from funnel_app.ledger import suppressions
from funnel_app.ledger.models import EnrolmentState, Scope, Suppression
from funnel_app.ledger.queries import leads
from funnel_app.ledger.queries.leads import Running, Wanted
from funnel_app.rules.sequences.exit_words import ended_as

COLUMNS = (
    "email", "name", "business", "segment", "sequences", "next email", "next email due", "since", "status",
    "consent date",
)  # fmt: skip
# The file must not lead to mail to suppressed people, so it names their status in common words.
STATUSES = {Scope.MARKETING: "unsubscribed", Scope.ALL: "suppressed"}
# They signed up, by a hook that told no evidence of it.
NO_PROOF = "no proof of consent"


def lead_table(deps: Deps, wanted: Wanted) -> Iterator[Sequence[object]]:
    """Yield the headings and a row for each matching lead, newest first, read page by page."""
    yield COLUMNS
    rows = all_leads(deps, wanted)
    while page := list(islice(rows, AT_A_TIME)):
        with deps.reads() as session:
            addresses = [row.contact.email_norm for row in page]
            forbidden = suppressions.of_addresses(session, addresses, deps.settings.secret_key)
            agreed = leads.consented(session, [row.contact.id for row in page])
        for row in page:
            yield _row(deps, row, _status(forbidden[row.contact.email_norm], agreed=row.contact.id in agreed))


def _status(forbidden: Sequence[Suppression], *, agreed: bool) -> str:
    if forbidden:
        return STATUSES[max((each.scope for each in forbidden), key=list(STATUSES).index)]
    return "subscribed" if agreed else NO_PROOF


def _row(deps: Deps, row: LeadRow, status: str) -> Sequence[object]:
    who, zone = row.contact, ZoneInfo(deps.settings.timezone)
    running = "; ".join(_running(deps.registry, each) for each in row.running)
    upcoming = (row.next.title, _when(row.next.at, zone)) if row.next else ("", "")
    named = (who.email, who.name or who.first_name or "", who.business_name or "", segment_of(who.properties) or "")
    consent = who.consent_at.astimezone(zone).isoformat(timespec="seconds") if who.consent_at else ""
    return (*named, running, *upcoming, _when(who.created_at, zone), status, consent)


def _running(registry: Registry, run: Running) -> str:
    ended = run.state == EnrolmentState.EXITED
    stands = ended_as(run.exit_event, run.exit_reason) if ended else str(run.state)
    return f"{registry.title_of_sequence(run.campaign, run.sequence)}: {stands}"


def _when(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"
