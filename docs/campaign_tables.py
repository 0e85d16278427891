"""What is sent, and when: the tables that are made from the campaign files."""

from collections.abc import Iterator

from docs.markdown import markdown
from funnel_app.campaigns.model import Campaign, EmailOne, Sequence, Step
from funnel_app.campaigns.registry import whole_registry
from funnel_app.campaigns.sequence_rows import sequence_rows, shown

SENDERS = {
    EmailOne.FUNNEL: "Funnel",
    EmailOne.WEBSITE: "the website",
    EmailOne.PAYLOAD: "the website where the hook has `email_1_sent_at`, else Funnel",
}


def sequences() -> str:
    """Return every sequence of every campaign."""
    rows = [
        (
            f"`{row['campaign']}`",
            f"`{row['sequence']}`",
            f"`{row['handler']}`",
            row["starts_on"],
            row["kind"],
            ", ".join(row["live"]),
            ", ".join(row["testing"]),
        )
        for row in sequence_rows(whole_registry())
    ]
    return markdown(("campaign", "sequence", "handler", "starts on", "kind", "due", "in testing mode"), rows)


def hooks() -> str:
    """Return every hook of every campaign with its addresses."""
    rows = [
        (
            f"`POST {hook.path}`",
            ", ".join(f"`{path}`" for path in hook.legacy_paths) or "none",
            f"`{hook.legacy_id}`" if hook.legacy_id else "none",
            f"`{hook.handler}`" if hook.handler else "none",
        )
        for campaign in whole_registry().campaigns.values()
        for hook in campaign.hooks.values()
    ]
    return markdown(("hook", "legacy paths", "legacy id", "handler"), rows)


def exits() -> str:
    """Return what ends, and so also blocks, each sequence."""
    rows = [
        (
            f"`{each.name}`",
            ", ".join(sorted(each.exits)) or "nothing but its end",
            ", ".join(sorted(each.exits_elsewhere)),
        )
        for campaign in whole_registry().campaigns.values()
        for each in campaign.sequences.values()
    ]
    return markdown(("sequence", "ended and blocked by", "in another campaign"), rows)


def steps() -> str:
    """Return every email of every campaign: its template, its times and who sends it."""
    rows = [
        (
            f"`{sequence.name}`",
            str(step.number),
            _templates(step),
            _times(step),
            _sender(sequence, step),
        )
        for campaign in whole_registry().campaigns.values()
        for sequence, step in _steps(campaign)
    ]
    return markdown(("sequence", "step", "template", "due; in testing mode", "sent by"), rows)


def _steps(campaign: Campaign) -> Iterator[tuple[Sequence, Step]]:
    for sequence in campaign.sequences.values():
        for step in sequence.steps:
            yield sequence, step


def _templates(step: Step) -> str:
    return " or ".join(f"`{key}`" for key in step.variants)


def _times(step: Step) -> str:
    return f"{shown(step.delay)}; {step.test_intervals}×"


def _sender(sequence: Sequence, step: Step) -> str:
    return SENDERS[sequence.email_1 if step.number == 1 else EmailOne.FUNNEL]
