"""Import settings: what an operator chose for a list, checked against its file: columns, sequence, stated consent."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import IO, Any

from funnel_app.campaigns.catalogue import Source, Variable
from funnel_app.campaigns.model import Campaign, Event, Sequence
from funnel_app.campaigns.own_variables import catalogue_of
from funnel_app.campaigns.registry import Registry, UnknownCampaign
from funnel_app.flows.intake.manual import OF_THE_CONTACT
from funnel_app.lists.files import Form, form_of, lines_of
from funnel_app.lists.headings import (
    BOUNCED,
    COMPLAINED,
    CONSENT,
    CONSENT_AT,
    EMAIL,
    MANY,
    NAMES,
    SAMPLE,
    UNSUBSCRIBED,
    Mapped,
    guess,
    plain,
)
from funnel_app.lists.row import Reading
from funnel_app.lists.standing import Standing

PIECE = 1024 * 1024
LONGEST_SOURCE = 500
LONGEST_SPREAD = timedelta(days=31)
# Names of suppression exports.
CALLED_AFTER_LEAVERS = re.compile("unsub|bounce|cleaned|suppress|opt.?out|black.?list|block.?list|complain|spam")
# Without one of these columns nothing shows that people consented or unsubscribed.
SAYS_WHY = frozenset({CONSENT, CONSENT_AT, UNSUBSCRIBED, BOUNCED, COMPLAINED})
SETTABLE = frozenset({*OF_THE_CONTACT, Source.HOOK})
SAID_OF_STATUS = tuple(each.value for each in Standing if each not in {Standing.UNSTATED, Standing.UNKNOWN})


class NotPossible(ValueError):
    """The settings of a list cannot be applied; the message says why, and what can."""


@dataclass(frozen=True, kw_only=True)
class ImportSettings:
    """The settings: columns by field, the sequence to start (none: leads are only stored), and the stated consent.

    `over` is the span for the first emails; without it each goes as soon as its row is imported.
    """

    columns: Mapped
    sequence: str = ""
    consent: str = ""
    means: Mapping[str, str] = field(default_factory=dict)
    over: timedelta = timedelta()

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        columns = {name: list(found) for name, found in self.columns.items()}
        said = {"sequence": self.sequence, "consent": self.consent, "means": dict(self.means)}
        return {"columns": columns, **said, "over_s": int(self.over.total_seconds())}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "ImportSettings":
        """Return the stored settings."""
        columns = {name: tuple(found) for name, found in kept["columns"].items()}
        over = timedelta(seconds=kept.get("over_s", 0))
        return cls(columns=columns, sequence=kept["sequence"], consent=kept["consent"], means=kept["means"], over=over)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Settings checked against file and campaigns; `digest` identifies the file and what it starts.

    `rows` is the row count, counted once since it may be long. `begins_at` is the time from which the next rows' emails
    count; None: from their import.
    """

    chosen: ImportSettings
    form: Form
    reading: Reading
    digest: str
    rows: int
    known: Mapping[str, Variable]
    campaign: Campaign | None = None
    sequence: Sequence | None = None
    begins_at: datetime | None = None


def first_guess(file: IO[bytes]) -> tuple[Form, Mapped]:
    """Return a file's format, and its detected columns. Raises NotAList."""
    form = form_of(file)
    sample = [line for _, line in zip(range(SAMPLE), lines_of(file, form), strict=False)]
    return form, guess(form, sample)


def with_columns(form: Form, guessed: Mapped, said: Iterable[tuple[str, str]]) -> Mapped:
    """Return the detection with an operator's corrections: pairs of heading or number, and field or nothing.

    Raises NotPossible for a column that does not exist.
    """
    found = {name: list(columns) for name, columns in guessed.items()}
    for heading, name in said:
        column = _column(form, heading)
        for columns in found.values():
            if column in columns:
                columns.remove(column)
        if name:
            found[name] = [*(found.get(name, ()) if name in MANY else ()), column]
    return {name: tuple(columns) for name, columns in found.items() if columns}


