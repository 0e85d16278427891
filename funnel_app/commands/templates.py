"""`flask templates`: check, preview and test the texts in Notion."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from flask.cli import with_appcontext
from rich.markup import escape
from rich.table import Column

from funnel_app.campaigns.spoken import full_stop
from funnel_app.commands.person import note
from funnel_app.commands.plain_text import AS_JSON, say
from funnel_app.commands.tables import folded
from funnel_app.commands.terminal import Terminal
from funnel_app.commands.whole_help import WholeHelp
from funnel_app.current import current_deps
from funnel_app.flows.console.template_pages import stand_of, versions_of
from funnel_app.flows.receipt import iso
from funnel_app.flows.templates.audit import Audit, Finding, audit_templates
from funnel_app.flows.templates.populate import populate as populate_flow
from funnel_app.flows.templates.preview import CannotPreview, find_place
from funnel_app.flows.templates.preview import preview as preview_flow
from funnel_app.flows.templates.samples import SAMPLES
from funnel_app.flows.templates.send_test import send_tests
from funnel_app.flows.templates.serve_again import CannotServe
from funnel_app.flows.templates.serve_again import serve_again as serve_again_flow
from funnel_app.flows.templates.standing import Standing
from funnel_app.gateways.errors import GatewayError
from funnel_app.ledger.models import TemplateVersion

NO_PROPERTY = "Add that property to the database, or give the name that it has there in NOTION_PROPERTY_NAMES."
COMMAND_LINE = "the command line"
COLOURS = {"ok": "green", "warning": "yellow", "fault": "bold red"}


@click.group("templates", cls=WholeHelp)
def group() -> None:
    """Check, preview and test the texts in Notion."""


# One file per template, overwritten each time, so that none is left behind.
OPENED = Path("var")


@group.command()
@AS_JSON
@with_appcontext
def audit(as_json: bool) -> None:
    """Check whether every template that a campaign needs can be sent; exit 1 if one cannot."""
    with _notion_asked():
        found = audit_templates(current_deps())
    say(json.dumps(found.as_json(), indent=2)) if as_json else _show(found)
    sys.exit(0 if found.ok else 1)


def _told(problem: Finding) -> str:
    cure = f"\n[bold]→ {escape(problem.suggestion)}[/]" if problem.suggestion else ""
    return escape(problem.detail) + cure


def _show(found: Audit) -> None:
    # The key is never cut, since the page in Notion must have that name.
    table = folded(Column("template", no_wrap=True), "status", "what is wrong, and what to do")
    for template in found.templates:
        wrong = "\n".join(_told(problem) for problem in template.problems)
        state = f"[{COLOURS[template.status]}]{template.status}[/]"
        read = f"\nread as {escape(template.read_as)}" if template.read_as not in ("", "HTML") else ""
        table.add_row(template.key, f"{state}{read}", wrong)
    Terminal().print(table)
    if found.unused:
        say(f"No campaign needs: {', '.join(f'“{name}”' for name in found.unused)}")
    faults = sum(template.status == "fault" for template in found.templates)
    say(f"{len(found.templates) - faults} of {len(found.templates)} templates can be sent.")


@group.command()
@click.option("--dry-run", is_flag=True, help="Only show what would be done.")
@with_appcontext
def populate(dry_run: bool) -> None:
    """Write a starter text for each key without one in Notion, or with an older starter; edited texts stay."""
    with _notion_asked():
        populate_flow(current_deps(), lambda row: say(f"{row.did:<10}  {row.key:<26}  {row.detail}"), dry_run=dry_run)
    if dry_run:
        say("Nothing was written: that is what would be done.")


@group.command()
@click.argument("key")
@click.option("--lead", metavar="EMAIL", help="As this lead would get it.")
@click.option(
    "--sample", "sample_name", type=click.Choice(SAMPLES), default="critical", help="As a sample lead would get it."
)
@click.option(
    "--html", "path", type=click.Path(dir_okay=False, path_type=Path), help="Write the HTML part to this file."
)
@click.option("--open", "show", is_flag=True, help="Open the HTML part in the browser, from var/ or that file.")
@with_appcontext
def preview(key: str, lead: str | None, sample_name: str, path: Path | None, show: bool) -> None:
    """Show the letter that a template makes now; exit 1 if it makes none, or the lead lacks a variable."""
    with _notion_asked():
        made = preview_flow(current_deps(), key, lead=lead, sample_name=sample_name)
    for problem in made.problems:
        say(f"{'fault' if problem.blocking else 'warning'}: {problem.detail}", err=True)
    for name in made.missing:
        say(f"missing: nothing provides {name} for this lead; the letter would be held", err=True)
    if made.read_as:
        say(f"read as {made.read_as}", err=True)
    if made.letter is not None:
        say(f"Subject: {made.letter.subject}\n\n{made.letter.text}")
        _keep_html(made.letter.html, path or (OPENED / f"{key}.html" if show else None), show)
    sys.exit(0 if made.ok else 1)


def _keep_html(html: str, path: Path | None, show: bool) -> None:
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(html, "utf-8")
    except OSError as fault:
        raise click.ClickException(
            f"{path} cannot be written: {fault.strerror}. Name another place with --html."
        ) from None
    say(f"HTML: {path}", err=True)
    if show:
        click.launch(str(path))


@group.command("send-test")
@click.argument("keys", nargs=-1, metavar="[KEY]...")
@click.option("--all", "every", is_flag=True, help="Every template that a campaign needs.")
@click.option("--to", "address", required=True, metavar="ADDRESS", help="The recipient.")
@click.option("--sample", "sample_name", type=click.Choice(SAMPLES), default="critical", help="The sample lead.")
@with_appcontext
def send_test(keys: tuple[str, ...], every: bool, address: str, sample_name: str) -> None:
    """Send the templates' letters to an address, marked [Test] and counted nowhere.

    The same letter goes to the same address once in ten minutes, so that a command which was interrupted can be
    repeated. Exit 1 where one did not go.
    """
    if every == bool(keys):
        raise click.UsageError("Name one template or more, or say --all.")
    sent = []
    with _notion_asked():
        for row in send_tests(current_deps(), keys, address, sample_name):
            sent.append(row.sent)
            say(f"{'sent' if row.sent else 'not sent':<8}  {row.key:<26}  {row.detail}")
    note("send_test", f"{sum(sent)} of {len(sent)} tests were handed to Resend")
    say(f"{sum(sent)} of {len(sent)} tests were handed to Resend for {address}.")
    sys.exit(0 if all(sent) else 1)


@group.command("serve-again")
@click.argument("key")
@click.argument("version", required=False)
@with_appcontext
def serve_again(key: str, version: str | None) -> None:
    """Serve an earlier version of a template until its page in Notion changes; without VERSION list them.

    VERSION is the beginning of an id in that list.
    """
    deps = current_deps()
    with _notion_asked():
        find_place(deps.registry, key)
    listed = versions_of(deps.reads, key)
    if version is None:
        _list_versions(listed, stand_of(deps, key))
        return
    found = [each for each in listed if each.hash.startswith(version)]
    if len(found) != 1:
        raise click.ClickException(
            f"{len(found)} versions of {key} begin with {version}; leave VERSION out to see them."
        )
    try:
        say(f"{serve_again_flow(deps, key, found[0].id, COMMAND_LINE)}.")
    except CannotServe as fault:
        raise click.ClickException(full_stop(str(fault))) from None


def _list_versions(listed: Sequence[TemplateVersion], standing: Standing) -> None:
    table = folded(Column("version", no_wrap=True), "subject", "last seen in Notion", "state")
    for each in listed:
        serves = standing.serving is not None and standing.serving.id == each.id
        state = "leads get it" if serves else "can be chosen" if each.good else "cannot be sent"
        table.add_row(each.hash[:8], escape(each.subject), iso(each.checked_at), state)
    Terminal().print(table)
    say(f"{standing.stand}{f': {standing.why}' if standing.why else ''}")


@contextmanager
def _notion_asked() -> Iterator[None]:
    try:
        yield
    except CannotPreview as fault:
        raise click.ClickException(full_stop(str(fault))) from None
    except GatewayError as fault:
        where = "Notion cannot be asked" if fault.provider == "notion" else "It cannot go on"
        hint = f"\n{NO_PROPERTY}" if "is not a property that exists" in fault.message else ""
        raise click.ClickException(f"{where}: {fault}{hint}") from None
