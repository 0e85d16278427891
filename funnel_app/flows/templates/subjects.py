"""Subjects as a made-up lead would read them, instead of the tags typed in Notion."""

from collections.abc import Mapping

from funnel_app.deps import Deps
from funnel_app.flows.templates.recipient import booked_calls, variables_for
from funnel_app.flows.templates.samples import SAMPLES, made_up
from funnel_app.letters.render import LetterError, Parts, render


def read_subjects(deps: Deps, typed: Mapping[str, str]) -> dict[str, str]:
    """Return rendered subject lines by template key; as typed if they cannot be rendered."""
    tagged = {key for key, subject in typed.items() if "{" in subject}
    places = [(campaign, step) for campaign, _, step in deps.registry.steps() if step.template in tagged]
    booked = {name: booked_calls(deps, name) for name in {campaign.name for campaign, _ in places}}
    recipients = {
        step.template: made_up(deps, campaign, SAMPLES[0], booked=booked[campaign.name], step=step)
        for campaign, step in places
    }
    filled = {key: _filled(typed[key], variables_for(deps, recipient)) for key, recipient in recipients.items()}
    return {**typed, **filled}


def read_subject(deps: Deps, key: str, typed: str) -> str:
    """Return one rendered subject line."""
    return read_subjects(deps, {key: typed})[key]


def _filled(typed: str, values: Mapping[str, object]) -> str:
    try:
        return render(Parts(typed, "", ""), values).subject
    except LetterError:
        return typed
