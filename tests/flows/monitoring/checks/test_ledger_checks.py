"""The doctor's checks of the ledger: where it lies, whether it lasts, and what is said where it is away."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from funnel_app.flows.monitoring import doctor
from funnel_app.flows.monitoring.checks import ledger
from funnel_app.flows.monitoring.doctor import examine
from funnel_app.ledger.database import storage
from funnel_app.ledger.database.engine import open_engine
from tests.factories import make_deps


def found(deps):
    return {check.name: check for check in examine(deps)}


KINDS = {
    "fault": ("tmpfs", "overlay", "nfs4", "cifs", "smb3"),
    # A sandbox or a virtual machine of one's own shows a folder of its host so: it may do, and nobody is woken for it.
    "warning": ("9p", "virtiofs", "fuse.sshfs"),
    "ok": ("ext4", "xfs", "btrfs", "zfs", "fuseblk"),
}


@pytest.mark.parametrize(("kind", "status"), [(kind, status) for status in KINDS for kind in KINDS[status]])
def test_a_ledger_must_outlive_its_container(deps, monkeypatch, kind, status):
    monkeypatch.setattr(storage, "file_of", lambda engine: Path("/data/funnel.db"))
    monkeypatch.setattr(ledger, "mount_of", lambda file: ("/data", kind))
    (check,) = ledger.where(deps)
    assert check.status == status


def test_a_ledger_in_memory_or_in_a_folder_that_is_emptied_is_told(deps, monkeypatch):
    monkeypatch.setattr(ledger, "mount_of", lambda file: ("/", "ext4"))
    for file, status in ((None, "fault"), (Path("/tmp/funnel.db"), "warning")):
        monkeypatch.setattr(storage, "file_of", lambda engine, file=file: file)
        assert [check.status for check in ledger.where(deps)] == [status]
    assert [check.detail for check in ledger.room(deps)] != []


def test_a_folder_that_everybody_may_write_to_is_told(deps, monkeypatch, tmp_path):
    monkeypatch.setattr(ledger, "mount_of", lambda file: ("/data", "ext4"))
    monkeypatch.setattr(ledger, "EMPTIED", "/nowhere")
    for mode, status in ((0o775, "ok"), (0o777, "warning")):
        tmp_path.chmod(mode)
        assert [check.status for check in ledger.where(deps)] == [status]


def test_a_server_has_no_file(deps):
    assert storage.file_of(open_engine("sqlite://")) is None
    assert storage.file_of(open_engine("postgresql://u@localhost/funnel")) is None


def test_the_mount_of_a_file_is_the_deepest_one(tmp_path):
    mounts = tmp_path / "mountinfo"
    mounts.write_text("1 0 0:1 / / rw - overlay overlay rw\n2 1 0:2 / /data rw shared:1 - ext4 /dev/sda rw\n")
    assert ledger.mount_of(Path("/data/funnel.db"), mounts) == ("/data", "ext4")
    assert ledger.mount_of(Path("/srv/funnel.db"), mounts) == ("/", "overlay")
    mounts.write_text("1 0 0:1 / / rw - overlay overlay rw\n2 1 0:2 / /my\\040data rw - nfs4 nas:/x rw\n")
    assert ledger.mount_of(Path("/my data/funnel.db"), mounts) == ("/my data", "nfs4")
    assert ledger.mount_of(Path("/srv/funnel.db"), tmp_path / "nothing")[1] == "an unknown file system"


@pytest.mark.parametrize(("free", "status"), [(50, "fault"), (300, "warning"), (900, "warning"), (90_000, "ok")])
def test_room_on_the_disk_is_told(deps, monkeypatch, free, status):
    usage = shutil.disk_usage("/")._replace(total=100_000 * 2**20, free=free * 2**20)
    monkeypatch.setattr("funnel_app.flows.monitoring.probes.disk.shutil.disk_usage", lambda folder: usage)
    (check,) = ledger.room(deps)
    assert check.status == status and "GB free" in check.detail


def test_a_ledger_that_is_behind_or_away_is_a_fault_and_the_rest_is_still_looked_at(deps):
    with deps.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001_create_ledger'"))
    check = found(deps)["ledger"]
    assert check.status == "fault" and "flask --app wsgi db upgrade" in check.fix
    with deps.engine.begin() as connection:
        for table in ("email_events", "alembic_version"):
            connection.execute(text(f"ALTER TABLE {table} RENAME TO {table}_gone"))
    checks = found(deps)
    assert checks["ledger"].status == "fault" and "at nothing, not at" in checks["ledger"].detail
    assert "; not looked at meanwhile: " in checks["ledger"].detail and ": clock, " in checks["ledger"].detail
    assert "clock" not in checks and checks["redis"].status == "ok"


def test_a_ledger_that_was_away_for_a_moment_is_said_with_what_was_not_looked_at(deps, monkeypatch):
    away = OperationalError("SELECT 1", None, Exception("the connection was lost"))
    monkeypatch.setitem(doctor.CHECKS, "clock", lambda deps: (_ for _ in ()).throw(away))
    check = found(deps)["ledger"]
    assert (check.status, check.detail) == ("fault", "was away for a moment, and clock were not looked at")


@pytest.mark.both_databases
def test_a_ledger_of_a_newer_release_is_only_a_warning_since_a_rollback_works_on_it(deps):
    with deps.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999_of_tomorrow'"))
    check = found(deps)["ledger"]
    assert check.status == "warning" and "9999_of_tomorrow" in check.detail and "never" in check.fix


def test_a_folder_that_is_not_there_is_a_fault_with_its_name(tmp_path):
    missing = tmp_path / "forgotten" / "funnel.db"
    checks = found(make_deps(open_engine(f"sqlite:///{missing}")))
    assert checks["ledger"].status == "fault"
    room = checks["disk space"]
    assert f"{missing.parent} is not there" in room.detail and "DATABASE_URL" in room.fix


def test_an_empty_ledger_is_to_be_migrated(tmp_path):
    check = found(make_deps(open_engine(f"sqlite:///{tmp_path}/new.db")))["ledger"]
    assert (check.status, check.fix) == ("fault", "run flask --app wsgi db upgrade")
