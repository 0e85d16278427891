"""The documents say what the code does: their tables are its tables, and what they name is there."""

import re

import pytest
from click import Command, Group

from docs.tables import DOCUMENTS, drifted, filled, main
from funnel_app.campaigns.registry import Registry
from funnel_app.commands.cli import COMMANDS, own_command
from funnel_app.config import MEANINGS
from funnel_app.flows.monitoring.alarms import ALARMS
from sandbox.processes import ROOT
from tests.naming import OTHER_SETTINGS
from tests.test_guards import TRACKED, read_settings

TEXTS = [name for name in TRACKED if name.endswith(".md")]
ROOMS = (
    r"funnel_app|jobs|tests|docs|migrations|sandbox|bench|assets|web|commands|flows|ledger|gateways|campaigns|letters"
)


# It plays every failure that is documented: a minute on a quiet machine, many on a busy one.
@pytest.mark.timeout(1200)
def test_every_table_is_the_one_of_the_code():
    assert drifted() == [], "run make docs"


def test_a_drifted_table_is_named_and_written_again(monkeypatch, tmp_path, capsys):
    (tmp_path / "funnel_app").mkdir()
    (tmp_path / "funnel_app/config.py").write_text((ROOT / "funnel_app/config.py").read_text())
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


@pytest.mark.parametrize("name", TEXTS)
def test_every_command_that_a_document_names_is_there(commands, name):
    text = (ROOT / name).read_text()
    known = {words.split()[0] for words in commands} | set(commands)
    for first, second in re.findall(r"flask (?:--app wsgi )?([a-z]+)(?: ([a-z-]+(?![\w|])))?", text):
        assert first in known, f"flask {first}"
        if first not in commands and second:
            assert f"{first} {second}" in commands, f"flask {first} {second}"


@pytest.mark.parametrize("name", TEXTS)
def test_every_setting_that_a_document_names_is_read(name):
    text = (ROOT / name).read_text()
    named = set(re.findall(r"`([A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+)(?:=[^`]*)?`", text))
    assert named - read_settings() - OTHER_SETTINGS == set()


@pytest.mark.parametrize("name", TEXTS)
def test_every_address_that_a_document_names_is_served(app, name):
    routes = app.url_map.bind("funnel.example.com")
    text = (ROOT / name).read_text()
    for path in set(
        re.findall(r"`(?:GET |POST )?(/(?:webhook|console|api|readyz|healthz|metrics|docs|openapi)[\w/.-]*)`", text)
    ):
        begins = any(rule.rule.startswith(f"{path.rstrip('/')}/") for rule in app.url_map.iter_rules())
        assert begins or any(routes.test(path, method) for method in ("GET", "POST")), path


def test_every_alert_says_what_to_do():
    text = (ROOT / "docs/operations.md").read_text()
    told = dict(re.findall(r"(?ms)^### (\w+)\n\n(.+?)(?=\n#|\Z)", text))
    assert set(told) == set(ALARMS)
    assert all(len(words) > 80 for words in told.values())


@pytest.mark.parametrize("name", TEXTS)
def test_every_make_target_that_a_document_names_is_there(name):
    makefile = (ROOT / "Makefile").read_text()
    for targets in re.findall(r"(?m)(?:`|^)make ([a-z][a-z0-9 -]*)", (ROOT / name).read_text()):
        for target in targets.split():
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"make {target}"


@pytest.mark.parametrize("name", TEXTS)
def test_every_file_that_a_document_names_is_there(name):
    text = (ROOT / name).read_text()
    links = re.findall(r"\]\(([^)#]+)\)", text)
    paths = re.findall(rf"`((?:{ROOMS})/[\w./-]*)`", text)
    base = (ROOT / name).parent
    missing = [link for link in links if not link.startswith("http") and not (base / link).exists()]
    missing += [path for path in paths if not (ROOT / path).exists() and not (ROOT / "funnel_app" / path).exists()]
    assert missing == []


@pytest.mark.parametrize("name", TEXTS)
def test_every_program_that_a_document_names_is_there(name):
    for module in re.findall(
        r"python -m ((?:funnel_app|jobs|bench|sandbox|docs|tests|assets)[\w.]*)", (ROOT / name).read_text()
    ):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module


def test_the_example_of_a_new_campaign_is_one():
    (example,) = re.findall(r"(?s)```toml\n(.+?)```", (ROOT / "docs/new-campaign.md").read_text())
    here = {path.name: path.read_text() for path in (ROOT / "funnel_app/campaigns").glob("*.toml")}
    registry = Registry.load({**here, "spring.toml": example})
    assert registry.campaign("spring").sequences["spring_welcome"].handler == "spring-signup-handler"
    assert registry.campaign("spring").hooks["signup"].path == "/webhook/spring/signup"
