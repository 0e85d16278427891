"""A replica has each change within seconds, and a ledger comes back from it as it was at any moment."""

import json
import stat
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from funnel_app.flows.maintenance.restore import NotRestored, restore_moment
from funnel_app.flows.monitoring.checks.backups import replica as replica_check
from funnel_app.flows.monitoring.probes.backups import BEHIND
from funnel_app.flows.monitoring.probes.watch import watch
from funnel_app.flows.privacy.erase import erase
from funnel_app.gateways.litestream import Replica
from funnel_app.ledger import incidents
from funnel_app.ledger.database.engine import open_engine
from funnel_app.ledger.database.storage import file_of
from funnel_app.ledger.models import Contact, Email
from tests.factories import make_deps
from tests.flows.leads import opt_in
from tests.pace import patient

ANA, BEA = "ana@resend.dev", "bea@resend.dev"


@pytest.fixture
def folder():
    # A socket's name has 107 characters at most, and pytest's folders have many.
    with tempfile.TemporaryDirectory(prefix="funnel-") as name:
        yield Path(name)


@pytest.fixture
def deps(deps, folder):
    settings = replace(deps.settings, replica_url=f"file://{folder}/replicas")
    found = replace(deps, settings=settings, replica=Replica(settings.replica_url, file_of(deps.engine)))
    object.__setattr__(found.replica, "_socket", folder / "s.sock")
    return found


@contextmanager
def replicating(deps):
    process = subprocess.Popen(deps.replica.command())
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def caught_up(deps) -> datetime:
    """Wait until the replica has all, and return when that was."""
    deadline = time.monotonic() + patient(60)
    while (checks := list(replica_check(deps)))[0].status != "ok":
        assert time.monotonic() < deadline, checks
        time.sleep(0.05)
    return datetime.now(UTC)


def test_a_ledger_comes_back_as_it_was_at_a_moment_and_nothing_goes_twice(deps, migrated_sqlite, folder):
    with replicating(deps):
        opt_in(deps, ANA)
        moment = caught_up(deps)
        opt_in(deps, BEA)
        caught_up(deps)
    for at, known in ((moment, [ANA]), (None, [ANA, BEA])):
        empty = folder / f"restored-{len(known)}.db"
        empty.write_bytes(migrated_sqlite.read_bytes())
        again = make_deps(open_engine(f"sqlite:///{empty}"))
        done = restore_moment(again, deps.replica.url, at)
        with again.reads() as session:
            assert sorted(session.scalars(select(Contact.email))) == known
            first = session.scalars(select(Email).where(Email.step == 1)).first()
            assert (first.state, done.held) == ("ambiguous", len(known))
            assert "restored from the replica at" in first.reason
        again.engine.dispose()


def test_a_new_ledger_never_writes_over_the_replica_of_another(deps, folder):
    other = Replica(deps.settings.replica_url, folder / "other.db")
    (folder / "other.db-replica").write_text("20260101T000000Z\n")
    assert other.url == f"file://{folder}/replicas/20260101T000000Z" != deps.replica.url == deps.replica.url
    store = Replica("s3://bucket/funnel?endpoint=https://minio.example", folder / "other.db")
    assert store.url == "s3://bucket/funnel/20260101T000000Z?endpoint=https://minio.example"


def test_however_often_it_starts_it_leaves_one_file_of_settings_for_its_owner_only(deps):
    ledger, commands = file_of(deps.engine), [deps.replica.command() for _ in range(3)]
    (written,) = ledger.parent.glob("*.yml")
    assert {command[-1] for command in commands} == {str(written)} and stat.S_IMODE(written.stat().st_mode) == 0o600
    assert json.loads(written.read_text())["dbs"][0]["replica"]["url"] == deps.replica.url


def test_one_that_stops_is_a_fault_and_told(deps):
    with replicating(deps):
        caught_up(deps)
        watch(deps)
    for _ in range(2):
        watch(deps)
        deps.now.forward(minutes=2)
    (check,) = replica_check(deps)
    assert check.status == "fault" and "control socket" in check.detail
    with deps.reads() as session:
        assert [each.notified_at is not None for each in incidents.current(session, {BEHIND})] == [True]


def test_an_erasure_clears_the_log_that_the_replica_holds(deps):
    with replicating(deps):
        opt_in(deps, ANA)
        caught_up(deps)
        assert erase(deps, ANA).traces_left is False
        caught_up(deps)
    assert ANA.encode() not in Path(f"{file_of(deps.engine)}-wal").read_bytes()


def test_a_moment_that_no_replica_has_is_said(deps, folder):
    with pytest.raises(NotRestored, match="the replica at 2020-01-01 00:00:00 UTC"):
        restore_moment(deps, f"file://{folder}/nothing", datetime(2020, 1, 1, tzinfo=UTC))
