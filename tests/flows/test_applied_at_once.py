"""Two operators apply the same files at once: nothing is moved twice, and each is told what came of it."""

import os
import re
from datetime import UTC, datetime

from sqlalchemy import func

from funnel_app.flows.console.replanning import apply_to_all
from funnel_app.flows.intake import replan
from funnel_app.ledger.operator_actions import OperatorAction
from tests.apps import application
from tests.flows.leads import opt_in
from tests.flows.test_edits_in_flight import restarted
from tests.flows.test_killed import all_of, open_deps, what_was_edited
from tests.sqlite_files import into_one_file

PEOPLE = [f"lead{number}@resend.dev" for number in range(6)]


def applies(ledger, notion, at, begin):
    """Apply the files in a process of its own that waits for a word to begin; return its id."""
    child = os.fork()
    if child == 0:
        failed = True
        try:
            new = restarted(open_deps(ledger, notion, at))
            os.read(begin, 1)
            apply_to_all(new, "olga")
            failed = False
        finally:
            os._exit(int(failed))
    return child


def test_two_processes_share_the_people_and_move_nobody_twice(migrated_sqlite, tmp_path, notion, monkeypatch):
    monkeypatch.setattr(replan, "AT_ONCE", 1)
    ledger, other = tmp_path / "funnel.db", tmp_path / "other.db"
    ledger.write_bytes(migrated_sqlite.read_bytes())
    at = datetime.now(UTC)
    deps = open_deps(ledger, notion, at)
    for address in PEOPLE:
        opt_in(deps, address)
    into_one_file(deps.engine)
    other.write_bytes(ledger.read_bytes())
    begin, word = os.pipe()
    runs = [applies(ledger, notion, at, begin) for _ in range(2)]
    os.write(word, b"..")
    assert [os.waitstatus_to_exitcode(os.waitpid(each, 0)[1]) for each in runs] == [0, 0]
    alone = open_deps(other, notion, at)
    apply_to_all(restarted(alone), "olga")
    assert what_was_edited(deps, notion) == what_was_edited(alone, notion)
    told = [re.match(r"done: (\d+) leads? ", detail) for (detail,) in all_of(deps, OperatorAction.detail)]
    assert len(told) == 2 and sum(int(each[1]) for each in told) == len(PEOPLE)


def test_who_comes_second_is_told_that_another_run_was_there(deps, monkeypatch):
    for address in PEOPLE[:2]:
        opt_in(deps, address)
    new = restarted(deps)
    behind, faster = replan.behind, iter(["otto"])

    def after_the_other(*of):
        for who in faster:
            apply_to_all(new, who)
        return behind(*of)

    monkeypatch.setattr(replan, "behind", after_the_other)
    said = application(new).test_cli_runner().invoke(args=["campaigns", "apply", "--yes"]).stdout
    assert said.splitlines() == [
        "Done: 0 leads by the files as they are now; no email changes.",
        "2 leads were seen to before this run came to them: by another run, or because their sequence ended.",
    ]
    assert all_of(deps, func.count(OperatorAction.id)) == [(2,)]
