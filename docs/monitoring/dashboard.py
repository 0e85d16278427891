"""Grafana's dashboard, made from the figures' own names: `python -m docs.monitoring.dashboard` writes it again."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.command_line import command_line

FILE = Path(__file__).with_name("grafana.json")
SOURCE = {"type": "prometheus", "uid": "${source}"}
COLUMNS, HEIGHT = 3, 7


@dataclass(frozen=True)
class Panel:
    """One picture: what it asks Prometheus, what it writes beside each line, its kind and unit."""

    title: str
    expr: str
    legend: str = ""
    kind: str = "timeseries"
    unit: str = "short"


PANELS = (
    Panel("Redis", "funnel_redis_up", kind="stat", unit="bool_yes_no"),
    Panel("Workers", "funnel_workers", kind="stat"),
    Panel("Scheduler's last tick", "funnel_scheduler_tick_age_seconds", kind="stat", unit="s"),
    Panel("On time, last day", "funnel_sent_on_time_ratio", kind="stat", unit="percentunit"),
    Panel("Canary's way", "funnel_canary_seconds", kind="stat", unit="s"),
    Panel(
        "Canary's age, and whether it came",
        "funnel_canary_age_seconds * funnel_canary_delivered",
        kind="stat",
        unit="s",
    ),
    Panel("Emails by state", 'sum by (state) (funnel_emails{mode="live"})', "{{state}}"),
    Panel("Emails by sequence", 'sum by (sequence) (funnel_emails{mode="live"})', "{{sequence}}"),
    Panel("Lateness", "funnel_lateness_seconds", "{{quantile}}", unit="s"),
    Panel("Hooks an hour", "sum by (hook, outcome) (increase(funnel_hooks_total[1h]))", "{{hook}} {{outcome}}"),
    Panel("Refused hooks of 30 days", "sum by (hook) (funnel_hooks_refused)", "{{hook}}"),
    Panel("Hooks taken with a corrected field", "sum by (hook) (funnel_hooks_corrected)", "{{hook}}"),
    Panel("What must never be", "funnel_invariant_broken > 0", "{{invariant}}"),
    Panel("Incidents", "funnel_incidents > 0", "{{kind}}"),
    Panel("Queues", "funnel_queue_jobs", "{{queue}}"),
    Panel("On the clock", "funnel_clock_jobs"),
    Panel("Failed jobs", "funnel_failed_jobs"),
    Panel("Sending is paused", "funnel_sending_paused", "{{kind}}"),
    Panel("Paused by people", "funnel_paused_by_people", "{{sequence}}"),
)


def written() -> str:
    """Return the dashboard, as Grafana imports it."""
    board = {
        "title": "Funnel",
        "uid": "funnel",
        "schemaVersion": 39,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "templating": {
            "list": [{"name": "source", "type": "datasource", "query": "prometheus", "label": "Prometheus"}]
        },
        "panels": list(_panels()),
    }
    return json.dumps(board, indent=2) + "\n"


def _panels() -> Iterator[dict[str, Any]]:
    for number, panel in enumerate(PANELS):
        row, column = divmod(number, COLUMNS)
        width = 24 // COLUMNS
        yield {
            "id": number + 1,
            "title": panel.title,
            "type": panel.kind,
            "datasource": SOURCE,
            "gridPos": {"x": column * width, "y": row * HEIGHT, "w": width, "h": HEIGHT},
            "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
            "targets": [{"refId": "A", "expr": panel.expr, "legendFormat": panel.legend, "datasource": SOURCE}],
        }


if __name__ == "__main__":
    command_line(__doc__)
    FILE.write_text(written(), "utf-8")
