"""A process that is forked is what one is that a person starts."""

import sys

import pytest

from sandbox.processes import NotStarted, Processes, execute, inheriting
from tests.pace import patient
from tests.process.forked import fork

pytestmark = pytest.mark.process


@pytest.mark.parametrize("start", [execute, fork])
def test_it_has_its_own_settings_says_what_it_says_and_ends_as_it_ends(start, tmp_path):
    env, command = inheriting({"RESEND_API_KEY": ""}), [sys.executable, "-m", "jobs.start"]
    process = start(command, env, tmp_path / "out", tmp_path / "err")
    assert process.wait(patient(120)) == process.returncode == process.poll() == 1
    assert "RESEND_API_KEY" in (tmp_path / "err").read_text() and not (tmp_path / "out").read_text()


def test_a_command_that_fails_tells_what_it_said(tmp_path):
    with pytest.raises(NotStarted, match="COMPANY_NAME: is not set"):
        Processes(tmp_path, inheriting({"COMPANY_NAME": ""})).run("-m", "flask", "--app", "wsgi", "db", "upgrade")
