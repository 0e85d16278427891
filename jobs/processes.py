"""The parts of Funnel, and the command that becomes each: one place for the image, `make run` and the tests."""

from collections.abc import Mapping

# Without a control socket: gunicorn would make one under the home folder, which may be read-only.
WEB = (
    *(
        "-m",
        "gunicorn",
        "wsgi:app",
        "--logger-class",
        "jobs.web_log.JsonLogger",
        "--worker-class",
        "jobs.web_worker.BufferingWorker",
    ),
    *("--threads", "4", "--graceful-timeout", "7", "--no-control-socket"),
)

# The name under which a child of the worker tells that it has come to its work.
CHILD = "worker-child"
# What to hand to Python for each.
PARTS: Mapping[str, tuple[str, ...]] = {
    "web": WEB,
    "worker": ("-m", "jobs.worker"),
    "scheduler": ("-m", "jobs.scheduler"),
}
