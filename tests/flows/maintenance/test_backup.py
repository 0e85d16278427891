"""Back up: a copy of one moment, opened and counted; restore: nothing that may have gone out goes again."""

import gzip
import sqlite3
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from uuid import uuid4

import pytest
from sqlalchemy import text

from funnel_app.campaigns.states import State
from funnel_app.flows.console.intervene import resolve
from funnel_app.flows.lists import take_uploaded, uploads
from funnel_app.flows.lists.import_settings import ImportSettings
from funnel_app.flows.maintenance.backup import BackupFailed, backup, prune
from funnel_app.flows.maintenance.restore import NotRestored, restore
from funnel_app.flows.maintenance.sweep import sweep
from funnel_app.flows.monitoring.probes.backup_files import backup_due, taken
from funnel_app.flows.replies.history import list_received
from funnel_app.flows.replies.work import answer_received
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.sending.recheck import recheck_held
from funnel_app.flows.sending.record_event import record_event
from funnel_app.flows.sending.submit import repeat
from funnel_app.gateways.resend.answers import Answer, AnswerKind
from funnel_app.gateways.resend.inbox import IncomingEmail
from funnel_app.ledger import emails, received_emails, snapshots
from funnel_app.ledger.database import schema
from funnel_app.ledger.database.engine import open_engine
from funnel_app.ledger.models import Contact, Message
from funnel_app.ledger.models.received_emails import Forward, Reading
from funnel_app.rules.emails.reports import Report
from tests.factories import make_deps
from tests.flows.leads import email_ids, email_ids_of, look, opt_in, request_of, states, write_templates
from tests.pace import patient
from tests.sqlite_files import open_copy


def successor(deps, engine):
    """Collaborators over another ledger, in the same world at the same time."""
    new = make_deps(engine)
    for name in ("mailer", "notebook", "now", "sleep"):
        object.__setattr__(new, name, getattr(deps, name))
    return new


@pytest.fixture
def new_file(tmp_path):
    """A ledger whose tables are still to be made."""
    engine = open_engine(f"sqlite:///{tmp_path}/new.db")
    yield engine
    engine.dispose()


@pytest.fixture
def elsewhere(migrated_sqlite, tmp_path):
    """An empty ledger of this release."""
    engine = open_copy(migrated_sqlite, tmp_path / "restored.db")
    yield engine
    engine.dispose()


def run_on(deps):
    """Do all that scheduler and workers would do now."""
    sweep(deps)
    recheck_held(deps)
    for email_id in email_ids_of(deps):
        deliver(deps, [email_id])
        if (request_id := look(deps, email_id).request_id) is not None:
            repeat(deps, request_id)


def backed_up(deps, tmp_path) -> Path:
    return Path(backup(deps, tmp_path / "backups").file)


def test_a_backup_holds_every_row_and_is_for_its_owner_only(ready, tmp_path):
    deliver(ready, email_ids(opt_in(ready))[:1])
    made = backup(ready, tmp_path / "backups")
    assert made.rows["contacts"] == 1 and made.rows["emails"] == 5 and made.rows["messages"] == 1
    assert stat.S_IMODE(Path(made.file).stat().st_mode) == 0o600
    assert Path(made.file).name == "funnel-20261124T120000Z.db.gz"
    assert [path.name for path in (tmp_path / "backups").iterdir()] == [Path(made.file).name], "nothing else is left"


def test_the_folders_that_a_backup_makes_are_its_owners_alone_and_others_stay(ready, tmp_path):
    tmp_path.chmod(0o755)
    made = Path(backup(ready, tmp_path / "off" / "backups").file)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (made.parent, made.parent.parent, tmp_path)]
    assert modes == [0o700, 0o700, 0o755]


@pytest.mark.both_databases
def test_what_is_restored_is_what_was_backed_up(ready, new_file, tmp_path):
    """On either database, and into a SQLite file: texts, times and JSON are the same."""
    first = email_ids(opt_in(ready))[0]
    deliver(ready, [first])
    new = successor(ready, new_file)
    restored = restore(new, backed_up(ready, tmp_path))
    assert restored.held == 0
    assert look(new, first).sent_at == look(ready, first).sent_at
    with ready.reads() as old, new.reads() as copy:
        assert old.query(Message).one().html == copy.query(Message).one().html
        assert old.query(Contact).one().created_at == copy.query(Contact).one().created_at
    schema.check(new_file)


