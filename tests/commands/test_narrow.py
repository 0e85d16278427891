"""On a terminal of 80 columns no table cuts a word: what it names may have to be copied."""

import re

import pytest
from click.testing import CliRunner
from rich.measure import Measurement

from funnel_app.commands.cli import COMMANDS as COMMANDS_BY_NAME
from funnel_app.commands.cli import CommandLine, own_command
from funnel_app.commands.terminal import widths
from tests.console_world import enter_day

NADIA = "delivered+nadia@resend.dev"
COMMANDS = (
    ["campaigns"], ["variables"], ["doctor"], ["hooks", "list"], ["templates", "audit"],
    ["simulate", "lead_nurture"], ["trace", NADIA], ["trace", NADIA, "--ids"], ["log"],
    ["campaigns", "verify", "--no-simulate"], ["events", "list"], ["sending", "show"],
)  # fmt: skip
# What is longer than a column can be goes on in the next line.
LONGEST = 30


@pytest.fixture
def printed(app, deps, monkeypatch):
    enter_day(deps)
    # One is missing, so that a table names it twice.
    del deps.notebook.pages["onboarding_phase1_email_1"]

    def at(width: int, command: list[str]) -> str:
        monkeypatch.setenv("COLUMNS", str(width))
        return app.test_cli_runner().invoke(args=command).stdout

    return at


def words(text: str) -> set[str]:
    return {word for word in re.split(r"[\s│┃|]+", text) if 3 < len(word) <= LONGEST and re.search(r"[a-z]", word)}


def all_commands(command, *path):
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from all_commands(below, *path, name)


def test_no_help_is_cut_and_none_is_wider_than_80_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    every = [found for name in COMMANDS_BY_NAME for found in all_commands(own_command(name), name)]
    assert len(every) > 50
    for path, command in [*every, ((), CommandLine("flask"))]:
        help_ = CliRunner().invoke(command, ["--help"], prog_name=" ".join(("flask", *path))).stdout
        assert help_.startswith("Usage: ")
        lines = [line for line in help_.splitlines() if not line.startswith("Usage:")]
        assert [line for line in lines if len(line) > 80 or line.endswith("...")] == [], path


def test_no_table_cuts_a_word_at_80_columns(printed):
    cut = {}
    for command in COMMANDS:
        wide, narrow = printed(400, command), printed(80, command)
        assert wide, command
        cut[" ".join(command)] = sorted(words(wide) - words(narrow))[:8]
    assert {command: missing for command, missing in cut.items() if missing} == {}


@pytest.mark.parametrize(
    ("measured", "room", "shared"),
    [
        ([(3, 5), (4, 9)], 20, [5, 9]),  # all has room
        ([(20, 20), (6, 6), (22, 60), (5, 30)], 66, [20, 6, 22, 18]),  # no word is cut
        ([(4, 20), (6, 18), (8, 60)], 70, [20, 18, 32]),  # what is short stays in one line
        ([(40, 90), (10, 10)], 30, [20, 10]),  # the longest words are cut, and no others
        ([(0, 0), (0, 0)], 10, [0, 0]),
    ],
)
def test_columns_share_the_room_by_their_longest_words_first(measured, room, shared):
    found = widths([Measurement(*each) for each in measured], room)
    assert found == shared and sum(found) <= room
