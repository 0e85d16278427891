"""`flask leads`: import leads from a file, or export them to one."""

import csv
import io
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import click
from flask.cli import with_appcontext
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from funnel_app.campaigns.fields import duration
from funnel_app.campaigns.segments import SEGMENTS
from funnel_app.campaigns.spoken import things
from funnel_app.commands.person import note
from funnel_app.commands.plain_text import said_plainly, say
from funnel_app.commands.terminal import Terminal
from funnel_app.commands.whole_help import WholeHelp
from funnel_app.current import current_deps
from funnel_app.flows.console.lead_table import lead_table
from funnel_app.flows.console.leads import count_leads
from funnel_app.flows.lists.import_settings import ImportSettings, NotPossible, Plan, first_guess, plan_of, with_columns
from funnel_app.flows.lists.judge import REFUSED, Answer
from funnel_app.flows.lists.spread import when_first_go
from funnel_app.flows.lists.take import take_list
from funnel_app.ledger.models.base import EnrolmentState
from funnel_app.ledger.queries.leads import Wanted
from funnel_app.lists.files import Form, NotAList, cell_of, lines_of
from funnel_app.lists.headings import Mapped
from funnel_app.lists.safe_cells import safe

RESULT, FORESEEN = ".result.csv", ".dry-run.csv"
ANSWER_COLUMNS = ("row", "email", "answer", "reason", "lead")
PAIR = "COLUMN=FIELD"


def _span(context: click.Context, param: click.Parameter, said: str) -> timedelta:
    """Parse a span such as 12h or 2d; None if empty."""
    try:
        return duration(said) if said else timedelta()
    except ValueError as fault:
        raise click.BadParameter(str(fault)) from None


@click.group("leads", cls=WholeHelp)
def group() -> None:
    """Import leads from another program's file, or export them."""


@group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--sequence", default="", help="Start this sequence for each lead; without it leads are only stored.")
@click.option("--consent", default="", help="Where and when all leads consented to be mailed, if no column says so.")
@click.option(
    "--map",
    "columns",
    multiple=True,
    metavar=PAIR,
    help="What a column holds; leave the part after = empty to ignore it.",
)
@click.option("--means", multiple=True, metavar="WORD=STANDING", help="What a value in a status column means.")
@click.option("--over", callback=_span, default="", help="Spread the first emails over this span, such as 12h or 2d.")
@click.option("--dry-run", is_flag=True, help="Only show what would become of each row.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@with_appcontext
def import_(file: Path, dry_run: bool, yes: bool, **asked: Any) -> None:
    """Import the leads of FILE, a CSV from any program, and write each row's result to FILE.result.csv.

    Safe to repeat: no row is imported twice, wherever it stopped. Exit 1 if a row could not be used.
    """
    if not file.is_file():
        raise click.ClickException(
            f"{file} is no ordinary file, which can be read more than once: store the list as one."
        )
    if file.name.endswith((RESULT, FORESEEN)):
        raise click.ClickException(f"{file} holds our answers and no leads: import the file without {RESULT}.")
    with file.open("rb") as opened, said_plainly(NotAList, NotPossible):
        form, guessed = first_guess(opened)
        mapped = with_columns(form, guessed, _pairs(asked["columns"], PAIR))
        _show_columns(opened, form, mapped)
        means = dict(_pairs(asked["means"], "WORD=STANDING"))
        chosen = ImportSettings(
            columns=mapped, means=means, **{name: asked[name] for name in ("sequence", "consent", "over")}
        )
        plan = plan_of(current_deps().registry, opened, chosen, file.name)
        _warn(plan)
        say(when_first_go(current_deps(), plan), err=True)
        if not dry_run and not yes:
            click.confirm(f"Take {things(plan.rows, 'row')} in so?", abort=True)
        counts = _take(opened, plan, file, dry_run=dry_run)
    sys.exit(int(bool(counts[REFUSED])))


@group.command("export")
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path), required=False)
@click.option("--words", default="", help="Part of an address, a name or a business.")
@click.option("--segment", type=click.Choice(SEGMENTS), help="Only leads of this segment.")
@click.option("--sequence", default="", help="Only leads who are or were in this sequence.")
@click.option("--campaign", default="", help="Only leads who are or were in a sequence of this campaign.")
@click.option("--state", type=click.Choice([each.value for each in EnrolmentState]), help="Only leads in this state.")
@with_appcontext
def export(file: Path | None, **filters: Any) -> None:
    """Export leads as CSV to FILE, or print them; each row says whether its address may be mailed."""
    given: dict[str, Any] = {name: value for name, value in filters.items() if value}
    deps, wanted = current_deps(), Wanted(**given)
    rows = lead_table(deps, wanted)
    if file is None:
        for row in rows:
            say(_line(row))
    else:
        with _private(file) as out:
            csv.writer(out).writerows([safe(cell) for cell in row] for row in rows)
        say(f"{things(count_leads(deps.reads, wanted), 'lead')} written to {file}.", err=True)
    note("export", f"took a list of {things(count_leads(deps.reads, wanted), 'lead')} along as CSV")


