"""Sequences: each campaign as its file has it, with what runs in it now and how each step fares."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from funnel_app.campaigns import model
from funnel_app.campaigns.season import off_season_in_words, season_in_words
from funnel_app.deps import Deps
from funnel_app.flows.console.figures import Fares, recent_fares
from funnel_app.ledger import figures
from funnel_app.ledger.base import EnrolmentState


@dataclass(frozen=True)
class Drawn:
    """One sequence with its live counts; `name` tells it from those of other campaigns.

    A step's figures are at the step's place. `season` and `off_season` are sentences, None where there is no season.
    """

    campaign: model.Campaign
    sequence: model.Sequence
    name: str
    enrolments: Mapping[EnrolmentState, int]
    steps: Sequence[Fares]
    season: str | None
    off_season: str | None


def season_of(deps: Deps, campaign: model.Campaign) -> str | None:
    """Say whether a campaign's season is open now, on its own clock; None where it has none."""
    return season_in_words(campaign, deps.now().astimezone(ZoneInfo(campaign.timezone)).date())


def seasons_now(deps: Deps) -> list[tuple[str, str]]:
    """Return each campaign that has a season, by its title, with whether it is open now."""
    told = ((campaign.title, season_of(deps, campaign)) for campaign in deps.registry.campaigns.values())
    return [(title, words) for title, words in told if words]


def season_of_template(deps: Deps, key: str) -> str | None:
    """Say what the season means for a template now; None where its campaign has none."""
    campaign, step = next((campaign, step) for campaign, _, step in deps.registry.steps() if step.template == key)
    words = season_of(deps, campaign)
    return f"{words} This email goes in season only." if words and step.season_only else words


def draw_sequences(deps: Deps) -> list[Drawn]:
    """Return every sequence of every campaign, in the order of the files."""
    with deps.reads() as session:
        enrolled = figures.enrolments(session)
    by_key = {row.key: row for row in recent_fares(deps)}
    return [
        Drawn(
            campaign=campaign,
            sequence=sequence,
            name=deps.registry.name_of(sequence),
            enrolments={state: count for *of, state, count in enrolled if of == [campaign.name, sequence.name]},
            steps=[by_key[step.template] for step in sequence.steps],
            season=season_of(deps, campaign),
            off_season=off_season_in_words(campaign, sequence),
        )
        for campaign in deps.registry.campaigns.values()
        for sequence in campaign.sequences.values()
    ]
