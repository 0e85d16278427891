"""On a terminal of 80 columns no table cuts a word: what it names may have to be copied."""

import re

import pytest

from tests.console_world import fill
from tests.flows.leads import write_templates

NADIA = "delivered+nadia@resend.dev"
COMMANDS = (
    ["campaigns"], ["variables"], ["doctor"], ["hooks", "list"], ["templates", "audit"],
    ["simulate", "lead_nurture"], ["trace", NADIA], ["trace", NADIA, "--ids"], ["log"],
    ["campaigns", "verify", "--no-simulate"], ["events", "list"], ["sending", "show"],
)  # fmt: skip
# What is longer than a column can be goes on in the next line.
LONGEST = 24


@pytest.fixture
def printed(app, deps, monkeypatch):
    write_templates(deps)
    fill(deps)

    def at(width: int, command: list[str]) -> str:
        monkeypatch.setenv("COLUMNS", str(width))
        return app.test_cli_runner().invoke(args=command).stdout

    return at


def words(text: str) -> set[str]:
    return {word for word in re.split(r"[\s│┃|]+", text) if 3 < len(word) <= LONGEST and re.search(r"[a-z]", word)}


def test_no_table_cuts_a_word_at_80_columns(printed):
    cut = {}
    for command in COMMANDS:
        wide, narrow = printed(400, command), printed(80, command)
        assert wide, command
        cut[" ".join(command)] = sorted(words(wide) - words(narrow))[:8]
    assert {command: missing for command, missing in cut.items() if missing} == {}
