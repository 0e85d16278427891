"""Sign-off: the doctor's findings as a dated report for a person to sign before real leads arrive."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from funnel_app.campaigns.spoken import things
from funnel_app.deps import Deps
from funnel_app.flows.monitoring.check import Check, Status, standing, title_of_check
from funnel_app.ledger.database import revision

MARKS = {Status.OK: "ok", Status.WARNING: "**warning**", Status.FAULT: "**FAULT**"}
VERDICTS = {
    Status.OK: "Everything that was looked at is right.",
    Status.WARNING: "Nothing keeps emails from arriving. The warnings are to be read and accepted by whoever signs.",
    Status.FAULT: "Not ready: the faults keep emails from arriving. Fix them and make a new report.",
}

NOT_YET = "Not to be signed: fix the faults, and make a new report."


def report(deps: Deps, checks: Sequence[Check]) -> str:
    """Return the report in Markdown, with each check's evidence."""
    worst = next((status for status in reversed(Status) if any(c.status is status for c in checks)), Status.OK)
    mode = "testing" if deps.settings.testing_mode else "live"
    zone = ZoneInfo(deps.settings.timezone)
    now = deps.now().astimezone(zone)
    counted = ", ".join(_counted(checks, status) for status in Status)
    lines = [
        f"# Production report, {now.day} {now:%B %Y}",
        "",
        (
            f"Made by `flask doctor --signoff` on {now:%Y-%m-%d at %H:%M:%S} ({zone.key}) "
            f"for {deps.settings.public_url}, in {mode} mode, "
            f"over the ledger `{_place(deps.engine)}` at `{revision.head()}`. "
            "`docs/production-checklist.md` says what each check looks at."
        ),
        "",
        f"**{VERDICTS[worst]}** ({counted})",
        "",
        "| check | status | evidence | to do |",
        "| --- | --- | --- | --- |",
        *(
            f"| {title_of_check(check.name)} | {MARKS[check.status]} | {_cell(check.detail)} | {_cell(check.fix)} |"
            for check in checks
        ),
        "",
        (
            "By hand, since no program can: a real signup on the website, its email read in an inbox on a phone and on "
            "a desktop, its unsubscribe link followed, an alert seen in the chat, and the dead man's switch heard."
        ),
        "",
        NOT_YET if worst is Status.FAULT else "Signed: ____________________   Date: ____________________",
        "",
    ]
    return "\n".join(lines)


def _place(engine: Engine) -> str:
    return engine.url.set(username=None, password=None, query={}).render_as_string()


def _counted(checks: Sequence[Check], status: Status) -> str:
    number = standing(checks, status)
    return f"{number} ok" if status is Status.OK else things(number, status)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
