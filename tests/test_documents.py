"""The documents say what the code does: their tables are its tables, and what they name is there."""

import re

import pytest
from click import Group

from docs.tables import DOCUMENTS, drifted, filled, main
from funnel_app.config import MEANINGS
from funnel_app.flows.alarms import ALARMS
from sandbox.processes import ROOT
from tests.test_guards import read_settings

TEXTS = [
    *DOCUMENTS,
    "CHANGELOG.md",
    *(f"docs/decisions/{path.name}" for path in (ROOT / "docs/decisions").glob("*.md")),
]


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


def test_every_command_is_in_the_readme(app):
    readme = (ROOT / "README.md").read_text()
    ours = {n: c for n, c in app.cli.commands.items() if getattr(c.callback, "__module__", "").startswith("funnel_app")}
    assert len(ours) >= 7
    for name, command in ours.items():
        verbs = [f"{name} {verb}" for verb in command.commands] if isinstance(command, Group) else [name]
        for verb in set(verbs) - {"db revision"}:
            assert re.search(rf"`[^`]*\b{verb}\b", readme), f"{verb} is not in the README"


def test_every_alert_says_what_to_do(app):
    text = (ROOT / "docs/operations.md").read_text()
    told = dict(re.findall(r"(?ms)^### (\w+)\n\n(.+?)(?=\n#|\Z)", text))
    assert set(told) == set(ALARMS)
    assert all(len(words) > 80 for words in told.values())


def test_every_make_target_of_the_documents_is_there():
    makefile = (ROOT / "Makefile").read_text()
    for name in TEXTS:
        for target in re.findall(r"(?m)(?:`|^)make ([a-z]+)", (ROOT / name).read_text()):
            assert re.search(rf"^{target}:", makefile, re.M), f"{name}: make {target}"


@pytest.mark.parametrize("name", TEXTS)
def test_every_file_that_a_document_names_is_there(name):
    text = (ROOT / name).read_text()
    links = re.findall(r"\]\(([^)#]+)\)", text)
    paths = re.findall(r"`((?:funnel_app|jobs|tests|docs|migrations|sandbox)/[\w./-]*)`", text)
    base = (ROOT / name).parent
    missing = [link for link in links if not link.startswith("http") and not (base / link).exists()]
    missing += [path for path in paths if not (ROOT / path).exists()]
    assert missing == []


def test_flow_files_that_the_architecture_names_are_there():
    text = (ROOT / "ARCHITECTURE.md").read_text()
    for path in re.findall(r"`((?:flows|gateways|letters|campaigns|ledger)/\w+\.py)`", text):
        assert (ROOT / "funnel_app" / path).exists(), path
