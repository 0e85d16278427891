"""Backups that fail, or are old, are told whatever failed; and the dead man's switch does not hear that all is well."""

import gzip
from pathlib import Path
from types import SimpleNamespace

import pytest

from funnel_app.flows.maintenance.backup import BackupFailed, backup
from funnel_app.flows.maintenance.nightly_backup import renew_backup
from funnel_app.flows.monitoring.check import Status
from funnel_app.flows.monitoring.checks.backups import backups as check
from funnel_app.flows.monitoring.notifications.digest import digest
from funnel_app.flows.monitoring.notifications.heartbeat import ping
from funnel_app.flows.monitoring.probes import backups
from funnel_app.flows.monitoring.probes.backup_files import taken
from funnel_app.flows.monitoring.probes.watch import watch
from funnel_app.ledger import incidents, snapshots
from tests.factories import make_deps
from tests.flows.monitoring.live import LIVE


@pytest.fixture
def kept(sqlite, tmp_path):
    """A Funnel in production that keeps backups."""
    return make_deps(sqlite, **LIVE, backup_dir=str(tmp_path / "backups"))


def wrong(deps):
    with deps.reads() as session:
        return {incident.kind: incident.detail for incident in incidents.current(session)}


def found(deps):
    (one,) = check(deps)
    return one


def test_a_failed_backup_is_an_incident_a_finding_a_missing_heartbeat_and_a_line_of_the_digest(kept):
    assert ping(kept)
    backups.report(kept, "No backup was made in /data/backups: [Errno 28] No space left on device")
    assert "No space left" in wrong(kept)["backup_failed"]
    assert (found(kept).status, "No space left" in found(kept).detail) == (Status.FAULT, True)
    assert not ping(kept)
    assert "; backups: No backup was made" in digest(kept, kept.now().date())
    kept.now.forward(hours=1)
    backup(kept, Path(kept.settings.backup_dir))
    backups.report(kept, None)
    assert wrong(kept) == {} and found(kept).status is Status.OK and ping(kept)
    assert "backups" not in digest(kept, kept.now().date())


def test_a_backup_that_two_nights_did_not_renew_is_told(kept):
    backup(kept, Path(kept.settings.backup_dir))
    kept.now.forward(hours=25)
    watch(kept)
    assert wrong(kept) == {}, "one night may fail, and is told by that"
    kept.now.forward(hours=24)
    watch(kept)
    assert "24 November, 07:00" in wrong(kept)["backup_old"]
    assert found(kept).status is Status.FAULT and not ping(kept)


def test_where_the_folder_is_not_mounted_nobody_judges_it(sqlite, tmp_path):
    web = make_deps(sqlite, **LIVE, backup_dir=str(tmp_path / "not-here"), role="web")
    assert found(web).status is Status.OK


def test_without_a_folder_a_file_is_warned_of(sqlite, postgres):
    assert found(make_deps(sqlite, **LIVE)).status is Status.WARNING
    assert found(make_deps(postgres, **LIVE)).status is Status.OK


def test_the_room_on_the_backups_own_volume_is_looked_at(kept, monkeypatch):
    backup(kept, Path(kept.settings.backup_dir))
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(total=2**40, used=2**40, free=2**20))
    assert "1 MB are left on the volume of" in found(kept).detail


def refuse(*_args, **_more):
    raise PermissionError(13, "Permission denied")


def spoil(*_args):
    raise snapshots.BadCopy("it cannot be read: malformed")


@pytest.mark.parametrize(
    ("owner", "name", "trouble", "words"),
    [(Path, "mkdir", refuse, "and Funnel runs as uid .*: chown -R"), (snapshots, "verify", spoil, "malformed")],
    ids=["owner", "copy"],
)
def test_whatever_fails_is_one_failure_with_its_cure(kept, monkeypatch, owner, name, trouble, words):
    monkeypatch.setattr(owner, name, trouble)
    with pytest.raises(BackupFailed, match=words):
        backup(kept, Path(kept.settings.backup_dir))


def cut(file):
    file.write_bytes(file.read_bytes()[:-100])


def rot(file):
    content = bytearray(file.read_bytes())
    middle = slice(len(content) // 2, len(content) // 2 + 8)
    # Zeros may be there already: most of an empty ledger is packed into them.
    content[middle] = bytes(byte ^ 0xFF for byte in content[middle])
    file.write_bytes(bytes(content))


def empty(file):
    file.write_bytes(b"")


def take_another(file):
    file.write_bytes(gzip.compress(b"the shopping list"))


def test_whatever_damages_a_backup_is_found(kept):
    for damage in (cut, empty, take_another):
        damaged = Path(renew_backup(kept).made.file)
        damage(damaged)
        kept.now.forward(days=1)
        assert list(renew_backup(kept).broken) == [damaged.name], damage.__name__
        damaged.unlink()
        kept.now.forward(days=1)


def test_a_backup_that_was_damaged_after_it_was_made_is_told_until_it_is_gone(kept):
    damaged = Path(renew_backup(kept).made.file)
    assert found(kept).status is Status.OK and ping(kept)
    rot(damaged)
    kept.now.forward(days=1)
    assert list(renew_backup(kept).broken) == [damaged.name]
    watch(kept)
    assert list(wrong(kept)) == ["backup_broken"]
    assert (found(kept).status, damaged.name in found(kept).detail) == (Status.FAULT, True)
    assert not ping(kept) and f"; backups: {damaged.name}" in digest(kept, kept.now().date())
    damaged.unlink()
    assert found(kept).status is Status.OK and ping(kept)
    kept.now.forward(minutes=3)
    watch(kept)
    assert wrong(kept) == {}


def test_where_no_backup_is_made_those_that_are_there_are_looked_at_all_the_more(kept, monkeypatch):
    cut(Path(renew_backup(kept).made.file))
    monkeypatch.setattr(snapshots, "verify", spoil)
    with pytest.raises(BackupFailed):
        renew_backup(kept)
    assert set(wrong(kept)) == {"backup_failed", "backup_broken"}


def test_what_is_written_or_goes_meanwhile_is_no_damage(kept, monkeypatch):
    old = Path(renew_backup(kept).made.file)
    (old.parent / ".backup-of-tonight").mkdir()
    (old.parent / ".backup-of-tonight" / "packed.db.gz").write_bytes(b"half")
    kept.now.forward(days=1)
    monkeypatch.setattr("funnel_app.flows.maintenance.nightly_backup.prune", lambda *_: old.unlink() or 1)
    listed = taken(old.parent)
    monkeypatch.setattr("funnel_app.flows.maintenance.nightly_backup.taken", lambda _: listed)
    assert renew_backup(kept).broken == {} and wrong(kept) == {}
