"""Populate: starters go where Notion has nothing, and never over somebody's words."""

import pytest

from funnel_app.flows.templates import populate as populate_flow
from funnel_app.flows.templates.populate import find_starter, populate
from funnel_app.flows.templates.serving import ready_version


def done(deps) -> dict[str, str]:
    return {result.key: result.did for result in populate(deps)}


def test_an_empty_notion_gets_every_starter_and_they_pass_the_gate(deps):
    did = done(deps)
    assert set(did) == set(deps.registry.template_keys())
    created = [key for key, what in did.items() if what == "created"]
    assert {f"{sequence}_{n}" for sequence in ("lead_nurture_email", "christmas_email") for n in range(1, 6)} <= set(
        created
    )
    for key in created:
        assert ready_version(deps, key).good


def test_a_page_with_a_text_is_kept_and_an_empty_one_is_filled(deps):
    deps.notebook.write("christmas_email_1", "Mine", "<p>my own words</p>")
    deps.notebook.write("christmas_email_2", "", "  ")
    did = done(deps)
    assert (did["christmas_email_1"], did["christmas_email_2"]) == ("kept", "filled")
    assert deps.notebook.pages["christmas_email_1"].html == "<p>my own words</p>"
    assert deps.notebook.pages["christmas_email_2"].html == find_starter("christmas_email_2")[1]


def test_only_the_part_that_is_empty_is_filled(deps):
    deps.notebook.write("christmas_email_1", "My subject", "")
    deps.notebook.write("christmas_email_2", "", "<p>my own words</p>")
    deps.notebook.write("christmas_email_3", "", "", status="Draft")
    told = {result.key: result.detail for result in populate(deps)}
    pages, starters = deps.notebook.pages, {n: find_starter(f"christmas_email_{n}") for n in (1, 2)}
    assert (pages["christmas_email_1"].subject, pages["christmas_email_1"].html) == ("My subject", starters[1][1])
    assert (pages["christmas_email_2"].subject, pages["christmas_email_2"].html) == (
        starters[2][0],
        "<p>my own words</p>",
    )
    assert told["christmas_email_1"] == "“christmas_email_1” had no body"
    assert told["christmas_email_2"] == "“christmas_email_2” had no subject"
    assert told["christmas_email_3"] == "“christmas_email_3” was empty; its status is Draft: set it to Active"


def test_what_is_written_as_code_blocks_is_a_text_too(deps):
    deps.notebook.write("christmas_email_1", "Mine", "")
    deps.notebook.code["christmas_email_1"] = "<p>in a block</p>"
    assert done(deps)["christmas_email_1"] == "kept"


def test_two_pages_for_one_key_are_left_to_a_person(deps):
    for name in ("christmas_email_1", "christmas_email_1 copy"):
        deps.notebook.write(name, "", "")
    found = next(result for result in populate(deps) if result.key == "christmas_email_1")
    assert (found.did, found.detail) == ("kept", "2 pages answer to this key: leave one of them")


def test_twice_changes_nothing(deps):
    done(deps)
    before = dict(deps.notebook.pages)
    assert "created" not in done(deps).values()
    assert deps.notebook.pages == before


def test_a_starter_without_a_subject_is_a_fault(monkeypatch, tmp_path):
    (tmp_path / "some_key.html").write_text("<p>no subject</p>")
    monkeypatch.setattr(populate_flow, "STARTERS", tmp_path)
    with pytest.raises(ValueError, match=r"some_key\.html does not begin with <!-- subject"):
        find_starter("some_key")


def test_a_key_without_a_starter_is_named(deps, monkeypatch, tmp_path):
    monkeypatch.setattr(populate_flow, "STARTERS", tmp_path)
    assert set(done(deps).values()) == {"no starter"}
