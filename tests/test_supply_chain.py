"""What is installed is what was pinned, to the byte, and known faults are looked for."""

import re
from importlib.metadata import distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

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


@pytest.mark.parametrize("name", FILES)
def test_an_extra_that_a_package_asks_for_is_pinned_with_it(name):
    """Without it the pip of Python 3.11 takes the newest version for `NAME[EXTRA]`, and stops: that has no hash."""
    pins = [Requirement(pin) for pin in re.findall(r"(?m)^([a-zA-Z0-9][^\s;]+)", (ROOT / name).read_text())]
    extras = {pin.name.lower(): pin.extras for pin in pins}
    asked = [Requirement(line) for package in distributions() if package.name.lower() in extras
             for line in package.requires or []]  # fmt: skip
    wanted = [ask for ask in asked if ask.extras and (ask.marker is None or ask.marker.evaluate({"extra": ""}))]
    assert wanted, "nothing asks for an extra: the test looks at the wrong thing"
    assert [str(ask) for ask in wanted if not ask.extras <= extras[ask.name.lower()]] == []


@pytest.mark.parametrize("name", FILES)
def test_what_a_package_wants_on_an_earlier_python_is_pinned_with_it(name):
    """What is pinned is for any Python 3.11: Debian 12's own is 3.11.2, for which redis wants one package more."""
    pinned = {pin.lower() for pin in re.findall(r"(?m)^([a-zA-Z0-9_.-]+)", (ROOT / name).read_text())}
    first = {"extra": "", "python_full_version": "3.11.0"}
    asked = [Requirement(line) for package in distributions() if package.name.lower() in pinned
             for line in package.requires or []]  # fmt: skip
    wanted = {canonicalize_name(ask.name) for ask in asked if ask.marker is None or ask.marker.evaluate(first)}
    assert wanted, "nothing asks for anything: the test looks at the wrong thing"
    assert wanted - {canonicalize_name(pin) for pin in pinned} == set()


def test_the_image_takes_only_what_was_pinned_and_runs_as_nobody_in_particular():
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert "--require-hashes" in dockerfile and "USER 10001:10001" in dockerfile
    assert not re.search(r"(?m)^ADD |COPY \. |\b(SECRET|TOKEN|PASSWORD)\w*=", dockerfile)


def test_what_reaches_the_image_is_named_one_by_one():
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[1] == "*" and not [line for line in ignored if line.startswith("!.")]
    copied = re.findall(r"(?m)^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text())
    sources = {source for line in copied for source in line.split()}
    assert all((ROOT / source).exists() for source in sources)
    reached = {line[1:] for line in ignored if line.startswith("!")}
    named = {source if source in reached else source.partition("/")[0] for source in sources}
    assert reached == named, "the build stops at a COPY of what is kept back"


@pytest.mark.parametrize(
    ("rows", "faulty", "words"),
    [
        ([GOOD], False, "1 packages looked up, 0 known faults"),
        ([GOOD, BAD], True, "jinja2 3.0: CVE-1, fixed in ['3.1']"),
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
