"""What is installed is what was pinned, to the byte, and known faults are looked for."""

import re

import pytest

from sandbox.processes import ROOT
from tests.audit import FILES, main, verdict

GOOD = {"name": "flask", "version": "3.1.1", "vulns": []}
BAD = {"name": "jinja2", "version": "3.0", "vulns": [{"id": "CVE-1", "fix_versions": ["3.1"]}]}
UNKNOWN = {"name": "rq", "skip_reason": "not found"}


@pytest.mark.parametrize("name", FILES)
def test_every_package_is_pinned_by_hash(name):
    pins = re.split(r"(?m)^(?=[a-zA-Z0-9])", (ROOT / name).read_text())[1:]
    assert len(pins) > 20
    assert [pin.split()[0] for pin in pins if "--hash=sha256:" not in pin] == []


def test_the_image_takes_only_what_was_pinned_and_runs_as_nobody_in_particular():
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert "--require-hashes" in dockerfile and "USER 10001:10001" in dockerfile
    assert not re.search(r"(?m)^ADD |COPY \. |\b(SECRET|TOKEN|PASSWORD)\w*=", dockerfile)


def test_what_reaches_the_image_is_named_one_by_one():
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[1] == "*" and not [line for line in ignored if line.startswith("!.")]


@pytest.mark.parametrize(
    ("rows", "faulty", "words"),
    [
        ([GOOD], False, "1 packages looked up, 0 known faults"),
        ([GOOD, BAD], True, "jinja2 3.0: CVE-1, mended in ['3.1']"),
        ([GOOD, UNKNOWN], False, "could not be looked up: rq"),
        ([UNKNOWN], False, "skipped, the data of known faults cannot be reached from here"),
        (None, False, "skipped"),
    ],
)
def test_a_known_fault_fails_and_silence_is_said(rows, faulty, words):
    lines, found = verdict("requirements.txt", {"dependencies": rows} if rows else None)
    assert found is faulty and words in "\n".join(lines)


@pytest.mark.parametrize(("said", "code"), [('{"dependencies": []}', 0), ("no json", 0)])
def test_the_audit_ends_with_a_verdict_for_each_file(monkeypatch, capsys, said, code):
    done = type("Done", (), {"stdout": said})
    monkeypatch.setattr("subprocess.run", lambda *_, **__: done)
    assert main() == code
    assert len(capsys.readouterr().out.splitlines()) == len(FILES)
