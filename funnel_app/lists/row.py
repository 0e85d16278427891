"""Rows: parse a row by the chosen columns: the person, and why it cannot be used."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from funnel_app.lists.consent import evidence_of
from funnel_app.lists.files import Line, cell_of
from funnel_app.lists.headings import (
    BUSINESS,
    CONSENT,
    CONSENT_AT,
    CONSENT_IP,
    CONSENT_SOURCE,
    EMAIL,
    FIRST_NAME,
    LAST_NAME,
    MANY,
    NAME,
    NAMES,
    TIMEZONE,
    Mapped,
)
from funnel_app.lists.standing import Standing, heaviest, standing_of
from funnel_app.rules.calls.call import IMPORT
from funnel_app.rules.people.names import LONGEST_FIRST, first_name_of, safe_name
from funnel_app.rules.people.typed_text import clean, ip_of, visible, zone_of

LONGEST_BUSINESS, LONGEST_SOURCE, LONGEST_ADDRESS_CELL, LONGEST_WORD = 120, 255, 1000, 40
IN_BRACKETS = re.compile(r"<([^<>]+@[^<>]+)>")
# Separators of several addresses: Google Contacts' own; HubSpot and people use semicolons or commas.
BETWEEN = re.compile(r"\s*(?::::|[;,|\s])\s*")
AROUND = " \t'\"“”‘’«»()[]<>.,;:"
SWALLOWED_LINES = 3
SWALLOWED = (
    "a cell holds several rows: a quotation mark is perhaps never closed, and what follows it was not read as rows"
)


@dataclass(frozen=True)
class Reading:
    """How to parse rows: the columns' fields, and an operator's meanings of status words."""

    columns: Mapped
    means: Mapping[str, Standing] = field(default_factory=dict)
    source: str = ""

    def cell(self, line: Line, name: str) -> str:
        """Return a row's value of this field; empty if there is none."""
        columns = self.columns.get(name, ())
        return cell_of(line.cells, columns[0]) if columns else ""


@dataclass(frozen=True, kw_only=True)
class Said:
    """A parsed row: address as written, status, evidence of consent, and the rest.

    Evidence of None says that they did not consent, an empty one says nothing; `unknown` is an unknown status word.
    """

    number: int
    address: str
    standing: Standing
    evidence: Mapping[str, Any] | None
    facts: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    unknown: str = ""
    fault: str | None = None


def read_row(line: Line, reading: Reading, now: datetime) -> Said:
    """Return the parsed row; the address is not validated yet."""
    evidence = evidence_of(reading.cell(line, CONSENT), reading.cell(line, CONSENT_AT), now)
    if evidence == {} and reading.source:
        evidence = {"consent_text": reading.source}
    return Said(
        number=line.number,
        address=address_in(reading.cell(line, EMAIL)),
        standing=_standing(line, reading),
        evidence=_whole(evidence, line, reading),
        facts={name: value for name, value in _facts(line, reading).items() if value is not None},
        values={name: cell for name in reading.columns.keys() - NAMES.keys() if (cell := reading.cell(line, name))},
        unknown=_unknown(line, reading),
        fault=SWALLOWED if any(map(_swallowed, line.cells)) else None,
    )


def address_in(cell: str) -> str:
    """Return the address in a cell, without a name, brackets, a link, or further addresses."""
    text = visible(cell[:LONGEST_ADDRESS_CELL]).strip()
    if found := IN_BRACKETS.search(text):
        text = found[1]
    text = text.removeprefix("mailto:").removeprefix("MAILTO:").partition("?")[0]
    parts = [part.strip(AROUND) for part in BETWEEN.split(text) if "@" in part]
    return parts[0] if parts else text.strip(AROUND)


def _standings(line: Line, reading: Reading) -> list[tuple[Standing, str]]:
    pairs = [(name, cell_of(line.cells, column)) for name in MANY for column in reading.columns.get(name, ())]
    return [(standing_of(name, cell, reading.means), cell) for name, cell in pairs]


def _standing(line: Line, reading: Reading) -> Standing:
    return heaviest([standing for standing, _ in _standings(line, reading)])


def _unknown(line: Line, reading: Reading) -> str:
    words = (cell for standing, cell in _standings(line, reading) if standing is Standing.UNKNOWN)
    return visible(next(words, "")[:LONGEST_WORD]).strip()


def _whole(evidence: Mapping[str, Any] | None, line: Line, reading: Reading) -> Mapping[str, Any] | None:
    if not evidence:
        return evidence
    source = clean(reading.cell(line, CONSENT_SOURCE), LONGEST_SOURCE) or IMPORT
    ip = ip_of(reading.cell(line, CONSENT_IP))
    return {**evidence, "consent_source": source, **({"consent_ip": ip} if ip else {})}


def _facts(line: Line, reading: Reading) -> dict[str, Any]:
    given, family, whole = (reading.cell(line, name) for name in (FIRST_NAME, LAST_NAME, NAME))
    first = safe_name(given, LONGEST_FIRST)
    return {
        "first_name": first or first_name_of(whole),
        "name": safe_name(whole or f"{given} {family}".strip()),
        "business_name": clean(reading.cell(line, BUSINESS), LONGEST_BUSINESS),
        "timezone": zone_of(reading.cell(line, TIMEZONE)),
    }


def _swallowed(cell: str) -> bool:
    lines = cell.splitlines() if "\n" in cell else []
    return sum("@" in each for each in lines) >= SWALLOWED_LINES
