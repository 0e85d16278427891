"""The parts of Funnel, and the command that becomes each: one place for the image, `make run` and the tests."""

from collections.abc import Mapping

# The name under which a child of the worker tells that it has come to its work.
CHILD = "worker-child"
# What to hand to Python for each.
PARTS: Mapping[str, tuple[str, ...]] = {
    "web": ("-m", "gunicorn", "wsgi:app"),
    "worker": ("-m", "jobs.worker"),
    "scheduler": ("-m", "jobs.scheduler"),
}
ALL = ("-m", "jobs.all_parts")
MIGRATION = ("-m", "jobs.migrate")
