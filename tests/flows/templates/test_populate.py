"""Populate: starters go where Notion has nothing, and never over somebody's words."""

import json
from datetime import datetime

import pytest

from funnel_app.flows.templates import starters
from funnel_app.flows.templates.audit import audit_templates
from funnel_app.flows.templates.populate import populate
from funnel_app.flows.templates.serving import ready_version
from funnel_app.flows.templates.starters import find_starter, fingerprint


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
    monkeypatch.setattr(starters, "STARTERS", tmp_path)
    with pytest.raises(ValueError, match=r"some_key\.html does not begin with <!-- subject"):
        find_starter("some_key")


def test_a_key_without_a_starter_is_named(deps, monkeypatch, tmp_path):
    monkeypatch.setattr(starters, "STARTERS", tmp_path)
    assert set(done(deps).values()) == {"no starter"}


OLD = ("Only {{ days_to_deadline }} days", "<p>{{ days_to_deadline }} days to {{ deadline_date }}</p>")
MINE = "<p>Hi {{ first_name }}, {{ deadline_date }} is near</p>"
KEY = "christmas_email_1"


@pytest.fixture
def once_a_starter(monkeypatch, tmp_path):
    known = json.loads(starters.FINGERPRINTS.read_text())
    known[KEY]["subjects"][fingerprint(OLD[0])] = known[KEY]["bodies"][fingerprint(OLD[1])] = "2026-11-02"
    (tmp_path / "starters.json").write_text(json.dumps(known))
    monkeypatch.setattr(starters, "FINGERPRINTS", tmp_path / "starters.json")


def test_the_present_starters_are_among_the_fingerprints(deps):
    """If this fails, a starter or the layout has changed: run `make docs`, and commit the file that it writes."""
    known = json.loads(starters.FINGERPRINTS.read_text())
    for key in deps.registry.template_keys():
        subject, html = find_starter(key)
        assert fingerprint(subject) in known[key]["subjects"] and fingerprint(html) in known[key]["bodies"], key


def told(deps, **how) -> str:
    return next(f"{row.did}: {row.detail}" for row in populate(deps, **how) if row.key == KEY)


@pytest.mark.parametrize(
    ("subject", "html", "words", "after"),
    [
        (*OLD, "had the starter text of 2026-11-02, unchanged", find_starter(KEY)),
        ("", OLD[1], "had the starter text of 2026-11-02, unchanged", find_starter(KEY)),
        (OLD[0], f"{OLD[1]} \r\n", "had the starter text of 2026-11-02, unchanged", find_starter(KEY)),
        (
            "My own words",
            OLD[1],
            "had the starter text of 2026-11-02, unchanged; its own subject line is kept",
            ("My own words", find_starter(KEY)[1]),
        ),
        (
            "My {{ deadline_date }}",
            OLD[1],
            (
                "had the starter text of 2026-11-02, unchanged; its own subject line is kept, and must change before 6 "
                "December: put what speaks of deadline_date between {% if deadline_date is known %} and {% endif %}"
            ),
            ("My {{ deadline_date }}", find_starter(KEY)[1]),
        ),
    ],
)
def test_an_earlier_starter_that_nobody_touched_is_renewed(deps, once_a_starter, subject, html, words, after):
    deps.notebook.write(KEY, subject, html)
    assert told(deps, dry_run=True) == f"renewed: “{KEY}” {words}"
    assert deps.notebook.pages[KEY].html == html and len(deps.notebook.pages) == 1, "a dry run writes nothing"
    assert told(deps) == f"renewed: “{KEY}” {words}"
    assert (deps.notebook.pages[KEY].subject, deps.notebook.pages[KEY].html) == after
    assert told(deps).startswith("kept:")


def test_what_a_person_touched_is_never_renewed_and_what_it_must_change_is_named(deps, once_a_starter):
    deps.notebook.write(KEY, OLD[0], OLD[1].replace("days to", "days until"))
    assert told(deps) == (
        f"kept: “{KEY}” has a text, and must change before 6 December: put what speaks of days_to_deadline and "
        "deadline_date between {% if days_to_deadline is known %} and {% endif %}"
    )
    deps.notebook.write(KEY, "Mine", MINE)
    assert "what speaks of deadline_date between" in told(deps)
    deps.notebook.write(KEY, "Mine", "<p>Hi {{ first_name }}</p>")
    assert told(deps) == f"kept: “{KEY}” has a text"


def test_a_starter_that_somebody_moved_into_a_code_block_is_theirs(deps, once_a_starter):
    deps.notebook.write(KEY, OLD[0], "")
    deps.notebook.code[KEY] = OLD[1]
    assert told(deps).startswith("kept:") and deps.notebook.pages[KEY].html == ""


def test_the_audit_names_an_earlier_starter_before_the_deadline(deps, once_a_starter):
    deps.now.at = datetime.fromisoformat("2026-11-24T15:00:00+00:00")
    populate(deps)
    assert audit_templates(deps).templates[0].status == "ok"
    deps.notebook.write(KEY, *OLD)
    found = next(each for each in audit_templates(deps).templates if each.key == KEY)
    assert (found.status, [problem.code for problem in found.problems][-2:]) == (
        "warning",
        ["old_starter", "out_of_season"],
    )
    populate(deps)
    assert next(each for each in audit_templates(deps).templates if each.key == KEY).status == "ok"