def _line(row: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow([safe(cell) for cell in row])
    return line.getvalue()


def _pairs(given: Sequence[str], form: str) -> list[tuple[str, str]]:
    for pair in given:
        if "=" not in pair:
            raise click.UsageError(f"{pair}: write it as {form}.")
    # A heading may contain a =; a field or a status may not.
    return [(left.strip(), right.strip()) for left, _, right in (pair.rpartition("=") for pair in given)]


def _show_columns(file: IO[bytes], form: Form, mapped: Mapped) -> None:
    """Show how each column is read; unused columns show no values, which may be secret."""
    first = next(lines_of(file, form), None)
    fields = {column: name for name, columns in mapped.items() for column in columns}
    say(f"{form.encoding}, cells parted by {'tabs' if form.separator == chr(9) else form.separator}", err=True)
    for column, heading in enumerate(form.headings):
        field = fields.get(column)
        example = " ".join(cell_of(first.cells, column).split())[:40] if first and field else ""
        say(f"  {heading:<30} {'→ ' + field if field else 'not used':<18} {example}".rstrip(), err=True)


def _warn(plan: Plan) -> None:
    if current_deps().settings.testing_mode and plan.sequence:
        say("TESTING_MODE is on: what is started now is a test, with minutes for days.", err=True)
    if plan.sequence is None:
        say("No --sequence: the leads are only kept.", err=True)


def _take(opened: IO[bytes], plan: Plan, file: Path, *, dry_run: bool) -> Counter[str]:
    deps, counts = current_deps(), Counter[str]()
    path = file.with_name(f"{file.name}{FORESEEN if dry_run else RESULT}")
    with _private(path) as out, _noted(plan, counts, dry_run=dry_run), _bar(plan.rows) as advance:
        answers = csv.writer(out)
        answers.writerow(ANSWER_COLUMNS)
        for step in take_list(deps, opened, plan, dry_run=dry_run):
            answers.writerows(map(_row, step.answers))
            out.flush()
            counts.update(answer.answer for answer in step.answers)
            advance(step.rows)
    say(f"{'Would be: ' if dry_run else ''}{_summary(counts)}. Each row is answered in {path}.")
    return counts


@contextmanager
def _noted(plan: Plan, counts: Counter[str], *, dry_run: bool) -> Iterator[None]:
    """Log that an import began and its result, also if it was interrupted; a dry run logs nothing."""
    if not dry_run:
        note("import", f"began to import {things(plan.rows, 'row')}{_into(plan)}")
    try:
        yield
    except KeyboardInterrupt:
        raise click.ClickException(f"Stopped. {_summary(counts)}; the same command goes on from there.") from None
    finally:
        if not dry_run:
            note("import", f"imported{_into(plan)}: {_summary(counts)}")


def _into(plan: Plan) -> str:
    return f" into “{plan.sequence.title}”" if plan.sequence else ""


def _summary(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {answer}" for answer, count in counts.most_common()) or "no row was taken"


def _row(answer: Answer) -> Iterable[object]:
    lead = str(answer.contact_id or "")
    return [safe(cell) for cell in (answer.number, answer.address, answer.answer, answer.reason, lead)]


@contextmanager
def _private(path: Path) -> Iterator[IO[str]]:
    """Open a file for its owner alone, since it holds addresses. Raises ClickException if that fails."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as fault:
        raise click.ClickException(
            f"{path} cannot be written ({fault.strerror}), so nothing was done: use a folder that may be written to."
        ) from None
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as out:
        yield out


@contextmanager
def _bar(rows: int) -> Iterator[Any]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Terminal(stderr=True), transient=True) as progress:
        # Each row is read twice: first for people who unsubscribed, then for the others.
        task = progress.add_task("rows, twice", total=2 * rows)
        yield lambda count: progress.advance(task, count)
