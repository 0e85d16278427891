"""Sequences: each campaign as its file defines it, its active leads, each step's results and who is waiting for it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from funnel_app.campaigns import model
from funnel_app.campaigns.model import Mode
from funnel_app.campaigns.plan_text import find_step
from funnel_app.campaigns.registry import UnknownCampaign
from funnel_app.campaigns.season import off_season_in_words, season_in_words
from funnel_app.campaigns.spoken import lasting
from funnel_app.deps import Deps
from funnel_app.flows.console.fares import Fares, recent_fares, together
from funnel_app.flows.intake.older_plans import count_older
from funnel_app.ledger.models import Email
from funnel_app.ledger.models.base import EnrolmentState
from funnel_app.ledger.queries import ahead, figures
from funnel_app.ledger.queries.ahead import AtStep
from funnel_app.rules.emails.frequency import limit_in_words

PAGE = 50
UNLIMITED = (
    "In testing mode days are minutes, and the limit holds nothing back: “What would a lead get?” (flask simulate) "
    "shows what it would do."
)


@dataclass(frozen=True)
class Here:
    """How many leads wait for a step's email: in all, and of these how many paused or stuck."""

    leads: int = 0
    paused: int = 0
    stuck: int = 0


@dataclass(frozen=True)
class Drawn:
    """One sequence with its live counts; `name` tells it from those of other campaigns.

    Lists have one entry a step. `ends` is the time from the last email to the booking, None if nothing counts back from
    one. `season`, `off_season` and `limit` are sentences, None where they do not apply. `older` counts people on an
    older plan whom nobody decided to keep there.
    """

    campaign: model.Campaign
    sequence: model.Sequence
    name: str
    enrolments: Mapping[EnrolmentState, int]
    steps: Sequence[Fares]
    here: Sequence[Here]
    gaps: Sequence[str]
    ends: str | None
    season: str | None
    off_season: str | None
    limit: str | None
    older: int


@dataclass(frozen=True)
class StepPage:
    """Who waits for a step: how many, a page of their emails, and the cursor of the next page."""

    campaign: model.Campaign
    sequence: model.Sequence
    step: model.Step
    here: Here
    emails: Sequence[Email]
    next: UUID | None


def season_of(campaign: model.Campaign, now: datetime) -> str | None:
    """Say whether a campaign's season is open now; None if it has none."""
    return season_in_words(campaign, now.astimezone(ZoneInfo(campaign.timezone)).date())


def seasons_now(deps: Deps) -> list[tuple[str, str]]:
    """Return whether the season is open, by title, for each campaign that has one."""
    told = ((campaign.title, season_of(campaign, deps.now())) for campaign in deps.registry.campaigns.values())
    return [(title, words) for title, words in told if words]


def limit_of(mode: Mode, campaign: model.Campaign) -> str | None:
    """Say how much marketing goes to one lead by a campaign's file; None where it says nothing of it."""
    if campaign.at_most is None:
        return None
    words = f"One lead gets {limit_in_words(campaign.at_most)}, whatever it is of; the others move on."
    return f"{words} {UNLIMITED}" if mode is model.Mode.TEST else words


def limits(deps: Deps) -> list[tuple[str, str]]:
    """Return each campaign that limits how much marketing a lead gets, by its title, with the limit in words."""
    told = ((campaign.title, limit_of(deps.mode, campaign)) for campaign in deps.registry.campaigns.values())
    return [(title, words) for title, words in told if words]


def season_of_template(deps: Deps, key: str) -> str | None:
    """Return what the season means for a template now; None if its campaign has none."""
    campaign, step = next((campaign, step) for campaign, _, step in deps.registry.steps() if step.template == key)
    words = season_of(campaign, deps.now())
    return f"{words} This email goes in season only." if words and step.season_only else words


def draw_sequences(deps: Deps) -> list[Drawn]:
    """Return every sequence of every campaign, in the order of the files."""
    with deps.reads() as session:
        enrolled = figures.enrolments(session)
        here = ahead.at_steps(session)
    by_key = {row.key: row for row in recent_fares(deps)}
    older = {(each.campaign.name, each.sequence.name): each.people for each in count_older(deps)}
    return [
        Drawn(
            campaign=campaign,
            sequence=sequence,
            name=deps.registry.name_of(sequence),
            enrolments={state: count for *of, state, count in enrolled if of == [campaign.name, sequence.name]},
            steps=[together([by_key[key] for key in step.variants]) for step in sequence.steps],
            here=[_here(_at(here, sequence, step)) for step in sequence.steps],
            gaps=list(gaps_of(sequence)),
            ends=f"{lasting(sequence.steps[-1].delay)} later" if sequence.before_anchor else None,
            season=season_of(campaign, deps.now()),
            off_season=off_season_in_words(campaign, sequence),
            limit=limit_of(deps.mode, campaign),
            older=older.get((campaign.name, sequence.name), 0),
        )
        for campaign in deps.registry.campaigns.values()
        for sequence in campaign.sequences.values()
    ]


def gaps_of(sequence: model.Sequence) -> Iterator[str]:
    """Return the time between each step and the one before; for the first, from the start or to the booking."""
    before = timedelta(0)
    for number, step in enumerate(sequence.steps):
        gap = step.delay - before
        before = step.delay
        if not number and gap < timedelta(0):
            yield f"{lasting(gap)} before the call"
        else:
            yield f"{lasting(gap)} later" if gap else "at once"


def who_is_there(deps: Deps, campaign: str, name: str, number: int, after: UUID | None) -> StepPage:
    """Return who waits for this step's email. Raises UnknownCampaign if there is no such step."""
    sequence = deps.registry.sequence(campaign, name)
    step = next((each for each in sequence.steps if each.number == number), None)
    if step is None:
        raise UnknownCampaign(f"{sequence.title} has no email {number}; it has {len(sequence.steps)}.")
    with deps.reads() as session:
        at = _at(ahead.at_steps(session), sequence, step)
        found = ahead.leads_at_step(session, at, after, PAGE + 1)
    following = found[PAGE - 1].enrolment_id if len(found) > PAGE else None
    return StepPage(deps.registry.campaign(campaign), sequence, step, _here(at), found[:PAGE], following)


def _at(counted: Iterable[AtStep], sequence: model.Sequence, step: model.Step) -> list[AtStep]:
    """Return those who wait for a step, matched by template, else by number, as on an older plan."""
    of = [each for each in counted if (each.campaign, each.sequence) == (sequence.campaign, sequence.name)]
    return [each for each in of if (find_step(sequence, each.key) or _numbered(sequence, each.step)) == step]


def _numbered(sequence: model.Sequence, number: int) -> model.Step:
    # People waiting for a removed last step are shown at the last one.
    return sequence.steps[min(number, len(sequence.steps)) - 1]


def _here(at: Sequence[AtStep]) -> Here:
    return Here(sum(each.leads for each in at), sum(each.paused for each in at), sum(each.stuck for each in at))
