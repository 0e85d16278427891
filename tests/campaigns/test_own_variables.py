"""A campaign's own variables: what a file may say of them, what is wrong with the others, and what letters get."""

from dataclasses import replace

import pytest

from funnel_app.campaigns.catalogue import CATALOGUE, Source, Variable
from funnel_app.campaigns.fields import Table
from funnel_app.campaigns.own_variables import (
    catalogue_of,
    fits,
    own_catalogue,
    own_values,
    read_own,
    read_own_of_hook,
)
from funnel_app.campaigns.registry import load_registry

CHRISTMAS = load_registry().campaign("christmas")
TOLD = {
    "city": {"description": "Where the salon is", "example": "Toronto", "default": "your city"},
    "chairs": {"type": "number", "example": "4", "default": "1.50"},
    "shop": {"type": "link", "example": "https://shop.example.com"},
}
READ = {
    "city": Variable("city", "text", Source.HOOK, "Where the salon is", "Toronto", "your city"),
    "chairs": Variable("chairs", "number", Source.HOOK, "As signup says", "4", "1.50"),
    "shop": Variable("shop", "link", Source.HOOK, "As signup says", "https://shop.example.com", None),
}


def table(**values):
    return Table(values, "spring.toml: variables.", [])


def hook(**rows):
    return Table(rows, "spring.toml: hooks.signup.variables.", [])


def faults(of, at="spring.toml: variables."):
    return [str(fault).removeprefix(at) for fault in of.faults]


def test_a_file_gives_texts_and_numbers_of_its_own():
    given = {"coach_name": "Maria", "seats": 4, "price": 9.5, "site": "https://x.example"}
    found = table(**given)
    assert (read_own(found), found.faults) == (given, [])


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("Coach", "Maria", "Coach: is not a name of small letters, digits and underscores"),
        ("first_name", "Ana", "first_name: is one of Funnel's own variables (flask variables): give it another name"),
        ("open", True, "open: must be a text or a number"),
        ("days", ["Monday"], "days: must be a text or a number"),
        ("offer", "", "offer: is empty: a letter that says it would have a gap there"),
        ("site", "http://x.example", "site: is an http address: letters take https only"),
    ],
)
def test_what_no_letter_can_say_is_named(name, value, fault):
    found = table(**{name: value, "seats": 4})
    assert read_own(found)["seats"] == 4 and faults(found) == [fault]


def test_a_hook_tells_variables_with_an_example_and_often_a_default():
    found = hook(**TOLD)
    assert (read_own_of_hook(found, "signup"), found.faults) == (READ, [])


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ({}, "city.example: is missing"),
        ({"type": "date", "example": "x"}, "city.type: 'date' is none of text, number, link"),
        ({"type": "number", "example": "many"}, "city.example: 'many' is no number"),
        ({"type": "number", "example": "4", "default": ""}, "city.default: '' is no number"),
        ({"type": "link", "example": "https://x.example", "default": "x"}, "city.default: 'x' is no link"),
        ({"example": "x", "defualt": "y"}, "city.defualt: is not a known key; did you mean default?"),
        ({"example": "x", "zip": 7}, "city.zip: is not a known key"),
        ({"example": "x", "default": 7}, "city.default: must be a text"),
    ],
)
def test_what_is_wrong_with_a_hooks_variable_is_named(row, fault):
    found = hook(city=row)
    read_own_of_hook(found, "signup")
    assert faults(found, "spring.toml: hooks.signup.variables.") == [fault]
    shadows = hook(email={"example": "x"})
    read_own_of_hook(shadows, "signup")
    assert "is one of Funnel's own variables" in str(shadows.faults[0])


@pytest.mark.parametrize(
    ("kind", "value", "does"),
    [
        ("text", "anything", True),
        ("number", "38", True),
        ("number", -4.25, True),
        ("number", "4.", True),
        ("number", ".5", True),
        ("number", "-.5", True),
        ("number", ".", False),
        ("number", "-", False),
        ("number", "4.5.6", False),
        ("number", "1e5", False),
        ("number", "٣", False),
        ("number", "--4", False),
        ("number", "", False),
        ("number", "9" * 18, True),
        ("number", "9" * 19, False),
        ("link", "https://x.example/a", True),
        ("link", "http://x.example/a", False),
        ("link", "https://", False),
        ("link", "x.example", False),
    ],
)
def test_a_value_fits_its_type_or_does_not(kind, value, does):
    assert fits(kind, value) is does


def spring(**variables):
    hooks = {"signup": replace(CHRISTMAS.hooks["signup"], variables=READ)}
    return replace(CHRISTMAS, hooks=hooks, variables=variables)


def test_its_letters_may_name_what_it_adds_beside_everything_else():
    mine = spring(coach_name="Maria", seats=4, site="https://x.example")
    said = "As the campaign's file says"
    assert own_catalogue(mine) == READ | {
        "coach_name": Variable("coach_name", "text", Source.CAMPAIGN, said, "Maria"),
        "seats": Variable("seats", "number", Source.CAMPAIGN, said, "4"),
        "site": Variable("site", "link", Source.CAMPAIGN, said, "https://x.example"),
    }
    assert catalogue_of(mine) == {**CATALOGUE, **own_catalogue(mine)} and not own_catalogue(CHRISTMAS)


def test_a_value_is_the_hooks_or_its_default_or_none_and_the_files_own():
    mine = spring(seats=4)
    defaults = {"city": "your city", "chairs": 1.5, "shop": None, "seats": 4}
    assert own_values(mine, {}) == defaults
    assert own_values(mine, {"city": "Oslo", "chairs": 6, "other": 1}) == {**defaults, "city": "Oslo", "chairs": 6}
