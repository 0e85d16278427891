"""Checks of seasons: what changes when one ends, for whom, and which templates are not ready for it."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session, sessionmaker

from funnel_app.campaigns.model import NOTHING, SAME, Campaign, Mode
from funnel_app.campaigns.reasons import on_date
from funnel_app.campaigns.season import is_open, not_on, opens_next
from funnel_app.campaigns.spoken import things
from funnel_app.campaigns.timing import deadline_of
from funnel_app.deps import Deps
from funnel_app.flows.monitoring.check import Check, Findings, ok, warning
from funnel_app.flows.templates.rehearse import lacks_off_season, last_day
from funnel_app.ledger import template_versions
from funnel_app.ledger.queries import counts
from funnel_app.letters.render import Parts

BASELINE = "set bookings_baseline in the campaign's file to 0, or to what is booked elsewhere for that season"
AHEAD = timedelta(days=14)
DAY = timedelta(days=1)
FIX = (
    "run flask --app wsgi templates populate: it renews starter texts that nobody changed, and names the others; in "
    "those, put what speaks of the deadline between {% if days_to_deadline is known %} and {% endif %}"
)


def seasons(deps: Deps) -> Findings:
    """The changes after a season or a deadline are known two weeks ahead."""
    yield from (_season(deps, campaign) for campaign in deps.registry.campaigns.values())


def _season(deps: Deps, campaign: Campaign) -> Check:
    name = f"season of {campaign.name}" if len(deps.registry.campaigns) > 1 else "season"
    today = deps.now().astimezone(ZoneInfo(campaign.timezone)).date()
    if campaign.season is None and campaign.deadline is None:
        return ok(name, "runs all year, without a deadline")
    last = last_day(campaign, today)
    held = "; ".join(_not_ready(deps, campaign)) if campaign.season else ""
    if campaign.season is not None and not is_open(campaign.season, today):
        opens = opens_next(campaign.season, today)
        words = f"closed: the {campaign.season.name} opens {on_date(opens)}"
        if campaign.bookings_baseline and opens - today <= AHEAD:
            return warning(name, f"{words} with {campaign.bookings_baseline} bookings counted already", BASELINE)
        return warning(name, f"{words}; {held}", FIX) if held else ok(name, words)
    if last - today > AHEAD:
        return ok(name, f"open until {last.day} {last:%B}")
    words = "; ".join(
        [f"ends {on_date(last)}. From then on: no letter speaks of the deadline", *_changes(deps.reads, campaign, last)]
    )
    return warning(name, f"{words}; {held}", FIX) if held else ok(name, words)


def _changes(reads: sessionmaker[Session], campaign: Campaign, last: date) -> Iterator[str]:
    """Yield what changes on the day after: skipped steps, leads who go on, and what signups start then."""
    after = last + DAY
    start = datetime.combine(after, time(), ZoneInfo(campaign.timezone))
    with reads() as session:
        planned = counts.planned_from(session, campaign.name, start)
    deadline = deadline_of(campaign, last)
    for sequence in campaign.sequences.values():
        for step in sequence.steps:
            leads = planned.get((sequence.name, step.number), 0)
            if not_on(campaign, step, deadline, after, Mode.LIVE):
                yield f"email {step.number} of “{sequence.title}” is skipped (planned for {things(leads, 'lead')})"
    if reading := sum(planned.values()):
        yield f"{things(reading, 'email')} of leads who are under way {'is' if reading == 1 else 'are'} read without it"
    for sequence in campaign.sequences.values():
        if sequence.off_season != SAME:
            instead = "nothing" if sequence.off_season == NOTHING else sequence.off_season
            yield f"{sequence.starts_on} starts {instead} instead of {sequence.name}"


def _not_ready(deps: Deps, campaign: Campaign) -> Iterator[str]:
    """Yield the templates in use whose letters would be held out of season."""
    steps = [step for of, _, step in deps.registry.steps() if of == campaign]
    with deps.reads() as session:
        adopted = [template_versions.find_adopted(session, step.template) for step in steps]
    for step, version in zip(steps, adopted, strict=True):
        if version is None or version.ready_html is None:
            continue
        parts = Parts(version.subject, version.ready_html, version.ready_text or "")
        if lacking := lacks_off_season(deps, step.template, parts):
            yield f"{step.template} uses {', '.join(lacking.names)}: its emails are held then"
