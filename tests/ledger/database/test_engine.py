"""The ledger's promises: durable, aware, ordered, and never "database is locked"."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from funnel_app.ledger import contacts, suppressions
from funnel_app.ledger.database.engine import LedgerUnavailable, make_sessions, open_engine
from funnel_app.ledger.models import Contact, EmailEvent, Scope, TemplateVersion
from funnel_app.ledger.models.types import new_id

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def write_many(engine, writer: int) -> int:
    """Write as a process of its own does: an engine of its own, read and write in one transaction."""
    own = open_engine(str(engine.url)) if engine.dialect.name == "sqlite" else engine
    sessions, _ = make_sessions(own)
    for n in range(12):
        with sessions.begin() as session:
            session.scalar(select(Contact.id).limit(1))
            contacts.upsert(session, f"{writer}.{n}@resend.dev", f"{writer}.{n}@resend.dev", {}, NOW)
            time.sleep(0.002)  # a transaction that takes its time is what makes others meet the lock
    if own is not engine:
        own.dispose()
    return writer


@pytest.mark.both_databases
def test_16_writers_at_once_never_find_the_database_locked(engine):
    with ThreadPoolExecutor(16) as writers:
        assert sorted(writers.map(lambda n: write_many(engine, n), range(16))) == list(range(16))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM contacts")).scalar() == 16 * 12


def test_sqlite_is_durable_and_patient(tmp_path):
    with open_engine(f"sqlite:///{tmp_path}/funnel.db").connect() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}


@pytest.mark.parametrize("there", [False, True])
def test_the_file_is_its_owners_alone_whatever_the_umask_is(tmp_path, there):
    file = tmp_path / "funnel.db"
    if there:
        file.touch(0o644)
        Path(f"{file}-turn").touch(0o644)
    before = os.umask(0)
    engine = open_engine(f"sqlite:///{file}")
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE t (x)")
            modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob("funnel.db*")}
    finally:
        os.umask(before)
        engine.dispose()
    assert modes == dict.fromkeys(("funnel.db", "funnel.db-wal", "funnel.db-shm", "funnel.db-turn"), 0o600)


def test_readers_do_not_wait_for_a_writer(sqlite):
    sessions, reads = make_sessions(sqlite)
    with sessions.begin() as writing:
        contacts.upsert(writing, "ana@resend.dev", "ana@resend.dev", {}, NOW)
        with reads() as reading:
            assert contacts.find(reading, "ana@resend.dev") is None


@pytest.mark.parametrize(
    "url", ["sqlite:////no/such/folder/f.db", "postgresql://nobody@127.0.0.1:1/none", "postgres://nobody@127.0.0.1:1/x"]
)
def test_a_ledger_that_is_away_is_unavailable(url):
    engine = open_engine(url)
    with pytest.raises(LedgerUnavailable), engine.connect():
        pass
    engine.dispose()


@pytest.mark.both_databases
def test_a_table_that_is_not_there_yet_is_unavailable(engine):
    with pytest.raises(LedgerUnavailable), engine.connect() as connection:
        connection.execute(text("SELECT 1 FROM not_there_yet"))


@pytest.mark.both_databases
def test_times_come_back_aware_and_in_utc(sessions):
    toronto = datetime(2026, 11, 24, 7, 0, 0, 123456, tzinfo=timezone(timedelta(hours=-5)))
    with sessions.begin() as session:
        contacts.upsert(session, "ana@resend.dev", "ana@resend.dev", {}, toronto)
    with sessions() as session:
        kept = session.scalars(select(Contact.created_at)).one()
    assert kept == toronto and kept.tzinfo is UTC


@pytest.mark.both_databases
def test_a_time_without_a_zone_is_refused(sessions):
    with pytest.raises(ValueError, match="has no time zone"), sessions.begin() as session:
        contacts.upsert(session, "ana@resend.dev", "ana@resend.dev", {}, NOW.replace(tzinfo=None))


def test_ids_are_ordered_by_time():
    ids = [new_id() for _ in range(2000)]
    assert ids == sorted(ids) and len(set(ids)) == 2000
    assert {each.version for each in ids} == {7}


@pytest.mark.both_databases
def test_long_texts_come_back_as_they_were_and_take_little_room(sessions):
    html = "<p>Grüße 💇 aus Montréal</p>" * 500
    times = {"fetched_at": NOW, "since_at": NOW, "checked_at": NOW}
    with sessions.begin() as session:
        session.add(TemplateVersion(key="k", hash="h", subject="s", html=html, good=True, problems=[], **times))
    with sessions() as session:
        version = session.scalars(select(TemplateVersion)).one()
        assert (version.html, version.ready_html) == (html, None)
        assert session.scalar(text("SELECT length(html) FROM template_versions")) < len(html) / 20


@pytest.mark.both_databases
def test_rows_that_must_be_unique_are(sessions):
    with sessions.begin() as session:
        ana = contacts.upsert(session, "ana@resend.dev", "ana@resend.dev", {}, NOW)
    with pytest.raises(IntegrityError), sessions.begin() as session:
        session.add(
            Contact(email="x", email_norm=ana.email_norm, unsubscribe_token="t", created_at=NOW, updated_at=NOW)
        )


@pytest.mark.both_databases
def test_a_row_of_nobody_is_refused(sessions):
    with pytest.raises(IntegrityError), sessions.begin() as session:
        session.add(EmailEvent(email_id=new_id(), kind="planned", at=NOW, recorded_at=NOW))


@pytest.mark.both_databases
def test_an_address_stays_suppressed_after_it_is_erased(sessions):
    with sessions.begin() as session:
        added = [
            suppressions.add(session, "ana@resend.dev", "pepper", scope=Scope.ALL, reason=why, source="t", now=NOW)
            for why in ("bounced", "again")
        ]
        session.execute(text("UPDATE suppressions SET email_norm = NULL"))
    assert added == [True, False]
    with sessions() as session:
        assert suppressions.find(session, "ana@resend.dev", "pepper", "transactional").reason == "bounced"
        assert suppressions.find(session, "ana@resend.dev", "another pepper", "transactional") is None
        assert suppressions.find(session, "bea@resend.dev", "pepper", "marketing") is None


@pytest.mark.both_databases
def test_a_suppression_of_marketing_lets_the_rest_through(sessions):
    with sessions.begin() as session:
        suppressions.add(session, "a@r.dev", "p", scope=Scope.MARKETING, reason="left", source="t", now=NOW)
        assert suppressions.find(session, "a@r.dev", "p", "marketing").reason == "left"
        assert suppressions.find(session, "a@r.dev", "p", "transactional") is None
