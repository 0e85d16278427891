"""The rules and a plain model of their words end random histories the same; else the fewest events are shown."""

import ast
from datetime import timedelta
from pathlib import Path

from tests.model import words
from tests.model.play import BEGAN, Happens, first_difference, shrunk
from tests.model.words import Word

HISTORIES, SEED = 500, 16


def test_random_histories_end_the_same_by_the_rules_and_by_the_model():
    found = first_difference(HISTORIES, SEED)
    assert not found, found


def test_a_history_is_shrunk_to_the_events_that_make_the_difference():
    story = [Happens(BEGAN + timedelta(hours=n), Word("opt_in", f"lead{n}", BEGAN)) for n in range(6)]
    told = shrunk(story, lambda some: {"lead1", "lead4"} <= {each.word.who for each in some if each.word})
    assert [str(each).partition(",")[0] for each in told] == ["24 16:00 lead1: opt_in", "24 19:00 lead4: opt_in"]


def test_the_model_shares_nothing_with_the_rules():
    tree = ast.parse(Path(words.__file__).read_text())
    imported = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert not [module for module in imported if module.startswith("funnel_app")]
