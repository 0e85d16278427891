"""Checks of the ledger and its disk: schema, storage and free space."""

import re
import stat
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from funnel_app.deps import Deps
from funnel_app.flows.monitoring.check import Check, Findings, fault, ok, warning
from funnel_app.flows.monitoring.probes.disk import free_space
from funnel_app.flows.monitoring.status.ledger_health import known_damage
from funnel_app.ledger.database import revision, storage
from funnel_app.ledger.database.troubles import RESTORE, explain

MOUNTS = Path("/proc/self/mountinfo")
# The kernel's escape of a blank in a mount point: proc(5).
ESCAPED = re.compile(r"\\(0[0-7]{2}|134)")
NOT_HERE = "put it on a disk of this machine, or use PostgreSQL: a copy made with flask ledger backup can be restored"
# File systems lost with the container or the machine.
PASSING = {"tmpfs", "ramfs"}
OWN_LAYER = {"overlay", "aufs"}
EMPTIED = "/tmp"  # noqa: S108 (compared, never written)
# A WAL's shared memory does not work over a network: https://www.sqlite.org/wal.html
NETWORKED = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "lustre", "afs"}
# Host folders in a virtual machine or sandbox: whether locks hold depends on the implementation.
SHARED = {"9p", "virtiofs", "vboxsf", "fakeowner", "drvfs"}
FUSE = "fuse."


def shape(deps: Deps) -> Findings:
    """The ledger has the newest migration and accepts writes."""
    try:
        current, head = revision.current(deps.engine), revision.head()
        if current is not None:
            storage.try_writing(deps.engine)
    except SQLAlchemyError as error:
        words = explain(error)
        yield fault("ledger", f"cannot be used: {words}", "see that the database runs, and that its disk is not full")
        return
    if current == head and (damage := known_damage(deps.reads)):
        yield fault("ledger", damage, RESTORE)
        return
    if current != head and revision.at_head(deps.engine):
        fix = "deploy that release again when it is fixed; never go back with db downgrade"
        yield warning("ledger", f"at {current}, which a newer release than this one brought about", fix)
    elif current != head:
        yield fault("ledger", f"at {current or 'nothing'}, not at {head}", "run flask --app wsgi db upgrade")
    else:
        yield ok("ledger", f"{deps.engine.dialect.name}, at {head}, writable")


def where(deps: Deps) -> Findings:
    """The ledger is on storage that outlives the container."""
    file = storage.file_of(deps.engine)
    if deps.engine.dialect.name != "sqlite":
        yield ok("ledger place", "a database server of its own")
    elif file is None:
        yield fault("ledger place", "only in memory", "set DATABASE_URL to a file or a server")
    else:
        yield _place(file)


def _place(file: Path) -> Check:
    mount, kind = mount_of(file)
    fix = "mount a volume that persists, and put the ledger there: DATABASE_URL=sqlite:////data/funnel.db"
    if kind in PASSING:
        return fault("ledger place", f"{file} is on {kind} at {mount}, gone at the next restart", fix)
    if kind in OWN_LAYER:
        return fault("ledger place", f"{file} is on the container's own layer, gone at the next deploy", fix)
    if kind in NETWORKED:
        words = f"{file} is on {kind} at {mount}, over a network: two containers would write past each other"
        return fault("ledger place", words, NOT_HERE)
    if kind in SHARED or kind.startswith(FUSE):
        return warning("ledger place", f"{file} is on {kind} at {mount}, which may not lock or sync files", NOT_HERE)
    if file.is_relative_to(EMPTIED):
        return warning("ledger place", f"{file} is in a folder that is emptied now and then", fix)
    if _anybody_may_write(file.parent):
        exchange = f"anybody on this machine may put another file in the place of {file}"
        return warning("ledger place", exchange, f"chmod o-w {file.parent}, or a folder of its own in DATABASE_URL")
    return ok("ledger place", f"{file}, on {kind} mounted at {mount}")


def _anybody_may_write(folder: Path) -> bool:
    return folder.is_dir() and bool(folder.stat().st_mode & stat.S_IWOTH)


def mount_of(file: Path, mounts: Path = MOUNTS) -> tuple[str, str]:
    """Return a file's mount point and file system type; unknown if the kernel does not say."""
    try:
        lines = mounts.read_text().splitlines()
    except OSError:
        return "an unknown place", "an unknown file system"
    found = ("/", "unknown")
    for fields, _, more in (line.partition(" - ") for line in lines):
        mount = ESCAPED.sub(lambda found: chr(int(found[1], 8)), fields.split()[4])
        if file.is_relative_to(mount) and len(mount) >= len(found[0]):
            found = (mount, more.split()[0])
    return found


def room(deps: Deps) -> Findings:
    """The disk has enough free space."""
    yield free_space(deps.engine)
