"""Workers begin with what the run has imported, and are in all else what pytest-xdist starts."""

import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis.internal.charmap import intervals_from_codec

from sandbox.processes import ROOT
from tests.forked_workers import UTF_8, know_utf_8
from tests.pace import patient

CONFTEST = "from tests.forked_workers import pytest_xdist_setupnodes\n"
IMPORTED = """import os, sys

from hypothesis.internal.conjecture.providers import _seen_modules

IMPORTED_BY = os.getpid()


def test_is_a_fork_of_who_imported_it():
    assert IMPORTED_BY == os.getppid()
    assert id(sys.modules[__name__]) in _seen_modules
"""


@pytest.fixture
def room(tmp_path: Path) -> Path:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    return tmp_path


def run(room: Path, *more: str) -> subprocess.CompletedProcess[str]:
    asked = [sys.executable, "-m", "pytest", "-p", "xdist", "-p", "no:cacheprovider", "-n", "2", *more]
    env = {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(asked, cwd=room, env=env, capture_output=True, text=True, timeout=patient(60), check=False)


def test_what_a_worker_tests_was_imported_and_read_for_constants_before_it_began(room):
    (room / "test_one.py").write_text(IMPORTED)
    (room / "test_two.py").write_text(IMPORTED)
    done = run(room)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_hypothesis_knows_of_utf_8_what_it_would_find_by_trying(monkeypatch, tmp_path):
    monkeypatch.setattr("hypothesis.configuration.__hypothesis_home_directory", tmp_path)
    intervals_from_codec.cache_clear()
    with patch("hypothesis.internal.charmap.sys.maxunicode", -1):
        know_utf_8()
        known, not_the_same_again = intervals_from_codec("utf-8")
    assert known.intervals == UTF_8 and not not_the_same_again
    characters = "".join(chr(each) for each in known)
    assert characters.encode().decode() == characters
    assert len(characters) + 0xE000 - 0xD800 == sys.maxunicode + 1
    for surrogate in range(0xD800, 0xE000):
        with pytest.raises(UnicodeEncodeError):
            chr(surrogate).encode()


def test_what_fails_at_its_import_is_told_as_ever(room):
    (room / "test_warns.py").write_text("import warnings\n\nwarnings.warn('of yesterday', DeprecationWarning)\n")
    (room / "test_breaks.py").write_text("import nowhere\n")
    done = run(room, "-W", "error")
    assert done.returncode != 0
    assert "DeprecationWarning: of yesterday" in done.stdout
    assert "No module named 'nowhere'" in done.stdout


def test_a_worker_that_dies_is_replaced_and_what_it_had_left_is_done(room):
    (room / "test_dies.py").write_text("import os\n\n\ndef test_dies():\n    os._exit(3)\n")
    (room / "test_lives.py").write_text("\n".join(f"def test_lives_{n}():\n    pass\n" for n in range(9)))
    done = run(room)
    assert done.returncode == 1
    assert "1 failed, 9 passed" in done.stdout
    assert "crashed while running 'test_dies.py::test_dies'" in done.stdout


def test_what_is_registered_for_the_end_of_the_run_is_not_done_by_its_workers_and_theirs_is(room):
    (room / "test_ends.py").write_text(
        "import atexit, os, pathlib\n\n"
        "def note(name):\n    with open(name, 'a') as file:\n        file.write(f'{os.getpid()}\\n')\n\n"
        "atexit.register(note, 'run')\n\n\n"
        "def test_ends():\n    atexit.register(note, 'worker')\n"
    )
    done = run(room)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [len((room / name).read_text().split()) for name in ("run", "worker")] == [1, 1]
