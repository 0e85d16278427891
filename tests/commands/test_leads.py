"""`flask leads`: a file comes in and is answered beside it, and leads go out in one that says who may be mailed."""

import csv
import os

import pytest

from funnel_app.flows.console.actions import list_actions
from funnel_app.flows.privacy.suppress import suppress
from funnel_app.ledger.models import Scope
from tests.flows.leads import assess, opt_in

ROWS = "E-Mail;Vorname;Status;Passwort\nana@resend.dev;Änne;aktiv;hunter2\nbo@resend.dev;Bo;abgemeldet;x\nnobody;;;\n"
WISH = ("--sequence", "lead_nurture", "--consent", "fair in Graz, May 2026")


@pytest.fixture
def run(app):
    runner = app.test_cli_runner()
    return lambda *arguments, **more: runner.invoke(args=["leads", *map(str, arguments)], **more)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "list.csv"
    path.write_bytes(ROWS.encode("cp1252"))
    return path


def answers(path):
    return [(row["email"], row["answer"]) for row in csv.DictReader(path.read_text("utf-8").splitlines())]


def test_a_list_is_shown_asked_about_taken_in_and_answered(run, deps, file):
    declined = run("import", file, *WISH, input="n\n")
    assert declined.exit_code == 1 and "Take 3 rows in so?" in declined.output
    assert "Vorname" in declined.stderr and "→ first_name" in declined.stderr and "hunter2" not in declined.output
    done = run("import", file, *WISH, "--yes")
    assert done.exit_code == 1 and "1 enrolled" in done.stdout and "1 refused" in done.stdout
    result = file.with_name("list.csv.result.csv")
    assert answers(result) == [("ana@resend.dev", "enrolled"), ("bo@resend.dev", "not mailed"), ("nobody", "refused")]
    assert result.stat().st_mode & 0o077 == 0
    first = result.read_bytes()
    run("import", file, *WISH, "--yes")
    assert result.read_bytes() == first
    told = [done.detail for done in list_actions(deps.reads).rows if done.action == "import"]
    assert len(told) == 4 and any("1 enrolled" in words for words in told)


def test_a_dry_run_answers_beside_and_takes_nothing(run, deps, file):
    done = run("import", file, *WISH, "--dry-run")
    assert "Would be: 1 enrolled" in done.stdout
    assert answers(file.with_name("list.csv.dry-run.csv"))[0] == ("ana@resend.dev", "enrolled")
    assert not list_actions(deps.reads).rows


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ((), "agreed"),
        (("--consent", "x", "--map", "Nothing=email"), "There is no column Nothing"),
        (("--consent", "x", "--map", "email"), "write it as COLUMN=FIELD"),
        (("--consent", "x", "--means", "VIP=great"), "means subscribed"),
        (("--consent", "x", "--sequence", "nothing"), "There is no sequence nothing"),
    ],
)
def test_what_cannot_be_done_says_what_can(run, file, more, word):
    done = run("import", file, "--yes", *more)
    assert done.exit_code != 0 and word in done.output


def test_a_file_called_after_those_who_left_is_not_taken_for_leads(run, deps, tmp_path):
    path = tmp_path / "Unsubscribed_members.csv"
    path.write_text("Email\nana@resend.dev\n")
    done = run("import", path, "--yes", *WISH)
    assert done.exit_code == 1 and "says “unsub”" in done.output
    path.write_text("Email,UNSUB_TIME\nana@resend.dev,2026-05-03\n")
    assert "1 not mailed" in run("import", path, "--yes").stdout


def test_a_pipe_is_no_list_and_is_not_waited_for(run, tmp_path):
    os.mkfifo(tmp_path / "list.csv")
    done = run("import", tmp_path / "list.csv", *WISH, "--yes")
    assert done.exit_code == 1 and "list.csv is no ordinary file" in done.stderr


def test_our_own_answers_are_no_list(run, tmp_path):
    path = tmp_path / "list.csv.result.csv"
    path.write_text("row,email\n1,ana@resend.dev\n")
    assert "holds our answers" in run("import", path, "--consent", "x").output


def test_an_export_says_who_may_be_mailed_and_holds_no_formula(run, deps, tmp_path):
    opt_in(deps, "=ana@resend.dev")
    assess(deps, "bo@resend.dev")
    suppress(deps, "bo@resend.dev", Scope.MARKETING)
    rows = list(csv.DictReader(run("export").stdout.splitlines()))
    assert [(row["email"], row["status"]) for row in rows] == [
        ("bo@resend.dev", "unsubscribed"), ("'=ana@resend.dev", "no proof of consent"),
    ]  # fmt: skip
    filters = ("--segment", "CRITICAL", "--campaign", "christmas", "--sequence", "five_day", "--state", "exited")
    path = tmp_path / "out.csv"
    run("export", path, *filters)
    assert path.stat().st_mode & 0o077 == 0
    assert [row["email"] for row in csv.DictReader(path.read_text("utf-8").splitlines())] == ["bo@resend.dev"]
    assert not run("export", "--campaign", "easter").stdout.splitlines()[1:]


def test_nothing_comes_in_where_the_answers_cannot_be_written(run, deps, file):
    file.with_name("list.csv.result.csv").mkdir()
    done = run("import", file, *WISH, "--yes")
    assert done.exit_code == 1 and "cannot be written (Is a directory)" in done.output
    assert list_actions(deps.reads).rows == []
