"""`flask trace EMAIL`: what happened to one person, and what comes next."""

import json
import sys
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import click
from flask.cli import with_appcontext
from rich import box
from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from funnel_app.campaigns.spoken import full_stop
from funnel_app.commands.plain_text import AS_JSON, say
from funnel_app.commands.terminal import Terminal
from funnel_app.current import current_deps
from funnel_app.flows.monitoring.headline import current_headline
from funnel_app.flows.tracing.trace import trace
from funnel_app.ledger.database.engine import LedgerUnavailable

LONGEST_TITLE = 30
COLOURS = {
    "delivered": "green",
    "planned": "cyan",
    "sending": "yellow",
    "sent": "yellow",
    "held": "bold red",
    "ambiguous": "bold red",
    "delayed": "yellow",
    "bounced": "red",
    "complained": "red",
    "failed": "red",
}


@click.command("trace")
@click.argument("email")
@click.option("--ids", is_flag=True, help="Show the ids of emails (for flask emails) and of calls.")
@AS_JSON
@with_appcontext
def trace_command(email: str, ids: bool, as_json: bool) -> None:
    """Show everything that happened to EMAIL; exit 1 if nobody has that address."""
    try:
        traced = trace(current_deps(), email)
    except LedgerUnavailable:
        # Nothing is known of an unknown address, but the headline still holds.
        say(full_stop(current_headline(current_deps()).sentence), err=True)
        raise
    if as_json:
        say(json.dumps(traced, indent=2))
    else:
        _show(traced, current_deps().settings.timezone, ids)
    sys.exit(0 if traced["contact"] else 1)


def _show(traced: dict[str, Any], timezone: str, ids: bool) -> None:
    console = Terminal(highlight=False)
    with console.capture() as told:
        TracePrinter(console, timezone, ids).show(traced)
    # Tables pad each line with blanks, which a file or a pipe does not need.
    text = told.get() if console.is_terminal else "".join(f"{line.rstrip()}\n" for line in told.get().splitlines())
    console.pass_on(text)


class TracePrinter:
    """Prints a person's history on a terminal, with times in the business's zone."""

    def __init__(self, console: Terminal, timezone: str, ids: bool) -> None:
        self.console = console
        self.zone = ZoneInfo(timezone)
        self.ids = ids

    def show(self, traced: dict[str, Any]) -> None:
        """Print who it is, what happened, and where each sequence stands."""
        self.console.print(Text(f"{traced['headline']}.", "italic"))
        if traced["contact"] is None:
            self._stranger(traced)
            return
        self._person(traced["contact"])
        self._forbidden(traced)
        self.console.print(Padding(Text(f"What happened (times of {self.zone.key})", "bold"), (1, 0, 0, 0)))
        self.console.print(self._lines(traced["story"]))
        for enrolment in traced["enrolments"]:
            self.console.print(self._enrolment(enrolment))

    def _stranger(self, traced: dict[str, Any]) -> None:
        self.console.print(Text(traced["sentence"]))
        for hook in traced["hooks"]:
            what = f"{hook['hook']} from {hook['source']}, {hook['outcome']}: {hook['reason']}"
            self.console.print(
                Text.assemble((f"  {self._time(hook['at'])}  ", "dim"), (f"{hook['id']}  ", "cyan"), what)
            )
        # Without a refused call, the sentence names the similar addresses.
        if traced["hooks"] and traced["similar"]:
            self.console.print(Text.assemble("Like it: ", (", ".join(traced["similar"]), "bold")))
        self._forbidden(traced)

    def _person(self, contact: dict[str, Any]) -> None:
        names = [name for name in (contact["first_name"], contact["business_name"]) if name] or ["no name given"]
        who = Text.assemble((contact["email"], "bold"), "  ", ", ".join(names))
        known, changed = self._day(contact["created_at"]), self._day(contact["updated_at"])
        who.append(f", known since {known}" + (f", changed {changed}" if changed != known else ""))
        self.console.print(Padding(who, (1, 0, 0, 0)))
        if contact["earlier_addresses"]:
            self.console.print(Text(f"before a correction {', '.join(contact['earlier_addresses'])}", "dim"))
        if contact["notion_refused"]:
            told = f"Notion does not take this lead's row: {contact['notion_refused']} (flask notion check)"
            self.console.print(Text(told, "bold red"))

    def _forbidden(self, traced: dict[str, Any]) -> None:
        for each in traced.get("suppressions", []):
            what = "marketing" if each["scope"] == "marketing" else "anything"
            self.console.print(Text(f"Not mailed {what}: {each['reason']}", "bold red"))

    def _lines(self, lines: list[dict[str, Any]]) -> Table:
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        # A long title wraps, to leave room for what happened.
        table.add_column(max_width=LONGEST_TITLE)
        table.add_column(overflow="fold")
        for line in lines:
            table.add_row(
                Text(f"  {self._time(line['at'])}", "dim"), Text(line["about"], "cyan"), Text(_in_titles(line["what"]))
            )
        return table

    def _enrolment(self, enrolment: dict[str, Any]) -> Padding:
        mode = ", testing mode" if enrolment["mode"] == "test" else ""
        name = current_deps().registry.title_of_sequence(enrolment["campaign"], enrolment["sequence"])
        title = Text.assemble((name, "bold"), f"  {_stands(enrolment)}{mode}", (f"  {enrolment['sequence']}", "dim"))
        if enrolment["call_at"]:
            title.append(f", call {self._day(enrolment['call_at'])} {self._time(enrolment['call_at'])[7:12]}")
        arrow = Padding(Text.assemble(("→ ", "bold"), (_in_titles(enrolment["sentence"]), "italic")), (0, 0, 0, 2))
        return Padding(Group(title, *self._began(enrolment), self._emails(enrolment["emails"]), arrow), (1, 0, 0, 0))

    def _began(self, enrolment: dict[str, Any]) -> list[Text]:
        if not (self.ids and enrolment["hook_id"]):
            return []
        return [Text(f"  began with a call: flask hooks show {enrolment['hook_id']}", "dim")]

    def _emails(self, emails: list[dict[str, Any]]) -> Table:
        table = Table(box=box.SIMPLE, show_header=False, padding=(0, 1), show_edge=False, pad_edge=False)
        for number in range(3 if self.ids else 4):
            table.add_column(no_wrap=number != 1, overflow="fold")
        for email in emails:
            state = Text(email["state"], COLOURS.get(email["state"], "dim"))
            table.add_row(f"  {email['step']}", *self._which(email), state)
            if email["reason"]:
                # Below the table, since a column would cut its words.
                table.add_row("", Text(_in_titles(email["reason"], email["template"])))
        return table

    def _which(self, email: dict[str, Any]) -> tuple[Text, ...]:
        # A cut id could not be copied, and a terminal has no room for all.
        if self.ids:
            return (Text(email["id"]),)
        when = self._time(email["due_at"] if email["state"] == "planned" else email["since"])
        return Text(current_deps().registry.title_of_email(email["template"])), Text(when, "dim")

    def _time(self, text: str) -> str:
        local = datetime.fromisoformat(text).astimezone(self.zone)
        return f"{local:%d %b %H:%M:%S}"

    def _day(self, text: str) -> str:
        local = datetime.fromisoformat(text).astimezone(self.zone)
        return f"{local.day} {local:%B %Y}"


def _in_titles(words: str, beside: str | None = None) -> str:
    return current_deps().registry.in_titles(words, beside)


def _stands(enrolment: dict[str, Any]) -> str:
    # The sentence below says how and why.
    return "ended early" if enrolment["state"] == "exited" else str(enrolment["state"])
