"""SQLite's writers stand in line: in the order of coming, across processes, and whoever dies holds up nobody."""

import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from funnel_app.ledger.database import engine as engines
from funnel_app.ledger.database.engine import make_sessions, open_engine
from funnel_app.ledger.database.turns import Turns, take_turns
from funnel_app.ledger.models import Contact
from tests.in_line import until

HOLD = """
import fcntl, os, sys
fcntl.flock(os.open(sys.argv[1], os.O_RDONLY | os.O_CREAT), fcntl.LOCK_EX)
print("mine", flush=True)
sys.stdin.read()
"""


def test_who_came_first_goes_first(tmp_path):
    turns, order = Turns(str(tmp_path / "turn"), 30), []
    turns.take()

    def write(number: int) -> None:
        turns.take()
        order.append(number)
        turns.give_back()

    threads = [Thread(target=write, args=(number,)) for number in range(8)]
    for came, thread in enumerate(threads, start=1):
        thread.start()
        until(lambda came=came: len(turns._line) == came)
    turns.give_back()
    for thread in threads:
        thread.join()
    assert order == list(range(8))


def test_a_process_that_is_killed_gives_its_turn_back(tmp_path):
    path = str(tmp_path / "turn")
    with subprocess.Popen([sys.executable, "-c", HOLD, path], stdin=-1, stdout=-1, text=True) as holder:
        assert holder.stdout.readline() == "mine\n"
        turns, came = Turns(path, 30), Event()
        waiting = Thread(target=lambda: (turns.take(), came.set()))
        waiting.start()
        assert not came.wait(0.05)
        holder.send_signal(signal.SIGKILL)
        assert came.wait(30)
        waiting.join()


def test_a_turn_that_never_comes_is_a_ledger_that_is_away(tmp_path, monkeypatch):
    monkeypatch.setattr(engines, "BUSY_TIMEOUT_MS", 0)
    engine = open_engine(f"sqlite:///{tmp_path}/funnel.db")
    with engine.begin(), pytest.raises(OperationalError), engine.begin():
        pass
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (n)"))
    engine.dispose()


@pytest.mark.parametrize("end", ["commit", "rollback", "invalidate"])
def test_a_turn_lasts_as_long_as_its_transaction_and_not_until_the_connection_is_back(tmp_path, monkeypatch, end):
    monkeypatch.setattr(engines, "BUSY_TIMEOUT_MS", 0)
    engine = open_engine(f"sqlite:///{tmp_path}/funnel.db")
    with engine.connect() as first:
        transaction = first.begin()
        with pytest.raises(OperationalError), engine.begin():
            pass
        getattr(first if end == "invalidate" else transaction, end)()
        with engine.begin() as second:
            second.execute(text("CREATE TABLE t (n)"))
    engine.dispose()


def test_who_cannot_begin_gives_its_turn_back(tmp_path, monkeypatch):
    monkeypatch.setattr(engines, "BUSY_TIMEOUT_MS", 0)
    monkeypatch.setattr(engines, "PRAGMAS", (*engines.PRAGMAS, "busy_timeout=0"))
    engine = open_engine(f"sqlite:///{tmp_path}/funnel.db")
    other = sqlite3.connect(tmp_path / "funnel.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError, match="locked"), engine.begin():
        pass
    other.close()
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (n)"))
    engine.dispose()


def test_who_cannot_commit_gives_its_turn_back_too(tmp_path, monkeypatch):
    monkeypatch.setattr(engines, "BUSY_TIMEOUT_MS", 0)
    engine = open_engine(f"sqlite:///{tmp_path}/funnel.db")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (n PRIMARY KEY)"))
        connection.execute(text("CREATE TABLE child (t REFERENCES t DEFERRABLE INITIALLY DEFERRED)"))
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text("INSERT INTO child VALUES (9)"))
    with engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM child")).scalar() == 0
    engine.dispose()


def test_a_reader_waits_for_no_turn(sqlite):
    sessions, reads = make_sessions(sqlite)
    with sessions.begin() as writing, reads() as reading:
        writing.execute(text("UPDATE alembic_version SET version_num = version_num"))
        assert reading.scalar(select(func.count()).select_from(Contact)) == 0


def test_eight_threads_of_two_engines_count_on_five_rows_and_lose_nothing(sqlite):
    others = open_engine(str(sqlite.url))
    with sqlite.begin() as connection:
        connection.execute(text("CREATE TABLE counted (row INTEGER, n INTEGER)"))
        connection.execute(text("INSERT INTO counted VALUES (0, 0), (1, 0), (2, 0), (3, 0), (4, 0)"))

    def count(number: int) -> None:
        with (sqlite, others)[number % 2].begin() as connection:
            row = number % 5
            n = connection.execute(text("SELECT n FROM counted WHERE row = :row"), {"row": row}).scalar_one()
            connection.execute(text("UPDATE counted SET n = :n WHERE row = :row"), {"n": n + 1, "row": row})

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(count, range(200)))
    with sqlite.connect() as connection:
        assert connection.execute(text("SELECT n FROM counted")).scalars().all() == [40] * 5
    others.dispose()


@pytest.mark.both_databases
def test_postgresql_needs_no_turns(engine):
    assert take_turns(engine) is (engine.dialect.name == "sqlite")
