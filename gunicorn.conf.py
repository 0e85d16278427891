"""How gunicorn serves Funnel wherever `gunicorn wsgi:app` is started here: in the image, by `make run`, by hand.

What stands in GUNICORN_CMD_ARGS or on the command line goes before it: https://docs.gunicorn.org/en/stable/configure.html
"""

from pathlib import Path
from typing import Any

from jobs.first_step import start
from jobs.shared_memory import share
from jobs.web import begin, end, heed_stops

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - gunicorn makes its file safely

settings = start()

workers = settings.web_concurrency
threads = 4
worker_class = "jobs.web_worker.BufferingWorker"
logger_class = "jobs.web_log.JsonLogger"
# Everything is imported once, and in memory once.
preload_app = True
# Longer than a proxy keeps its connections (Coolify's: 90 s), so that none is closed while it sends a hook over it.
keepalive = 95
# Within the ten seconds that a stop may take.
graceful_timeout = 7
# TRUSTED_PROXIES alone says whose headers are believed.
forwarded_allow_ips = ""
# It would be a file under the home folder, which may be read-only.
control_socket_disable = True
# The workers' sign of life is a file, which a disk that is busy must not hold up.
worker_tmp_dir = str(SHARED_MEMORY) if SHARED_MEMORY.is_dir() else None


def pre_fork(server: Any, worker: Any) -> None:
    """Let the workers share what was imported."""
    share()


def post_fork(server: Any, worker: Any) -> None:
    """Let no stop be lost that comes before the worker listens."""
    heed_stops(server)


def post_worker_init(worker: Any) -> None:
    """Let this process count its callers, and look out for the scheduler."""
    begin(worker)


def child_exit(server: Any, worker: Any) -> None:
    """Let no process wait for one that is gone."""
    end(worker)
