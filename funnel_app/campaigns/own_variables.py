"""Own variables: what a campaign's file adds to the catalogue, for all its letters or from one of its hooks."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from funnel_app.campaigns.catalogue import CATALOGUE, Source, Variable
from funnel_app.campaigns.fields import NAME, Table
from funnel_app.campaigns.model import Campaign

TYPES = ("text", "number", "link")
NUMBER = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
LONGEST_NUMBER = 18
KEYS = ("type", "description", "example", "default")
OF_THE_FILE, OF_A_HOOK = "As the campaign's file says", "As {hook} says"


def read_own(table: Table) -> dict[str, str | int | float]:
    """Return the variables with one value for all letters of a campaign, collecting every fault."""
    found = {}
    for name, value in table.values.items():
        _check_name(table, name)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            table.fault(name, "must be a text or a number")
        elif value == "":
            table.fault(name, "is empty: a letter that says it would have a gap there")
        elif isinstance(value, str) and value.startswith("http://"):
            table.fault(name, "is an http address: letters take https only")
        else:
            found[name] = value
    return found


def read_own_of_hook(table: Table, hook: str) -> dict[str, Variable]:
    """Return the variables that a hook provides beside the usual ones, collecting every fault."""
    return {name: _variable(name, table.table(name), hook, table) for name in table.values}


def _variable(name: str, row: Table, hook: str, table: Table) -> Variable:
    _check_name(table, name)
    row.only(KEYS)
    type_ = row.text("type", "text")
    if type_ not in TYPES:
        row.fault("type", f"{type_!r} is none of {', '.join(TYPES)}")
    default = row.text("default") if "default" in row.values else None
    for key in ("example", "default"):
        if key in row.values and not fits(type_, row.values[key]):
            row.fault(key, f"{row.values[key]!r} is no {type_}")
    example = row.text("example")
    return Variable(name, type_, Source.HOOK, row.text("description", OF_A_HOOK.format(hook=hook)), example, default)


def fits(type_: str, value: object) -> bool:
    """Say whether a text is valid for a variable's type: a finite number, or an https address for a link."""
    if type_ == "number":
        return _is_number(str(value))
    parts = urlsplit(str(value))
    return type_ != "link" or (parts.scheme == "https" and bool(parts.hostname))


def _is_number(text: str) -> bool:
    return len(text) <= LONGEST_NUMBER and NUMBER.fullmatch(text) is not None


def _check_name(table: Table, name: str) -> None:
    if not NAME.fullmatch(name):
        table.fault(name, "is not a name of small letters, digits and underscores")
    elif name in CATALOGUE:
        table.fault(name, "is one of Funnel's own variables (flask variables): give it another name")


def own_catalogue(campaign: Campaign) -> dict[str, Variable]:
    """Return what a campaign's file adds to the catalogue."""
    told = {name: each for hook in campaign.hooks.values() for name, each in hook.variables.items()}
    return {**told, **{name: _of_file(name, value) for name, value in campaign.variables.items()}}


def _of_file(name: str, value: str | int | float) -> Variable:
    type_ = "number" if not isinstance(value, str) else "link" if value.startswith("https://") else "text"
    return Variable(name, type_, Source.CAMPAIGN, OF_THE_FILE, str(value))


def catalogue_of(campaign: Campaign) -> Mapping[str, Variable]:
    """Return everything that a campaign's templates may name."""
    return {**CATALOGUE, **own_catalogue(campaign)}


def own_values(campaign: Campaign, hook: Mapping[str, Any]) -> dict[str, object]:
    """Return the values of a campaign's own variables: a hook's value, else the default, else none."""
    told = {name: each for row in campaign.hooks.values() for name, each in row.variables.items()}
    said = {name: hook.get(name, _typed(each, each.default)) for name, each in told.items()}
    return {**said, **campaign.variables}


def _typed(variable: Variable, text: str | None) -> object:
    return float(text) if variable.type == "number" and text is not None else text
