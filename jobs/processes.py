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
# What the process that began becomes where it runs all of them: by its name, since it imports everything.
ALL = "jobs.all_parts:main"
MIGRATION = ("-m", "jobs.migrate")
