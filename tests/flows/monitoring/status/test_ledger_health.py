"""A ledger that answers but cannot be written is no ledger: asked by a write, and told as what it is."""

from datetime import timedelta

import pytest
from sqlalchemy import event, text

from funnel_app.flows.monitoring.check import Status
from funnel_app.flows.monitoring.doctor import examine
from funnel_app.flows.monitoring.notifications.heartbeat import ping
from funnel_app.flows.monitoring.status.ledger_health import (
    WRITTEN_EVERY,
    check_whole_ledger,
    known_damage,
    shorten_log,
    why_unusable,
    write_heartbeat,
)
from funnel_app.flows.monitoring.status.ready import faults
from funnel_app.ledger import heartbeats
from funnel_app.ledger.database import storage


def beats(deps) -> int:
    with deps.reads() as session:
        last = heartbeats.find(session)
    return last.beat_at


def test_readiness_writes_where_nobody_wrote_lately_and_only_then(deps):
    assert why_unusable(deps) is None
    first = beats(deps)
    deps.now.forward(seconds=9)
    assert why_unusable(deps) is None and beats(deps) == first
    deps.now.forward(seconds=1)
    assert why_unusable(deps) is None and beats(deps) == first + WRITTEN_EVERY


@pytest.mark.both_databases
def test_a_ledger_is_checked_before_anything_was_written_to_it(deps):
    assert check_whole_ledger(deps) is None
    with deps.reads() as session:
        assert heartbeats.find(session).checked_at == deps.now()


@pytest.mark.both_databases
def test_there_is_one_row_and_it_keeps_its_id(deps):
    write_heartbeat(deps)
    with deps.reads() as session:
        ledger = heartbeats.find(session).id
    write_heartbeat(deps)
    check_whole_ledger(deps)
    with deps.reads() as session:
        assert heartbeats.find(session).id == ledger
        assert session.scalar(text("SELECT count(*) FROM heartbeats")) == 1


@pytest.fixture
def read_only(deps):
    """A SQLite ledger that answers and takes no writes."""

    def take_nothing(connection, record, proxy) -> None:
        connection.execute("PRAGMA query_only = 1")

    write_heartbeat(deps)
    deps.now.forward(minutes=1)
    event.listen(deps.engine, "checkout", take_nothing)
    yield deps
    event.remove(deps.engine, "checkout", take_nothing)
    deps.engine.dispose()


def test_a_ledger_that_takes_no_writes_is_not_ready_with_the_cure(read_only):
    (fault,) = faults(read_only)
    assert fault.startswith("the ledger cannot be written: the database takes no writes: point DATABASE_URL")


def test_the_dead_mans_switch_is_not_pinged_by_a_ledger_that_takes_no_writes(read_only):
    assert ping(read_only) is False


def test_damage_is_kept_told_with_the_cure_and_over_when_it_is_whole_again(deps, monkeypatch):
    monkeypatch.setattr(storage, "damage", lambda engine: "row 7 missing from index ix_emails_due")
    check_whole_ledger(deps)
    assert "docs/restore.md" in known_damage(deps.reads) and "ix_emails_due" in known_damage(deps.reads)
    (found,) = [check for check in examine(deps) if check.name == "ledger"]
    assert found.status is Status.FAULT and "docs/restore.md" in found.fix
    monkeypatch.undo()
    check_whole_ledger(deps)
    assert known_damage(deps.reads) is None


def test_a_log_that_is_long_gives_its_room_back(deps, monkeypatch):
    monkeypatch.setattr("funnel_app.flows.monitoring.status.ledger_health.LONGEST_LOG", 0)
    write_heartbeat(deps)
    assert storage.log_bytes(deps.engine) > 0
    assert shorten_log(deps)
    assert storage.log_bytes(deps.engine) == 0


def test_a_clock_that_was_ahead_does_not_keep_readiness_from_writing(deps):
    deps.now.forward(hours=1)
    write_heartbeat(deps)
    deps.now.forward(hours=-1)
    why_unusable(deps)
    assert deps.now() - beats(deps) < timedelta(seconds=1)
