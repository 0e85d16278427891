"""Disk: how much room is left for the ledger on this machine's disk."""

import shutil

from sqlalchemy import Engine

from funnel_app.flows.monitoring.check import Check, fault, ok, warning
from funnel_app.ledger.database import storage

LITTLE_ROOM, NO_ROOM = 500 * 2**20, 100 * 2**20


def free_space(engine: Engine) -> Check:
    """Return whether the ledger's disk has enough free space."""
    file = storage.file_of(engine)
    if file is None:
        return ok("disk space", "the ledger is not on this machine's disk")
    if not file.parent.is_dir():
        fix = "mount the volume there, or fix DATABASE_URL"
        return fault("disk space", f"the ledger's folder {file.parent} is not there", fix)
    usage = shutil.disk_usage(file.parent)
    detail = f"{usage.free / 2**30:.1f} of {usage.total / 2**30:.0f} GB free"
    if usage.free < NO_ROOM:
        return fault("disk space", detail, "make room at once: a full disk refuses leads")
    if usage.free < LITTLE_ROOM or usage.free < usage.total * 0.05:
        return warning("disk space", detail, "make room, or a larger volume")
    return ok("disk space", detail)
