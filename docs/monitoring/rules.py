"""Prometheus' alert rules, made from the figures' own names: `python -m docs.monitoring.rules` writes them again."""

from dataclasses import dataclass
from pathlib import Path

from sandbox.command_line import command_line

FILE = Path(__file__).with_name("alerts.yaml")


@dataclass(frozen=True)
class Rule:
    """One rule: its name, what must never be, for how long, and what it means."""

    alert: str
    expr: str
    lasts: str
    summary: str
    severity: str = "critical"


RULES = (
    Rule("FunnelAway", 'up{job="funnel"} == 0', "2m", "Funnel's web process does not answer"),
    Rule("FunnelRedisAway", "funnel_redis_up == 0", "1m", "Redis does not work: hooks are accepted, nothing is sent"),
    Rule(
        "FunnelSchedulerSilent",
        "funnel_scheduler_tick_age_seconds > 60 or (funnel_redis_up == 1 unless funnel_scheduler_tick_age_seconds)",
        "1m",
        "no scheduler ticks: only the first email after a sign-up goes",
    ),
    Rule("FunnelNoWorkers", "funnel_workers == 0", "1m", "no worker lives: nothing is sent"),
    Rule(
        "FunnelSendingPaused",
        "max by (kind) (funnel_sending_paused) == 1",
        "5m",
        "sending is paused ({{ $labels.kind }})",
    ),
    Rule(
        "FunnelInvariantBroken",
        "funnel_invariant_broken > 0",
        "2m",
        "{{ $value }} times what must never be: {{ $labels.invariant }}",
    ),
    Rule(
        "FunnelCanaryLate", "funnel_canary_delivered == 0 and funnel_canary_age_seconds > 600", "1m", "no canary came"
    ),
    Rule(
        "FunnelLate",
        "funnel_sent_on_time_ratio < 0.95",
        "15m",
        "under 95 of 100 emails of the last day went on time",
        "warning",
    ),
    Rule("FunnelJobsFail", "funnel_failed_jobs > 0", "5m", "jobs failed for an unknown reason", "warning"),
    Rule("FunnelIncident", "funnel_incidents > 0", "5m", "an incident lasts: {{ $labels.kind }}", "warning"),
)


def written() -> str:
    """Return the file of rules, as Prometheus reads it."""
    return "\n".join(
        ["# Made by python -m docs.monitoring.rules.", "groups:", "  - name: funnel", "    rules:", *_rules()]
    )


def _rules() -> list[str]:
    return [line for rule in RULES for line in _lines(rule)] + [""]


def _lines(rule: Rule) -> list[str]:
    return [
        f"      - alert: {rule.alert}",
        f"        expr: '{rule.expr}'" if "'" not in rule.expr else f'        expr: "{rule.expr}"',
        f"        for: {rule.lasts}",
        f"        labels: {{severity: {rule.severity}}}",
        "        annotations:",
        f'          summary: "{rule.summary}"',
        "          description: docs/operations.md says what to do",
    ]


if __name__ == "__main__":
    command_line(__doc__)
    FILE.write_text(written(), "utf-8")
