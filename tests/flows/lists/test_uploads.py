"""Uploads: a list of the console comes in once, whoever dies on the way, stops at a word, and leaves no file behind."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from funnel_app.flows.lists import take, take_uploaded, uploads
from funnel_app.flows.lists.import_settings import ImportSettings, NotPossible
from funnel_app.flows.monitoring.probes.stopped_lists import stopped_lately
from funnel_app.flows.privacy.erase import erase
from funnel_app.ledger.models import Email, Enrolment
from funnel_app.lists.files import NotAList

ROWS = b"Email,First Name,Password\n" + b"".join(b"lead%d@resend.dev,Ana,hunter2\n" % n for n in range(7))
CHOSEN = ImportSettings(
    columns={"email": (0,), "first_name": (1,)}, sequence="lead_nurture", consent="fair, 3 May 2026"
)


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch):
    monkeypatch.setattr(take, "ROWS_AT_ONCE", 3)


@pytest.fixture
def begun(deps):
    kept = uploads.keep_list(deps, "list.csv", ROWS, "Olga")
    uploads.look(deps, kept, CHOSEN)
    uploads.start(deps, kept, "Olga")
    return kept


def enrolled(deps) -> int:
    with deps.reads() as session:
        return session.scalar(select(func.count()).select_from(Enrolment))


def stands(deps, import_id):
    kept, counts = uploads.find_import(deps.reads, import_id)
    return str(kept.state), dict(counts), kept.file is None


def dying(deps, at: int):
    """Return collaborators with whom an import dies at its so many-th rest."""
    rests = iter(range(at))

    def sleep(_: float) -> None:
        if next(rests, None) is None:
            raise SystemExit

    return replace(deps, sleep=sleep)


def test_a_draft_says_what_would_become_of_it_and_shows_no_secret(deps):
    kept = uploads.keep_list(deps, "list.csv", ROWS, "Olga")
    columns = uploads.columns_of(uploads.find_import(deps.reads, kept)[0])
    assert [(each.field, each.example) for each in columns] == [
        ("email", "lead0@resend.dev"), ("first_name", "Ana"), ("", ""),
    ]  # fmt: skip
    assert uploads.look(deps, kept, CHOSEN).counts == {"enrolled": 7}
    with pytest.raises(NotPossible, match="agreed"):
        uploads.look(deps, kept, replace(CHOSEN, consent=""))
    assert take_uploaded.take_waiting(deps) is None and enrolled(deps) == 0


def test_what_is_kept_of_a_file_reads_as_the_file_did_or_is_refused_at_once(deps):
    zero = b"\xef\xbb\xbfEmail,First Name\nana@resend.dev,A\0na\n"
    kept, _ = uploads.find_import(deps.reads, uploads.keep_list(deps, "a", zero, ""))
    assert [each.example for each in uploads.columns_of(kept)] == ["ana@resend.dev", "Ana"]
    with pytest.raises(NotAList):
        uploads.keep_list(deps, "b", "{{Email}},Name\nana@resend.dev,Ana\n".encode("utf-16"), "")


@pytest.mark.both_databases
def test_a_list_comes_in_and_its_file_is_forgotten(deps):
    kept = uploads.keep_list(deps, "list.csv", ROWS, "Olga")
    uploads.look(deps, kept, CHOSEN)
    uploads.start(deps, kept, "Olga")
    assert take_uploaded.take_waiting(deps) is False
    assert stands(deps, kept) == ("done", {"enrolled": 7}, True)
    rows = list(uploads.answered_rows(deps.reads, kept))
    assert len(rows) == 8 and rows[1][:3] == (2, "lead0@resend.dev", "enrolled")
    assert take_uploaded.take_waiting(deps) is None


@pytest.mark.parametrize("at", [0, 2, 4])
def test_a_taker_that_died_is_followed_by_another_and_nothing_is_done_twice(deps, begun, at):
    with pytest.raises(SystemExit):
        take_uploaded.take_waiting(dying(deps, at))
    assert take_uploaded.take_waiting(deps) is None
    deps.now.forward(minutes=2)
    take_uploaded.take_waiting(deps)
    assert stands(deps, begun) == ("done", {"enrolled": 7}, True) and enrolled(deps) == 7


def test_one_whose_list_another_took_meanwhile_counts_no_row_of_it(deps, begun):
    def be_late(_: float) -> None:
        deps.now.forward(minutes=2)
        take_uploaded.take_waiting(deps)

    take_uploaded.take_waiting(replace(deps, sleep=be_late))
    kept, counts = uploads.find_import(deps.reads, begun)
    assert (kept.done, dict(counts), enrolled(deps)) == (14, {"enrolled": 7}, 7)


def stopped_after_three_rows(deps, kept):
    """Take a list, and stop it at the fourth rest: the first three were those of the pass that takes nobody in."""
    rests = []

    def stop_at_the_fourth(_: float) -> None:
        rests.append(1)
        if len(rests) == 4:
            uploads.stop(deps, kept, "Olga")

    take_uploaded.take_waiting(replace(deps, sleep=stop_at_the_fourth))


def test_a_stop_stops_between_two_transactions_and_goes_on_where_it_was(deps, begun):
    stopped_after_three_rows(deps, begun)
    assert enrolled(deps) == 3 and stands(deps, begun)[0] == "stopped"
    with pytest.raises(NotPossible):
        uploads.stop(deps, begun, "Olga")
    uploads.start(deps, begun, "Olga")
    take_uploaded.take_waiting(deps)
    assert stands(deps, begun) == ("done", {"enrolled": 7}, True) and enrolled(deps) == 7


def test_an_erasure_reaches_a_draft_and_the_answers(deps, begun):
    draft = uploads.keep_list(deps, "other.csv", ROWS, "Olga")
    written = uploads.keep_list(deps, "third.csv", b"Email\nANA@xn--bcher-kva.example\n", "Olga")
    longer = uploads.keep_list(deps, "fourth.csv", b"Email\nmylead0@resend.dev\n", "Olga")
    take_uploaded.take_waiting(deps)
    erase(deps, "lead0@resend.dev")
    erase(deps, "Ana@B\u00fccher.example")
    kept, _ = uploads.find_import(deps.reads, draft)
    assert kept.file is None and "erased" in kept.fault
    assert stands(deps, written)[2] and not stands(deps, longer)[2], "somebody else's address holds theirs"
    assert [row[1] for row in uploads.answered_rows(deps.reads, begun)][1:3] == ["erased", "lead1@resend.dev"]


def test_the_file_of_a_stopped_import_goes_a_day_later_and_its_answers_stay(deps, begun):
    rests = iter([None] * 4)
    stopping = replace(deps, sleep=lambda _: next(rests, 0) is None or uploads.stop(deps, begun, "Olga"))
    with suppress(NotPossible):
        take_uploaded.take_waiting(stopping)
    deps.now.forward(hours=23)
    uploads.forget_lists(deps)
    assert stands(deps, begun) == ("stopped", {"enrolled": 3}, False)
    deps.now.forward(hours=2)
    uploads.forget_lists(deps)
    assert stands(deps, begun) == ("stopped", {"enrolled": 3}, True)
    with pytest.raises(NotPossible, match="bring it again"):
        uploads.start(deps, begun, "Olga")
    deps.now.forward(days=30)
    assert uploads.forget_lists(deps) == 1


@pytest.mark.both_databases
def test_drafts_and_old_imports_are_forgotten(deps, begun):
    take_uploaded.take_waiting(deps)
    uploads.keep_list(deps, "other.csv", ROWS, "Olga")
    deps.now.forward(days=1, seconds=1)
    assert uploads.forget_lists(deps) == 1
    deps.now.forward(days=timedelta(days=30).days)
    assert uploads.forget_lists(deps) == 1 and uploads.list_imports(deps.reads) == []


def test_a_list_that_breaks_lets_the_others_go_on_and_waits_for_a_person_the_second_time(deps, monkeypatch):
    broken, other = (uploads.keep_list(deps, name, ROWS, "Olga") for name in ("broken.csv", "other.csv"))
    for each in (broken, other):
        uploads.look(deps, each, CHOSEN)
        uploads.start(deps, each, "Olga")
    real = take_uploaded.take_list

    def take(deps, file, plan):
        if uploads.find_import(deps.reads, broken)[0].state == "running":
            raise KeyError("nobody foresaw it")
        yield from real(deps, file, plan)

    monkeypatch.setattr(take_uploaded, "take_list", take)
    with pytest.raises(KeyError):
        take_uploaded.take_waiting(deps)
    take_uploaded.take_waiting(deps)
    assert (stands(deps, other)[0], stands(deps, broken)[0]) == ("done", "waiting")
    with pytest.raises(KeyError):
        take_uploaded.take_waiting(deps)
    assert take_uploaded.take_waiting(deps) is None
    assert stands(deps, broken)[0] == "stopped" and "KeyError" in uploads.find_import(deps.reads, broken)[0].fault
    assert stopped_lately(deps) == "broken.csv did not come in whole: it stopped by itself"
    monkeypatch.undo()
    uploads.start(deps, broken, "Olga")
    take_uploaded.take_waiting(deps)
    assert stands(deps, broken)[0] == "done" and stopped_lately(deps) is None


def test_first_emails_are_spread_over_the_time_that_was_said(deps):
    live = replace(deps, settings=replace(deps.settings, testing_mode=False))
    kept = uploads.keep_list(live, "list.csv", ROWS, "Olga")
    chosen = replace(CHOSEN, over=timedelta(days=7))
    assert ImportSettings.from_json(chosen.as_json()) == chosen
    first_go = uploads.look(live, kept, chosen).first_go
    assert first_go.startswith("The first emails go between 07:00 and 1 December, 07:00")
    began = live.now()
    uploads.start(live, kept, "Olga")
    take_uploaded.take_waiting(live)
    with live.reads() as session:
        due = session.scalars(select(Email.due_at).order_by(Email.due_at)).all()
    # Three rows at once in this file's tests: of seven, at the beginning, after three days and after six.
    first = [round((at - began) / timedelta(days=1)) for at in due]
    assert first == sorted(begins + step for begins in (0, 0, 0, 3, 3, 3, 6) for step in range(5))


def test_a_list_that_goes_on_is_no_faster_than_was_said(deps):
    live = replace(deps, settings=replace(deps.settings, testing_mode=False))
    kept = uploads.keep_list(live, "list.csv", ROWS, "Olga")
    uploads.look(live, kept, replace(CHOSEN, over=timedelta(days=8)))
    uploads.start(live, kept, "Olga")
    stopped_after_three_rows(live, kept)
    assert enrolled(live) == 3
    live.now.forward(days=30)
    began = live.now()
    uploads.start(live, kept, "Olga")
    take_uploaded.take_waiting(live)
    with live.reads() as session:
        due = session.scalars(select(Email.due_at).where(Email.step == 1, Email.due_at >= began)).all()
    # As if it began again: the places of the three that came in stay empty.
    assert sorted(round((at - began) / timedelta(days=1)) for at in due) == [3, 3, 3, 7]


@pytest.mark.parametrize("over", [timedelta(days=32), timedelta(days=-1)])
def test_first_emails_are_spread_over_a_month_at_most(deps, over):
    kept = uploads.keep_list(deps, "list.csv", ROWS, "Olga")
    with pytest.raises(NotPossible, match="31 days at most"):
        uploads.look(deps, kept, replace(CHOSEN, over=over))