def test_a_ledger_moves_from_sqlite_to_postgresql(deps, postgres, tmp_path):
    write_templates(deps)
    first = email_ids(opt_in(deps))[0]
    new = successor(deps, postgres)
    try:
        restore(new, backed_up(deps, tmp_path))
        assert look(new, first).due_at == look(deps, first).due_at
    finally:
        with postgres.begin() as connection:
            connection.execute(text(f"TRUNCATE {', '.join(snapshots.METADATA.tables)} CASCADE"))


def test_nothing_that_went_out_after_the_backup_goes_again(ready, elsewhere, tmp_path):
    """Old world: backup, then two more emails. New world: what was due since the backup stays (minutes for days)."""
    receipt = opt_in(ready)
    run_on(ready)
    file = backed_up(ready, tmp_path)
    for _ in range(2):
        ready.now.forward(minutes=1)
        run_on(ready)
    went_out = list(ready.mailer.calls)
    assert len(went_out) == 3
    new = successor(ready, elsewhere)
    assert restore(new, file).held == 2
    run_on(new)
    assert ready.mailer.calls == went_out
    assert states(new, receipt) == ["sent", "ambiguous", "ambiguous", "planned", "planned"]
    assert "may have gone out since that backup" in look(new, email_ids(receipt)[1]).reason


def test_an_email_that_was_in_flight_at_the_backup_is_not_sent_again(ready, elsewhere, tmp_path):
    """Its request was refused for the rate and waits; after the backup it was accepted; a day later its key is lost."""
    first = email_ids(opt_in(ready))[0]
    ready.mailer.script = [Answer(AnswerKind.RATE_LIMITED, detail="429", retry_after=1.0)]
    deliver(ready, [first])
    file = backed_up(ready, tmp_path)
    ready.now.forward(seconds=5)
    ready.pause.clear()
    repeat(ready, request_of(ready, first).id)
    assert len(ready.mailer.calls) == 2
    ready.now.forward(days=1)
    new = successor(ready, elsewhere)
    restore(new, file)
    ready.now.forward(seconds=60)
    run_on(new)
    sent_again = [key for key, _ in ready.mailer.calls[2:] if key.startswith(f"email-{first}")]
    assert look(new, first).state == State.AMBIGUOUS and sent_again == []


def test_an_email_that_was_held_at_the_backup_may_have_gone_too(deps, elsewhere, tmp_path):
    first = email_ids(opt_in(deps))[0]
    deliver(deps, [first])
    assert look(deps, first).state == State.HELD
    file = backed_up(deps, tmp_path)
    write_templates(deps)
    deps.now.forward(minutes=2)
    run_on(deps)
    new = successor(deps, elsewhere)
    restore(new, file)
    deps.now.forward(minutes=2)
    run_on(new)
    assert len(deps.mailer.calls) == 1 and look(new, first).state == State.AMBIGUOUS


def test_resends_report_releases_what_waits_and_what_comes_next_goes_on(ready, elsewhere, tmp_path):
    receipt = opt_in(ready)
    file = backed_up(ready, tmp_path)
    run_on(ready)
    ready.now.forward(seconds=30)
    new = successor(ready, elsewhere)
    restore(new, file)
    first = email_ids(receipt)[0]
    came = {"at": ready.now(), "detail": None, "resend_id": "resend-0-0", "email_id": first}
    record_event(new, Report(provider_event_id=f"msg_{uuid4()}", kind="email.delivered", **came))
    assert look(new, first).state == State.DELIVERED
    ready.now.forward(minutes=1)
    run_on(new)
    assert states(new, receipt)[:2] == ["delivered", "sent"]


def test_what_a_person_releases_goes_under_the_key_that_resend_already_knows(ready, elsewhere, tmp_path):
    """Within a day even a wrong decision makes no second email."""
    first = email_ids(opt_in(ready))[0]
    file = backed_up(ready, tmp_path)
    run_on(ready)
    new = successor(ready, elsewhere)
    restore(new, file)
    with new.sessions.begin() as session:
        emails.move(session, emails.load(session, [first])[0], State.PLANNED, new.now(), "released")
    run_on(new)
    assert look(new, first).state == State.SENT and len(ready.mailer.sent()) == 1