def plan_of(registry: Registry, file: IO[bytes], chosen: ImportSettings, name: str = "") -> Plan:
    """Check the settings for a file of this name. Raises NotAList and NotPossible."""
    form = form_of(file)
    _require_no_leavers(name, chosen.columns)
    campaign, sequence = _sequence(registry, chosen.sequence)
    if not timedelta() <= chosen.over <= LONGEST_SPREAD:
        raise NotPossible(f"The first emails may be spread over {LONGEST_SPREAD.days} days at most.")
    known = catalogue_of(campaign) if campaign else {}
    _check_columns(chosen, known, sequence)
    means = {plain(word): Standing(said) for word, said in chosen.means.items() if _is_standing(word, said)}
    return Plan(
        chosen=chosen,
        form=form,
        reading=Reading(chosen.columns, means, chosen.consent[:LONGEST_SOURCE]),
        digest=_digest(file, registry.name_of(sequence) if sequence else ""),
        rows=sum(1 for _ in lines_of(file, form)),
        known=known,
        campaign=campaign,
        sequence=sequence,
    )


def _require_no_leavers(name: str, columns: Mapped) -> None:
    """Refuse a file named like a suppression export without a status column: everybody in it would be mailed."""
    if (found := CALLED_AFTER_LEAVERS.search(name.lower())) and not columns.keys() & MANY:
        raise NotPossible(
            f"The file's name says “{found[0]}”, and none of its columns does. If these people left or bounced, add a "
            "column “Unsubscribed” that says yes, and they are never mailed; else give the file another name."
        )


def settable(registry: Registry, sequence: str) -> list[str]:
    """Return the variables that a column may set for this sequence; empty if it is unknown."""
    try:
        campaign, _ = _sequence(registry, sequence)
    except NotPossible:
        return []
    return _variables(catalogue_of(campaign)) if campaign else []


def _variables(known: Mapping[str, Variable]) -> list[str]:
    return sorted(name for name, row in known.items() if row.source in SETTABLE and name not in NAMES)


def _column(form: Form, heading: str) -> int:
    names = [plain(name) for name in form.headings]
    if plain(heading) in names:
        return names.index(plain(heading))
    if heading.isdigit() and 1 <= int(heading) <= len(form.headings):
        return int(heading) - 1
    raise NotPossible(f"There is no column {heading}; there are {', '.join(form.headings)}.")


def _sequence(registry: Registry, name: str) -> tuple[Campaign | None, Sequence | None]:
    if not name:
        return None, None
    try:
        campaign, sequence = registry.named(name)
    except UnknownCampaign as fault:
        raise NotPossible(str(fault)) from None
    if sequence.per_occurrence:
        raise NotPossible(f"“{sequence.title}” is about one call, and a list does not say which.")
    return campaign, sequence


def _check_columns(chosen: ImportSettings, known: Mapping[str, Variable], sequence: Sequence | None) -> None:
    if EMAIL not in chosen.columns:
        raise NotPossible("No column is known to hold the email addresses: say which one does.")
    variables = _variables(known)
    for name in chosen.columns.keys() - NAMES.keys():
        if name not in variables:
            more = f", and for this sequence {', '.join(variables)}" if variables else ""
            raise NotPossible(f"There is no field {name}; there are {', '.join(NAMES)}{more}.")
    if not chosen.consent.strip() and not chosen.columns.keys() & SAYS_WHY:
        raise NotPossible(
            "Nothing says that these people agreed to be mailed: name the column that says it (consent or consent_at), "
            "or state where and when all of them agreed."
        )
    if sequence is not None and sequence.starts_on is Event.ASSESSMENT and "assessment_score" not in chosen.columns:
        raise NotPossible(f"“{sequence.title}” writes about an assessment: name the column with its assessment_score.")


def _is_standing(word: str, said: str) -> bool:
    if said not in SAID_OF_STATUS:
        raise NotPossible(f"{word}={said}: a word of a status column means {', '.join(SAID_OF_STATUS)}.")
    return True


def _digest(file: IO[bytes], sequence: str) -> str:
    # The sequence by its name, in whatever words somebody asked for it.
    found = hashlib.sha256(sequence.encode())
    file.seek(0)
    while piece := file.read(PIECE):
        found.update(piece)
    return found.hexdigest()[:32]
