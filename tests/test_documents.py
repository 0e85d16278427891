"""The documents say what the code does: their tables are its tables, and what they name is there."""

import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from click import Command, Group

from docs.tables import DOCUMENTS, drifted, filled, main
from funnel_app.campaigns.registry import Registry
from funnel_app.commands.cli import COMMANDS, own_command
from funnel_app.flows.monitoring.alerts.alarms import ALARMS
from funnel_app.setting_meanings import MEANINGS
from sandbox.processes import ROOT
from tests.naming import OTHER_SETTINGS
from tests.test_guards import TRACKED, read_settings

TEXTS = [name for name in TRACKED if name.endswith(".md")]
ROOMS = (
    r"funnel_app|jobs|tests|docs|migrations|sandbox|bench|assets|web|commands|flows|ledger|gateways|campaigns|letters"
)


# Its lines are compared in tests/failures/, where each failure is played anyway.
PLAYED = "docs/failures.md"


def test_every_table_is_the_one_of_the_code():
    assert drifted(name for name in DOCUMENTS if name != PLAYED) == [], "run make docs"


def test_what_is_played_elsewhere_has_no_other_table():
    assert re.findall("<!-- table: (.*) -->", (ROOT / PLAYED).read_text()) == ["failures"]


def test_every_test_that_a_document_names_is_there():
    texts = "\n".join((ROOT / name).read_text() for name in TEXTS)
    named = re.findall(r"`(tests/[\w/]+\.py)` (test_\w+)", texts)
    gone = [f"{file}::{test}" for file, test in named if f"def {test}(" not in (ROOT / file).read_text()]
    assert gone == [] and len(named) > 20


def test_a_drifted_table_is_named_and_written_again(monkeypatch, tmp_path, capsys):
    (tmp_path / "a.md").write_text("before\n<!-- table: states -->\nold\n<!-- /table -->\nafter\n")
    monkeypatch.setattr("docs.tables.ROOT", tmp_path)
    monkeypatch.setattr("docs.tables.DOCUMENTS", ("a.md",))
    assert main(["--check"]) == 1
    assert "a.md: its tables are not those of the code; run make docs" in capsys.readouterr().out
    assert main([]) == 0 and main(["--check"]) == 0
    text = (tmp_path / "a.md").read_text()
    assert text.startswith("before\n") and text.endswith("after\n") and "`planned`" in text and "old" not in text


def test_a_table_that_nobody_makes_is_an_error():
    with pytest.raises(KeyError):
        filled("<!-- table: nothing -->\n<!-- /table -->")


def test_every_setting_has_a_meaning():
    assert set(MEANINGS) == read_settings()


def test_every_document_with_a_table_is_looked_at():
    marked = {name for name in TEXTS if "<!-- table: " in (ROOT / name).read_text()}
    assert marked <= set(DOCUMENTS)


@pytest.fixture
def commands() -> dict[str, Command]:
    """Every command of Funnel by its words: `trace`, `hooks list`."""
    ours = {name: own_command(name) for name in COMMANDS}
    verbs = {
        f"{name} {verb}": below
        for name, group in ours.items() if isinstance(group, Group)
        for verb, below in group.commands.items()
    }  # fmt: skip
    return {name: command for name, command in ours.items() if not isinstance(command, Group)} | verbs


def test_every_command_is_on_the_page_of_commands(commands):
    page = (ROOT / "docs/commands.md").read_text()
    assert len(commands) >= 30
    assert [words for words in commands if f"`flask --app wsgi {words}" not in page] == []


def in_documents(pattern: str) -> Iterator[tuple[str, Any]]:
    """Go through what a pattern finds in each document, with the document's name."""
    for name in TEXTS:
        for found in re.findall(pattern, (ROOT / name).read_text()):
            yield name, found


def test_every_command_that_a_document_names_is_there(commands):
    known = {words.split()[0] for words in commands} | set(commands)
    for name, (first, second) in in_documents(r"flask (?:--app wsgi )?([a-z]+)(?: ([a-z-]+(?![\w|])))?"):
        assert first in known, f"{name}: flask {first}"
        if first not in commands and second:
            assert f"{first} {second}" in commands, f"{name}: flask {first} {second}"


def test_every_setting_that_a_document_names_is_read():
    known = read_settings() | OTHER_SETTINGS
    named = in_documents(r"`([A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+)(?:=[^`]*)?`")
    assert [(name, setting) for name, setting in named if setting not in known] == []


def test_every_address_that_a_document_names_is_served(app):
    routes, rules = app.url_map.bind("funnel.example.com"), [rule.rule for rule in app.url_map.iter_rules()]

    def is_served(path: str) -> bool:
        begins = any(rule.startswith(f"{path.rstrip('/')}/") for rule in rules)
        return begins or any(routes.test(path, method) for method in ("GET", "POST"))

    named = in_documents(r"`(?:GET |POST )?(/(?:webhook|console|api|readyz|healthz|metrics|docs|openapi)[\w/.-]*)`")
    assert [(name, path) for name, path in named if not is_served(path)] == []


def test_every_alert_says_what_to_do():
    text = (ROOT / "docs/operations.md").read_text()
    told = dict(re.findall(r"(?ms)^### (\w+)\n\n(.+?)(?=\n#|\Z)", text))
    assert set(told) == set(ALARMS)
    assert all(len(words) > 80 for words in told.values())


def test_every_make_target_that_a_document_names_is_there():
    there = set(re.findall(r"(?m)^([a-z0-9-]+):", (ROOT / "Makefile").read_text()))
    named = in_documents(r"(?m)(?:`|^)make ([a-z][a-z0-9 -]*)")
    assert [(name, targets) for name, targets in named if not there.issuperset(targets.split())] == []


def test_every_file_that_a_document_names_is_there():
    links = ((name, link) for name, link in in_documents(r"\]\(([^)#]+)\)") if not link.startswith(("http", "{{")))
    paths = in_documents(rf"`((?:{ROOMS})/[\w./-]*)`")
    missing = [(name, link) for name, link in links if not ((ROOT / name).parent / link).exists()]
    missing += [
        (name, path) for name, path in paths if not ((ROOT / path).exists() or (ROOT / "funnel_app" / path).exists())
    ]
    assert missing == []


def test_every_program_that_a_document_names_is_there():
    for name, module in in_documents(r"python -m ((?:funnel_app|jobs|bench|sandbox|docs|tests|assets)[\w.]*)"):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), f"{name}: {module}"


def test_the_example_of_a_new_campaign_is_one():
    (example,) = re.findall(r"(?s)```toml\n(.+?)```", (ROOT / "docs/new-campaign.md").read_text())
    here = {path.name: path.read_text() for path in (ROOT / "funnel_app/campaigns").glob("*.toml")}
    registry = Registry.load({**here, "spring.toml": example})
    assert registry.campaign("spring").sequences["spring_welcome"].handler == "spring-signup-handler"
    assert registry.campaign("spring").hooks["signup"].path == "/webhook/spring/signup"


def test_make_help_lists_every_target():
    makefile = (ROOT / "Makefile").read_text()
    listed = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = re.findall(r"(?m)^\.PHONY: (\S+)$", makefile)
    assert len(targets) > 20 and [target for target in targets if f"make {target} " not in listed] == []
    assert max(map(len, listed.splitlines())) <= 80
