"""Next email: what goes next to a lead, of all their sequences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from funnel_app.campaigns.registry import Registry
from funnel_app.campaigns.states import state_in_words
from funnel_app.ledger.models import Enrolment
from funnel_app.ledger.queries.ahead import STUCK


@dataclass(frozen=True)
class Next:
    """The email that goes next to a lead: what it is called, when, and what it waits for instead, as a clause."""

    title: str
    at: datetime
    waits: str | None = None


def next_email(registry: Registry, joined: Sequence[Enrolment], told: Mapping[str, Any]) -> Next | None:
    """Return what goes first of all sequences as the trace tells it: what waits comes after what does not.

    An email that holds back those behind it is the next, as *Sequences* and the list of leads count it.
    """
    coming = [(row["next"], run) for run in joined if (row := told.get(str(run.id))) and row["next"]]
    if not coming:
        return None
    first, run = min(coming, key=lambda each: (each[0]["waits"] is not None, each[0]["at"]))
    email = next(email for email in run.emails if str(email.id) == first["email"])
    stuck = next((each for each in run.emails if each.step < email.step and each.state in STUCK), None)
    title = registry.title_of_email((stuck or email).template_key)
    waits = f"{state_in_words(stuck.state)}; {first['waits']}" if stuck else first["waits"]
    return Next(title, datetime.fromisoformat(first["at"]), waits)
