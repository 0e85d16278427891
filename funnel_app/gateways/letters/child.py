"""The judging child process: reads drafts from stdin and writes verdicts to stdout, within limits, until EOF.

It is started by its path with an empty environment, and has no settings and no secrets.
"""

import gc
import os
import resource
import sys
from pathlib import Path
from types import ModuleType

MEMORY_BYTES = 256 * 1024 * 1024


def _without_the_application() -> None:
    """Make `funnel_app` an empty package here: importing it would load the whole web application."""
    package = ModuleType("funnel_app")
    package.__path__ = [str(Path(__file__).parents[2])]
    sys.modules["funnel_app"] = package
    sys.path.insert(0, str(Path(__file__).parents[3]))


def _limit_for_good() -> None:
    """Limit memory, core dumps and files for the whole process."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    most = pages * resource.getpagesize() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _limit_next(cpu_s: int) -> None:
    """Limit the next draft's CPU time; the system kills a process that exceeds it."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(used.ru_utime + used.ru_stime) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (spent + cpu_s, resource.RLIM_INFINITY))


def main() -> None:
    """Judge drafts until stdin is closed."""
    _without_the_application()
    # What is imported stays, and is no garbage to look for: a sixth of the time until the first verdict.
    gc.disable()
    from funnel_app.gateways.letters.frames import draft_in, pack, read_frame, verdict_out  # noqa: PLC0415
    from funnel_app.letters.validation.judge import judge  # noqa: PLC0415

    gc.freeze()
    gc.enable()
    _limit_for_good()
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    while (asked := read_frame(sys.stdin.buffer)) is not None:
        _limit_next(int(sys.argv[1]))
        answers.write(pack(verdict_out(judge(draft_in(asked)))))
        answers.flush()


if __name__ == "__main__":
    main()
