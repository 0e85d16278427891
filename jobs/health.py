"""The image's health check: exit 0 if the processes of this container's role are alive, else 1 with the reason.

`python -m jobs.health [SECONDS]` waits that long (10) for processes that are still starting.

It only checks that they are alive, not Redis, Notion or Resend: an outage elsewhere must never end a container.
"""

import argparse
import os
import sys
import time
from http.client import HTTPException
from urllib.request import ProxyHandler, build_opener

from funnel_app.environment import plain
from jobs.heartbeat import beats, begun
from jobs.processes import CHILD, PARTS

TIMEOUT_S = 4.0
WAIT_S = 10.0
LOOK_AGAIN_S = 0.2
# HTTP_PROXY is for the outside: no proxy can reach this container's loopback.
OURSELVES = build_opener(ProxyHandler({}))


def main(within_s: float = WAIT_S) -> int:
    """Check the processes of `ROLE`; a container that only migrates has none."""
    role = plain(os.environ.get("ROLE", "")) or "all"
    parts = tuple(PARTS) if role == "all" else (role,) if role in PARTS else ()
    deadline = time.monotonic() + within_s
    while (dead := [part for part in parts if not _alive(part)]) and time.monotonic() < deadline:
        time.sleep(LOOK_AGAIN_S)
    for part in dead:
        sys.stderr.write(f"{part} does not answer\n")
    return 1 if dead else 0


def _alive(part: str) -> bool:
    if part == "web":
        return _answers()
    # A parent runs long before its first child works, and until then nothing is sent.
    return beats(part) and (part != "worker" or begun(CHILD))


def _answers() -> bool:
    address = f"http://127.0.0.1:{plain(os.environ.get('PORT', '')) or '8000'}/healthz"
    try:
        with OURSELVES.open(address, timeout=TIMEOUT_S) as answer:
            return bool(answer.status == 200)
    except (OSError, HTTPException):
        return False


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m jobs.health", description=__doc__)
    parser.add_argument("seconds", type=float, nargs="?", default=WAIT_S)
    sys.exit(main(parser.parse_args().seconds))