def test_what_a_person_released_and_resend_reports_goes_no_more_though_its_key_is_forgotten(ready, elsewhere, tmp_path):
    """A wrong decision while Funnel held off sending; Resend's report comes before the email is handed over again."""
    first = email_ids(opt_in(ready))[0]
    file = backed_up(ready, tmp_path)
    run_on(ready)
    new = successor(ready, elsewhere)
    restore(new, file)
    resolve(new, first, "not-sent")
    came = {"at": ready.now(), "detail": None, "resend_id": "resend-0-0", "email_id": first}
    record_event(new, Report(provider_event_id=f"msg_{uuid4()}", kind="email.delivered", **came))
    ready.now.forward(days=1, minutes=1)
    run_on(new)
    assert look(new, first).state == State.DELIVERED
    assert not [key for key, _ in ready.mailer.calls[1:] if key.startswith(f"email-{first}")]


def test_a_restore_goes_into_an_empty_ledger_only(ready, tmp_path):
    opt_in(ready)
    file = backed_up(ready, tmp_path)
    with pytest.raises(NotRestored, match=r"holds \d+ rows already"):
        restore(ready, file)


def test_a_ledger_of_another_release_is_not_an_empty_place(deps, new_file, tmp_path):
    file = backed_up(deps, tmp_path)
    schema.upgrade(new_file, "0001_create_ledger")
    with pytest.raises(NotRestored, match="another release's migration"):
        restore(successor(deps, new_file), file)


def test_a_backup_of_a_release_before_is_brought_up_to_date(tmp_path, new_file):
    old = open_engine(f"sqlite:///{tmp_path}/old.db")
    schema.upgrade(old, "0001_create_ledger")
    with sqlite3.connect(tmp_path / "old.db") as ledger, gzip.open(tmp_path / "old.db.gz", "wb") as packed:
        ledger.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        packed.write((tmp_path / "old.db").read_bytes())
    old.dispose()
    assert restore(make_deps(new_file), tmp_path / "old.db.gz").rows["contacts"] == 0
    assert schema.at_head(new_file)


def test_a_backup_of_a_newer_release_is_refused(deps, elsewhere, tmp_path):
    with deps.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999_of_tomorrow'"))
    with pytest.raises(NotRestored, match="newer release"):
        restore(successor(deps, elsewhere), backed_up(deps, tmp_path))


