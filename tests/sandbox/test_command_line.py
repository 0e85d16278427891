"""Programs of this repository say what they take, and what they were given that they do not take."""

import re

import pytest

from sandbox.command_line import command_line
from sandbox.processes import ROOT
from tests.test_guards import TEXTS

# Parts of other programs, which nobody starts by hand.
PARTS = re.compile(
    r"tests/process/|tests/prefect/|tests/sandbox/|tests/test_|tests/naming|letters/child|peers/on_|sandbox/(traces|start)"
)
READS = re.compile(r"command_line\(|ArgumentParser\(|take_nothing\(|@click\.")


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ([], {"leads": 300, "rate": 3.0, "full": False}),
        (["20"], {"leads": 20, "rate": 3.0, "full": False}),
        (["full", "20", "0.5"], {"leads": 20, "rate": 0.5, "full": True}),
    ],
)
def test_numbers_are_read_in_order_and_words_anywhere(given, read):
    assert command_line("Measure.", ("full",), given, leads=300, rate=3.0) == read


def test_a_list_takes_as_many_as_are_left():
    assert command_line("", (), ["1", "2"], sizes=[7]) == {"sizes": [1, 2]}
    assert command_line("", (), [], sizes=[7]) == {"sizes": [7]}
    assert command_line("", (), ["3", "1", "2"], seed=1, sizes=[7]) == {"seed": 3, "sizes": [1, 2]}
    assert command_line("", (), [], seed=1, sizes=[7]) == {"seed": 1, "sizes": [7]}


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        (["--help"], 0, "[LEADS=300] [full]\n\nMeasure it."),
        (["many"], 2, "many: that is not what it takes"),
        (["1", "2"], 2, "1 2: that is not what it takes"),
        (["--fast"], 2, "unrecognized arguments: --fast"),
    ],
)
def test_whoever_asks_or_errs_is_told(capsys, given, code, words):
    with pytest.raises(SystemExit) as ended:
        command_line("Measure it.", ("full",), given, leads=300)
    said = capsys.readouterr()
    assert ended.value.code == code and words in said.out + said.err


def test_every_program_reads_its_command_line_so():
    texts = {name: (ROOT / name).read_text() for name in TEXTS if name.endswith(".py") and not PARTS.search(name)}
    programs = {name: text for name, text in texts.items() if '\nif __name__ == "__main__":' in text}
    assert len(programs) > 40 and [name for name, text in programs.items() if not READS.search(text)] == []
