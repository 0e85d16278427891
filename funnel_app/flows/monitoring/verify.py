"""Verify: the campaign files, the code, the documents and Notion agree on what is sent, and when."""

from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from funnel_app.campaigns.model import Mode, Sequence
from funnel_app.campaigns.registry import Registry, whole_registry
from funnel_app.campaigns.sequence_rows import sequence_rows
from funnel_app.campaigns.spoken import things
from funnel_app.campaigns.timing import due_at
from funnel_app.deps import Deps
from funnel_app.flows.templates.audit import audit_templates
from funnel_app.gateways.errors import GatewayError

OK, FAULT, SKIPPED = "ok", "fault", "skipped"
ARCHITECTURE = Path(__file__).parents[3] / "ARCHITECTURE.md"


@dataclass(frozen=True)
class Check:
    """One comparison."""

    name: str
    status: str
    detail: str

    def as_json(self) -> dict[str, Any]:
        """Return the check as plain data."""
        return asdict(self)


def verify(deps: Deps, paths: Collection[str]) -> list[Check]:
    """Compare the campaign files with the application's paths, the documents and Notion; changes nothing."""
    return [*_files(deps), *_code(deps.registry, paths), *check_documents(deps), *_notion(deps)]


def _files(deps: Deps) -> Iterator[Check]:
    for campaign in deps.registry.campaigns.values():
        steps = things(sum(len(sequence.steps) for sequence in campaign.sequences.values()), "step")
        yield Check(f"file {campaign.name}", OK, f"{things(len(campaign.sequences), 'sequence')}, {steps}")
        for sequence in campaign.sequences.values():
            faults = [words for mode in Mode if (words := _out_of_order(deps, sequence, mode))]
            detail = "; ".join(faults) or f"{things(len(sequence.steps), 'step')}, in order in both modes"
            yield Check(f"timing {campaign.name}/{sequence.name}", FAULT if faults else OK, detail)


def _out_of_order(deps: Deps, sequence: Sequence, mode: Mode) -> str | None:
    anchor, interval = deps.now(), deps.settings.testing_interval_seconds
    due = [due_at(step, anchor, mode=mode, interval_seconds=interval) for step in sequence.steps]
    return None if due == sorted(due) else f"in {mode} mode a step comes before the one that it follows"


def _code(registry: Registry, paths: Collection[str]) -> Iterator[Check]:
    for campaign in registry.campaigns.values():
        for hook in campaign.hooks.values():
            wanted = [f"/webhook/<campaign>/{hook.name}", *hook.legacy_paths]
            missing = [path for path in wanted if path not in paths]
            detail = f"no code answers {', '.join(missing)}" if missing else things(len(wanted), "path")
            yield Check(f"hook {campaign.name}/{hook.name}", FAULT if missing else OK, detail)


def check_documents(deps: Deps) -> Iterator[Check]:
    """Compare the sequences in ARCHITECTURE.md with the campaign files."""
    if not ARCHITECTURE.exists():
        yield Check("documents", SKIPPED, "they are not shipped with the image")
        return
    lines = ARCHITECTURE.read_text("utf-8").splitlines()
    for row in _described(deps):
        words = (f"`{row['sequence']}`", f"`{row['handler']}`", ", ".join(row["live"]), ", ".join(row["testing"]))
        told = any(all(word in line for word in words) for line in lines)
        detail = "handler and timings in both modes" if told else "ARCHITECTURE.md does not say so: run make docs"
        yield Check(f"document {row['campaign']}/{row['sequence']}", OK if told else FAULT, detail)


def _described(deps: Deps) -> Iterator[dict[str, Any]]:
    """Return the sequences that the documents cover; an owner's own files are not among them."""
    shipped = whole_registry().campaigns if deps.settings.campaigns_dir else deps.registry.campaigns
    yield from (row for row in sequence_rows(deps.registry) if row["campaign"] in shipped)


def _notion(deps: Deps) -> Iterator[Check]:
    try:
        # This runs where no ledger is, too.
        audit = audit_templates(deps, keeps=False)
    except GatewayError as fault:
        yield Check("Notion", SKIPPED, f"cannot be asked: {fault}")
        return
    for template in audit.templates:
        wrong = "; ".join(f"{problem.detail} ({problem.suggestion})" for problem in template.problems)
        yield Check(f"template {template.key}", template.status, wrong or "can be sent")