DAMAGES = [
    lambda good: good[: len(good) // 2],
    lambda good: good[:1000] + bytes(8) + good[1008:],
    lambda good: b"no backup",
    lambda good: b"",
]


def test_a_damaged_file_is_refused_and_changes_nothing(deps, new_file, tmp_path):
    opt_in(deps)
    file = backed_up(deps, tmp_path)
    good = file.read_bytes()
    for number, damage in enumerate(DAMAGES):
        file.write_bytes(damage(good))
        with pytest.raises(NotRestored):
            restore(successor(deps, new_file), file)
        assert schema.current(new_file) is None, f"damage {number}"


def test_a_copy_that_is_no_ledger_or_has_rows_without_owner_is_refused(deps, tmp_path):
    with pytest.raises(snapshots.BadCopy, match="cannot be read"):
        (tmp_path / "text.db").write_text("no database at all, but long enough to be looked at" * 50)
        snapshots.verify(tmp_path / "text.db")
    opt_in(deps)
    snapshots.write(deps.engine, tmp_path / "orphans.db")
    with sqlite3.connect(tmp_path / "orphans.db") as copy:
        copy.execute("DELETE FROM enrolments")
    with pytest.raises(snapshots.BadCopy, match="belong to rows that are not there"):
        snapshots.verify(tmp_path / "orphans.db")


def test_a_copy_that_differs_from_the_ledger_is_no_backup(deps, tmp_path, monkeypatch):
    monkeypatch.setattr(snapshots, "verify", lambda path: {"contacts": 7})
    with pytest.raises(BackupFailed, match="'contacts': 7"):
        backup(deps, tmp_path)
    assert taken(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_told(deps, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BackupFailed, match="No backup was made in"):
        backup(deps, tmp_path / "file")


def test_postgresql_is_copied_only_at_the_migration_of_this_release(postgres, tmp_path, monkeypatch):
    monkeypatch.setattr(schema, "head", lambda: "0999_later")
    with pytest.raises(BackupFailed, match="not at this release's migration"):
        backup(make_deps(postgres), tmp_path)


@pytest.mark.both_databases
def test_a_backup_while_hooks_come_in_is_of_one_moment(ready, tmp_path):
    """Each lead is one contact and five emails, in one transaction: so they are in every copy."""
    stop, begun = Event(), Event()

    def leads_come_in():
        number = 0
        while not stop.is_set():
            opt_in(ready, f"lead{number}@resend.dev")
            number += 1
            begun.set()

    caller = Thread(target=leads_come_in)
    caller.start()
    try:
        assert begun.wait(patient(10))
        made = [backup(ready, tmp_path / str(n)).rows for n in range(2)]
    finally:
        stop.set()
        caller.join()
    assert all(rows["emails"] == 5 * rows["contacts"] == 5 * rows["enrolments"] > 0 for rows in made)
    assert made[0]["contacts"] <= made[-1]["contacts"]


def test_old_backups_go_and_the_newest_stays(tmp_path):
    now = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
    for days in (40, 20, 13, 1):
        (tmp_path / f"funnel-{now - timedelta(days=days):%Y%m%dT%H%M%SZ}.db.gz").touch()
    (tmp_path / "funnel-by-hand.db.gz").touch()
    assert prune(tmp_path, timedelta(days=14), now) == 2
    assert len(taken(tmp_path)) == 2 and (tmp_path / "funnel-by-hand.db.gz").exists()
    assert prune(tmp_path, timedelta(0), now) == 1, "the newest is never removed"
    assert prune(tmp_path / "nowhere", timedelta(0), now) == 0


def test_what_a_killed_backup_left_is_cleared_up(deps, tmp_path):
    (tmp_path / ".backup-of-a-dead-process").mkdir()
    backup(deps, tmp_path)
    assert not (tmp_path / ".backup-of-a-dead-process").exists()


def test_two_backups_into_one_folder_wait_for_each_other(deps, tmp_path, monkeypatch):
    """One by hand beside the night's: each clears up what a dead one left, and neither what the other writes."""
    begun, other, verify = Event(), [], snapshots.verify

    def begin_another(path):
        if not begun.is_set():
            begun.set()
            other.append(Thread(target=backup, args=(deps, tmp_path)))
            other[0].start()
            other[0].join(0.2)
        return verify(path)

    monkeypatch.setattr(snapshots, "verify", begin_another)
    assert backup(deps, tmp_path).rows["contacts"] == 0
    other[0].join(patient(20))
    assert len(taken(tmp_path)) == 1 and not other[0].is_alive()


def test_a_backup_is_due_once_a_night(sqlite, tmp_path):
    """At three in the morning of the business, which is eight in London in November."""
    deps = make_deps(sqlite, backup_dir=str(tmp_path))
    assert backup_due(deps), "there is none yet"
    backup(deps, tmp_path)
    assert not backup_due(deps)
    deps.now.at = datetime(2026, 11, 25, 7, 59, tzinfo=UTC)
    assert not backup_due(deps)
    deps.now.at = datetime(2026, 11, 25, 8, 1, tzinfo=UTC)
    assert backup_due(deps)
    assert not backup_due(make_deps(sqlite)), "without a folder never"


def test_after_a_restore_no_reply_goes_on_and_no_list_comes_in_by_itself(deps, elsewhere, tmp_path):
    """Both went their way after the backup, which knows nothing of it; a day later Resend forgot the key."""
    received = [
        {"resend_id": f"in-{n}", "received_at": deps.now(), "sender": "bo@x.example", "subject": "Hi"} for n in "12"
    ]
    with deps.sessions.begin() as session:
        received_emails.keep(session, {**received[0], "reading": Reading.READ, "forward": Forward.DUE})
        received_emails.keep(session, {**received[1], "reading": Reading.WAITING})
    kept = uploads.keep_list(deps, "list.csv", b"Email\nbo@resend.dev\n", "Olga")
    uploads.look(deps, kept, ImportSettings(columns={"email": (0,)}, sequence="lead_nurture", consent="fair"))
    uploads.start(deps, kept, "Olga")
    new = successor(deps, elsewhere)
    object.__setattr__(new, "settings", replace(new.settings, reply_forward_to="delivered@resend.dev"))
    new.inbox.letters["in-2"] = IncomingEmail({}, "Call me.", None)
    restore(new, backed_up(deps, tmp_path))
    deps.now.forward(days=1)
    answer_received(new)
    assert take_uploaded.take_waiting(new) is None
    rows = list_received(new.reads, None, 9)
    assert [(row["read"], row["forward"]) for row in rows] == [(True, "unsure")] * 2
    assert [row["text"] for row in rows] == ["Call me.", None] and new.mailer.calls == []
    stopped, _ = uploads.find_import(new.reads, kept)
    assert stopped.state == "stopped" and "may have gone out since that backup" in stopped.fault
