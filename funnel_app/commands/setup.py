"""`python -m funnel_app.commands.setup`: from nothing to a green doctor, by answering questions.

It needs none of Funnel's settings to run, since it makes them; so it is no command of `flask --app wsgi`.
"""

import os
import subprocess
import sys
from pathlib import Path

import click

from funnel_app.commands.terminal import say
from funnel_app.deploy.interview import QUESTIONS, Question, Unfit, make_secrets, write, wrong_with
from funnel_app.environment import plain, plain_values, read_file
from funnel_app.gateways.errors import GatewayError

OFFERS = (
    ("Make the ledger's tables", ("db", "upgrade")),
    ("Write starter texts into the templates that are empty in Notion", ("templates", "populate")),
    ("Look at everything", ("doctor",)),
)
NEXT = """Now start Funnel (docker compose up -d, or make run), and prove the whole way once:
  flask --app wsgi resend canary
Further: notion init --under PAGE makes the databases for the mirror, calendly subscribe makes Calendly call us."""


@click.command()
@click.option("--to", "file", type=click.Path(dir_okay=False, path_type=Path), default=".env", show_default=True)
@click.option("--offers/--no-offers", default=True, help="Offer what comes next.")
def setup(file: Path, offers: bool) -> None:
    """Ask for each setting, check it where it can be checked, and write them into a file; safe to repeat."""
    values = plain_values(read_file(file)) if file.exists() else {}
    os.environ.update(values)
    values |= make_secrets(values)
    for question in QUESTIONS:
        if answer := _ask(question, values):
            values[question.name] = answer
    write(file, values)
    say(f"\nWrote {file}, with new secrets for all that need one. Keep a copy where your passwords are.")
    if offers:
        _offer(values)
    say(NEXT)


def _ask(question: Question, values: dict[str, str]) -> str:
    say(f"\n{question.name}: {question.meaning}")
    if not values.get(question.name) and question.find and (found := question.find({**os.environ, **values})):
        say("  found by itself")
        return found
    while True:
        answer = _answer(question, values)
        if not answer or _is_good(question, {**values, question.name: answer}):
            return answer


def _answer(question: Question, values: dict[str, str]) -> str:
    known = values.get(question.name, question.default)
    shown = "kept as it is" if question.secret and known else known
    said: str = click.prompt("  ", default=shown, hide_input=False, show_default=bool(shown), prompt_suffix="> ")
    return known if said == shown else plain(said)


def _is_good(question: Question, values: dict[str, str]) -> bool:
    os.environ[question.name] = values[question.name]
    if wrong := wrong_with(question.name):
        say(f"  ✗ {wrong}")
        return False
    if question.check is None:
        return True
    try:
        say(f"  ✓ {question.check({**os.environ, **values})}")
    except (Unfit, GatewayError) as fault:
        say(f"  ✗ {fault}")
        return click.confirm("  Take it all the same?", default=False)
    return True


def _offer(values: dict[str, str]) -> None:
    for what, command in OFFERS:
        if click.confirm(f"{what} now (flask --app wsgi {' '.join(command)})?", default=True):
            subprocess.run(
                [sys.executable, "-m", "flask", "--app", "wsgi", *command], env={**os.environ, **values}, check=False
            )


if __name__ == "__main__":
    setup()
