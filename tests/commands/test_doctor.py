"""`flask doctor`: read by people and by programs, and its report."""

import json

import pytest

from tests.flows.leads import write_templates
from tests.flows.monitoring.live import GOOD


@pytest.fixture
def run(app, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: app.test_cli_runner().invoke(args=["doctor", *arguments])


def test_without_a_fault_it_ends_with_0(run, deps):
    write_templates(deps, GOOD)
    shown = run()
    assert shown.exit_code == 0, shown.output
    assert "scheduler" in shown.output and "0 to fix." in shown.output


def test_a_fault_is_exit_1_with_its_fix(run, deps):
    write_templates(deps, GOOD)
    deps.account.known.clear()
    shown = run()
    assert shown.exit_code == 1
    assert "→ add the domain at Resend" in shown.output and "1 to fix." in shown.output


def test_as_json_it_keeps_the_contract(run, deps):
    deps.process_status.away = True
    shown = run("--json")
    said = json.loads(shown.stdout)
    assert shown.exit_code == 1 and said["ok"] is False
    assert all(set(check) == {"name", "status", "detail", "fix"} for check in said["checks"])
    assert {check["status"] for check in said["checks"]} == {"ok", "warning", "fault"}


def test_the_report_is_written_under_its_date(run, tmp_path):
    shown = run("--signoff", "--json", "--to", str(tmp_path))
    json.loads(shown.stdout)
    path = tmp_path / "production-report-2026-11-24.md"
    assert path.name in shown.stderr
    assert "| from domain | ok |" in path.read_text()
