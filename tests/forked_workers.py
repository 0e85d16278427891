"""Workers of pytest-xdist as forks of the run that starts them, once it has imported all tests and what they import.

Each would import it by itself else, and put probes into all of the product; how they work and report stays xdist's.
"""

import atexit
import gc
import gzip
import json
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import pytest
from _pytest.pathlib import import_path
from _pytest.warnings import catch_warnings_for_item
from execnet import gateway_io
from execnet.gateway_base import ExecModel, Popen2IO
from hypothesis.internal.charmap import charmap_file, intervals_from_codec
from hypothesis.internal.conjecture.providers import _get_local_constants

from tests.process.forked import serve_forks

# All characters but the surrogates, from the first to the last of each.
UTF_8 = ((0, 0xD7FF), (0xE000, sys.maxunicode))


class ForkedIO(Popen2IO):
    """The pipes to a worker that waits, and what execnet wants of its process."""

    def __init__(self, pid: int, write: int, read: int, execmodel: ExecModel) -> None:
        super().__init__(os.fdopen(write, "wb"), os.fdopen(read, "rb"), execmodel)
        self._pid = pid

    def wait(self) -> int | None:
        """Wait until it has ended."""
        with suppress(ChildProcessError):
            return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        return None

    def kill(self) -> None:
        """Kill it at once."""
        with suppress(ProcessLookupError):
            os.kill(self._pid, 9)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config, specs: Sequence[Any]) -> None:
    """Fork a worker for each that xdist is about to start on this machine; one that replaces a dead one is no fork."""
    gc.disable()
    import_tests(config)
    # What is frozen is looked at by no collection, which would copy it into each fork.
    gc.freeze()
    if any(name.startswith("tests.process.test_") for name in sys.modules):
        serve_forks()
    waiting = _fork_workers(config, sum(bool(spec.popen and not spec.python) for spec in specs))
    usual = gateway_io.create_io

    def create_io(spec: Any, execmodel: ExecModel) -> Popen2IO:
        if spec.popen and not spec.python and (worker := next(waiting, None)):
            return ForkedIO(*worker, execmodel)
        return usual(spec, execmodel)

    gateway_io.create_io = create_io  # type: ignore[assignment]


def import_tests(config: pytest.Config) -> None:
    """Import the tests that were asked for as their collection does; what fails then fails there again, and is told."""
    how: dict[str, Any] = {
        "mode": config.getoption("--import-mode"),
        "root": config.rootpath,
        "consider_namespace_packages": config.getini("consider_namespace_packages"),
    }
    with catch_warnings_for_item(config, config.hook, "collect", None):
        for path in _files(config.args):
            with suppress(Exception, pytest.skip.Exception):
                import_path(path, **how)
        # Hypothesis tries what constants all of this has; its plugin would read them from the sources in each worker.
        _get_local_constants()
    know_utf_8()


def know_utf_8() -> None:
    """Tell Hypothesis which characters UTF-8 has: in a new clone each worker would try all of them, for two seconds.

    It keeps what it found in this file; one that names or writes it otherwise finds it out by itself.
    """
    file = charmap_file("codec-v2-utf-8")
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(gzip.compress(json.dumps([UTF_8, []]).encode(), mtime=1))
    intervals_from_codec("utf-8")


def _files(asked: Sequence[str]) -> Iterator[Path]:
    for path in dict.fromkeys(Path(each.partition("::")[0]).absolute() for each in asked):
        yield from sorted([*path.rglob("conftest.py"), *path.rglob("test_*.py")]) if path.is_dir() else [path]


def _fork_workers(config: pytest.Config, many: int) -> Iterator[tuple[int, int, int]]:
    """Return of each worker its process id, and the pipes to write to and to read from it."""
    capture = config.pluginmanager.getplugin("capturemanager")
    capture.suspend_global_capture(in_=True)
    workers: list[tuple[int, int, int]] = []
    for _ in range(many):
        asked, ask = os.pipe()
        answers, answer = os.pipe()
        pid = os.fork()
        if not pid:
            # Else it would hold the pipes of the others open when the run has ended.
            _serve(asked, answer, [ask, answers, *(pipe for _, *pipes in workers for pipe in pipes)])
        os.close(asked)
        os.close(answer)
        workers.append((pid, ask, answers))
    capture.resume_global_capture()
    return iter(workers)


def _serve(asked: int, answer: int, others: Sequence[int]) -> NoReturn:
    """Do what execnet's own worker does, to the end of this process."""
    try:
        atexit._clear()
        for number in others:
            os.close(number)
        for number, standard in ((asked, 0), (answer, 1)):
            os.dup2(number, standard)
            os.close(number)
        sys.stdin, sys.stdout = os.fdopen(0, "r", closefd=False), os.fdopen(1, "w", closefd=False)
        exec(gateway_io.popen_bootstrapline, {})
    except Exception:  # noqa: BLE001  # this process ends here, and nobody above it may go on in a fork
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()
        sys.stderr.flush()
        os._exit(0)
