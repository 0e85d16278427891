"""`make run`: web, worker and scheduler on this machine with the settings of .env, until Ctrl-C."""

import os
import re
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from dotenv import dotenv_values

from jobs.processes import PARTS
from sandbox.command_line import command_line
from sandbox.processes import ROOT, NotStarted, Processes, stop_no_more, stop_once
from sandbox.redis_server import RedisServer
from sandbox.settings_file import settings_file

SETTINGS = "var/run.env"
# The example names every setting; what else is in the environment is nobody's business.
NAMES = frozenset(re.findall(r"(?m)^(?:# )?([A-Z_]+)=", (ROOT / ".env.example").read_text()))


def main() -> int:
    """Migrate the ledger, run the three processes and show their logs; 1 where one of them ends by itself."""
    stop_once()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="funnel-run-")))
        try:
            processes = Processes(folder, {**_environment(stack), "TMPDIR": str(folder)})
            stack.callback(processes.stop)
            print(processes.run("-m", "flask", "--app", "wsgi", "db", "upgrade"), end="")
            return _run(processes)
        except (NotStarted, OSError, RuntimeError) as fault:
            print(fault, file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("\nStopped; nothing is left running.")
            return 0


def _environment(stack: ExitStack) -> Mapping[str, str]:
    given = {**_of_file(ROOT / ".env"), **os.environ}
    port = given.get("PORT", "8000")
    added = {"PYTHONUNBUFFERED": "1", "GUNICORN_CMD_ARGS": given.get("GUNICORN_CMD_ARGS", f"--bind 127.0.0.1:{port}")}
    if not given.get("REDIS_URL"):
        added["REDIS_URL"] = stack.enter_context(RedisServer()).url
        print("REDIS_URL is not set: a Redis of this run's own is used, and forgotten with it.")
    told = {name: value for name, value in {**given, **added}.items() if name in NAMES and value}
    settings = stack.enter_context(settings_file(ROOT / SETTINGS, told))
    print(f"For commands beside it, in a second terminal: . {settings.relative_to(ROOT)}")
    return {**os.environ, **added}


def _of_file(file: Path) -> dict[str, str]:
    try:
        return {name: value or "" for name, value in dotenv_values(file, interpolate=False).items()}
    except UnicodeDecodeError:
        raise NotStarted(f"{file} is not in UTF-8: save it as that.") from None


def _run(processes: Processes) -> int:
    shown = dict.fromkeys(PARTS, 0)
    try:
        for name in PARTS:
            processes.start(name)
        print(f"Running {', '.join(PARTS)}; Ctrl-C stops them.")
        while not (ended := processes.ended()):
            _show(processes, shown)
            time.sleep(0.3)
    finally:
        stop_no_more()
        processes.stop()
        _show(processes, shown, to_the_end=True)
    print(f"{ended[0]} ended by itself; its last words are above.", file=sys.stderr)
    return 1


def _show(processes: Processes, shown: dict[str, int], to_the_end: bool = False) -> None:
    for name in filter(lambda part: processes.log(part).exists(), PARTS):
        with processes.log(name).open("rb") as log:
            log.seek(shown[name])
            new = log.read()
        # The rest of the last line may be on its way.
        whole = new if to_the_end else new[: new.rfind(b"\n") + 1]
        shown[name] += len(whole)
        for line in whole.decode(errors="replace").splitlines():
            print(f"{name:<10} {line}")


if __name__ == "__main__":
    command_line(__doc__)
    sys.exit(main())
