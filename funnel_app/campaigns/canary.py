"""Canary campaign: one email to an address that only confirms delivery. It counts in no figure."""

from dataclasses import replace
from datetime import timedelta

from funnel_app.campaigns.model import NEVER, SAME, Campaign, EmailOne, Event, Hook, Kind, Sequence

CANARY = "canary"


def canary_of(campaign: Campaign) -> Campaign:
    """Return the internal one-step campaign, which sends the text that the next lead would get first."""
    like = campaign.started_by(Event.OPT_IN) or next(iter(campaign.sequences.values()))
    sequence = _one_step(like)
    hook = Hook(
        name="signup", path=f"/webhook/{CANARY}/signup", legacy_paths=(), legacy_id=None, handler=sequence.handler
    )
    return replace(campaign, name=CANARY, title="Canary", sequences={CANARY: sequence}, hooks={hook.name: hook})


def _one_step(like: Sequence) -> Sequence:
    step = replace(
        like.steps[0], number=1, delay=timedelta(0), test_intervals=0, after_deadline=None, season_only=False
    )
    return replace(
        like,
        name=CANARY,
        title="Test run",
        campaign=CANARY,
        flow=CANARY,
        handler=f"{CANARY}-{CANARY}-handler",
        starts_on=Event.OPT_IN,
        kind=Kind.TRANSACTIONAL,
        steps=(step,),
        exits=frozenset(),
        exits_elsewhere=frozenset(),
        per_occurrence=False,
        email_1=EmailOne.FUNNEL,
        email_1_by_entrance={},
        reentry=NEVER,
        off_season=SAME,
        window=None,
        max_lateness=timedelta(hours=1),
    )
