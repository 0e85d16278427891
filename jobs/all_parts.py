"""All processes in one container: web, workers and scheduler, forked from one (`ROLE=all`)."""

import os

import wsgi  # noqa: F401 - imported here, so that gunicorn finds it in memory
from jobs import replica, scheduler, web
from jobs.first_step import settings
from jobs.parent import Parent, Part
from jobs.process import ask_before_fork
from jobs.worker import worker_parts


def main() -> int:
    """Run all processes until stopped; 1 if the migration fails or a process does not stay up."""
    if not _migration_ended_well():
        return 1
    ask_before_fork()
    parts = [web.web_part(), Part("scheduler", scheduler.run), *worker_parts(settings().workers)]
    if settings().replica_url:
        parts.append(Part("replica", replica.run))
    return Parent(parts).run()


def _migration_ended_well() -> bool:
    """Wait for the migration that `jobs.start` began as a child of this process."""
    try:
        _, status = os.wait()
    except ChildProcessError:
        return True
    return os.waitstatus_to_exitcode(status) == 0
