"""What is given to Prometheus and Grafana fits what `/metrics` says, by promtool's own judgement."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from docs.monitoring import dashboard, rules
from funnel_app.flows.monitoring.probes.canary import start as start_canary
from funnel_app.flows.monitoring.statistics.metrics import KINDS
from funnel_app.flows.sending.deliver import deliver
from tests.flows.leads import email_ids, opt_in, write_templates
from tests.flows.monitoring.probes.test_canary import enrol_as_hook
from tests.web.test_metrics import TOKEN

FIGURES = {f"funnel_{name}" for name in KINDS}
ASKED = re.compile(r"funnel_\w+")


def promtool(*arguments: str, given: str | None = None) -> str:
    """Return what promtool says; it fails where it does not like what it was given."""
    done = subprocess.run(
        ["promtool", *arguments], input=given, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("made", [rules, dashboard], ids=["alerts", "dashboard"])
def test_the_file_is_what_its_program_makes(made):
    assert made.FILE.read_text("utf-8") == made.written(), f"run python -m {made.__name__}"


def test_the_figures_are_what_prometheus_expects(client, deps):
    write_templates(deps)
    deps.public.answer = lambda campaign, payload: enrol_as_hook(deps, campaign, payload)
    first = email_ids(opt_in(deps))[0]
    deps.now.forward(seconds=4)
    deliver(deps, [first])
    start_canary(deps.public)
    text = client.get("/metrics", headers=TOKEN).text
    assert 'funnel_lateness_seconds{quantile="0.99"}' in text
    assert promtool("check", "metrics", given=text) == ""


def test_the_rules_are_rules():
    assert f"SUCCESS: {len(rules.RULES)} rules found" in promtool("check", "rules", str(rules.FILE))


def test_rules_and_dashboard_ask_for_figures_that_there_are_and_show_all_of_them():
    asked = {name for rule in rules.RULES for name in ASKED.findall(rule.expr)}
    shown = {name for panel in dashboard.PANELS for name in ASKED.findall(panel.expr)}
    assert asked <= FIGURES and shown == FIGURES


def test_labels_that_a_rule_or_picture_names_are_labels_of_its_figure():
    for expr, words in [(r.expr, r.summary) for r in rules.RULES] + [(p.expr, p.legend) for p in dashboard.PANELS]:
        named = set(re.findall(r"\{\{ ?(?:\$labels\.)?(\w+) ?\}\}", words)) - {"value"}
        known = {label for name in ASKED.findall(expr) for label in KINDS[name.removeprefix("funnel_")].labels}
        assert named <= known, f"{words} of {expr}"


def test_the_dashboard_can_be_imported():
    board = json.loads(Path(dashboard.FILE).read_text("utf-8"))
    places = [tuple(panel["gridPos"].values()) for panel in board["panels"]]
    assert len(set(places)) == len(places) == len(dashboard.PANELS) and board["uid"] == "funnel"


def test_a_silent_scheduler_is_told_by_the_rules(tmp_path):
    played = {
        "rule_files": [str(rules.FILE)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": [
                    {"series": "funnel_redis_up", "values": "1x10"},
                    {"series": "funnel_scheduler_tick_age_seconds", "values": "1 1 1 90 150 210 270 330 390 450"},
                ],
                "alert_rule_test": [
                    {"eval_time": "2m", "alertname": "FunnelSchedulerSilent", "exp_alerts": []},
                    {
                        "eval_time": "6m",
                        "alertname": "FunnelSchedulerSilent",
                        "exp_alerts": [
                            {
                                "exp_labels": {"severity": "critical"},
                                "exp_annotations": {
                                    "summary": "no scheduler ticks: only the first email after a sign-up goes",
                                    "description": "docs/operations.md says what to do",
                                },
                            }
                        ],
                    },
                ],
            }
        ],
    }
    (tmp_path / "played.yaml").write_text(json.dumps(played))
    assert "SUCCESS" in promtool("test", "rules", str(tmp_path / "played.yaml"))
