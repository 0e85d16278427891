"""`flask setup`: answer questions until the doctor is green and a canary has arrived.

Needs none of Funnel's settings, since it creates them: `wsgi.py` returns it without building the application.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import click

from funnel_app.commands.plain_text import say
from funnel_app.deploy import env_file
from funnel_app.deploy.interview import Place, Question, is_needed, make_secrets, questions, wrong_with
from funnel_app.deploy.live_answers import Found, Unfit
from funnel_app.environment import NotReadable, plain_values, read_file
from funnel_app.gateways.errors import GatewayError
from funnel_app.gateways.http.public_url import PublicUrlProbe
from funnel_app.secret_checks import is_example

Values = dict[str, str]

GREETING = """Funnel is set up by questions: each answer is checked with those who know, and kept in {file}.
Enter takes what stands in [ ]. Ctrl-C stops; run it again to go on."""
STOPPED = "What was answered so far is in {file}: run it again to go on."
NOTHING = "Nothing was written."
# What each command begins with, before Funnel runs and while it does.
BEFORE = {
    Place.COMPOSE: ("docker", "compose", "run", "--rm", "--build", "funnel", "flask", "--app", "wsgi"),
    Place.HERE: (sys.executable, "-m", "flask", "--app", "wsgi"),
}
MEANWHILE = {
    Place.COMPOSE: ("docker", "compose", "exec", "funnel", "flask", "--app", "wsgi"),
    Place.HERE: BEFORE[Place.HERE],
}
START = {
    Place.COMPOSE: "Start Funnel now, in another terminal: docker compose up -d",
    Place.HERE: "Start Funnel now, in another terminal: make run",
}
TABLES = ("db", "upgrade")
RUN = Path("var/run.env")
OFFERS = (
    ("Add to the databases in Notion what they lack?", ("notion", "init")),
    ("Write starter texts into the templates that are empty in Notion?", ("templates", "populate")),
)
CALENDLY_OFFER = ("Make Calendly call Funnel?", ("calendly", "subscribe"))
DOCTOR = ("doctor",)
PROOFS = (("Everything is looked at:", DOCTOR), ("One email goes the whole way:", ("resend", "canary")))
# So long what was just started may take until it is ready; an email that did not come is not sent again.
AGAIN_AFTER_S = 20


@click.command("setup")
@click.option("--to", "file", type=click.Path(dir_okay=False, path_type=Path), default=".env", show_default=True)
@click.option("--only-ask", is_flag=True, help="Stop once the file is written.")
def setup_command(file: Path, only_ask: bool) -> None:
    """Ask for each setting, check it live, write .env, and send a canary. Safe to repeat."""
    say(GREETING.format(file=file))
    try:
        done = _set_up(file, only_ask)
    except NotReadable as fault:
        raise click.ClickException(str(fault)) from None
    except (click.Abort, KeyboardInterrupt):
        say(f"\n\nStopped. {STOPPED if file.exists() else NOTHING}".format(file=file))
        done = 1
    sys.exit(done)


def _set_up(file: Path, only_ask: bool) -> int:
    if file.exists():
        click.confirm(f"\n{file} is there: go on from it, and keep a copy as it is?", default=True, abort=True)
        say(f"The copy is {env_file.keep_copy(file)}.")
    place = Place(
        click.prompt(
            "\nWhere will Funnel run: by Docker Compose or Coolify (compose), or on this machine (here)?\n",
            type=click.Choice([each.value for each in Place]),
            default=Place.COMPOSE.value,
        )
    )
    values = _answers(file, place)
    say(f"\n{file} is written; keep a copy where your passwords are. The console, {values['PUBLIC_URL']}/console/,")
    say("opens with CONSOLE_PASSWORD from it, and the website proves itself with HOOK_SECRET.")
    return 0 if only_ask else _prove(values, place)


def _answers(file: Path, place: Place) -> Values:
    found = plain_values(read_file(file)) if file.exists() else {}
    values = {name: value for name, value in found.items() if not is_example(value)}
    os.environ.update(values)
    values |= make_secrets(values)
    for question in questions(place):
        if question.when(values):
            values |= _ask(question, values)
            env_file.write(file, {name: value for name, value in values.items() if value})
    return values


def _ask(question: Question, values: Values) -> Values:
    optional = "" if is_needed(question.name) else " (Enter: none)" if not question.default else ""
    say(f"\n{question.name}: {question.meaning}{optional}")
    if question.hint:
        say(f"  {question.hint}")
    if question.find is not None:
        try:
            return _seen(question.find({**os.environ, **values}))
        except GatewayError as fault:
            say(f"  ✗ it cannot be found by itself: {fault}")
    while True:
        answer = _answer(question, values)
        good = _checked(question, {**values, question.name: answer})
        if good is not None:
            return {question.name: answer, **good}


def _answer(question: Question, values: Values) -> str:
    known = values.get(question.name, question.default)
    shown = "as it is" if question.secret and known else known
    said: str = click.prompt(
        "", default=shown, hide_input=question.secret, show_default=bool(shown), prompt_suffix=" > "
    )
    return known if said == shown else question.read(said)


def _checked(question: Question, values: Values) -> Values | None:
    """Return what an answer's checks found; None if the question must be asked again."""
    answer = values[question.name]
    if wrong := wrong_with(question.name, answer):
        say(f"  ✗ {wrong}")
        return None
    if not answer or question.check is None:
        return {}
    try:
        return _seen(question.check({**os.environ, **values}))
    except (Unfit, GatewayError) as fault:
        say(f"  ✗ {fault}")
        return {} if click.confirm("  Take it all the same?", default=False) else None


def _seen(found: Found) -> Values:
    say(f"  ✓ {found.words}")
    os.environ.update(found.values)
    return dict(found.values)


def _prove(values: Values, place: Place) -> int:
    """Offer what is left to do, wait for Funnel, and check everything; 1 if something is wrong."""
    say("")
    _run([*BEFORE[place], *TABLES], values)
    for question, command in (*OFFERS, *([CALENDLY_OFFER] if values.get("CALENDLY_TOKEN") else [])):
        if click.confirm(f"\n{question}", default=True):
            _run([*BEFORE[place], *command], values)
    if not _is_up(values, place):
        _show("When it is up, run:", place, [command for _, command in PROOFS])
        return 0
    values = {**values, **_of_the_run(values, place)}
    failed = [command for title, command in PROOFS if _fails(title, MEANWHILE[place], command, values)]
    if failed:
        _show("Fix what is said above, then run again:", place, failed)
        return 1
    say("\nFunnel works: the test email arrived. With TESTING_MODE=false and a restart, real leads are mailed.")
    return 0


def _of_the_run(values: Values, place: Place) -> Values:
    """Return the address of the Redis that `make run` started; nothing if it started none."""
    lacks = place is Place.HERE and not values.get("REDIS_URL") and RUN.exists()
    told = plain_values(read_file(RUN)) if lacks else {}
    return {name: value for name, value in told.items() if name == "REDIS_URL"}


def _is_up(values: Values, place: Place) -> bool:
    say(f"\n{START[place]}")
    probe = PublicUrlProbe(values["PUBLIC_URL"].rstrip("/"), values["HOOK_SECRET"])
    while click.confirm(f"Is it up, and reached at {values['PUBLIC_URL']}?", default=True):
        try:
            probe.check()
        except GatewayError as fault:
            say(f"  ✗ {fault}")
        else:
            return True
    return False


def _fails(title: str, before: Sequence[str], command: Sequence[str], values: Values) -> bool:
    say(f"\n{title}")
    if _run([*before, *command], values) == 0:
        return False
    if command != DOCTOR:
        return True
    say(f"\nWhat has just been started may not be ready: everything is looked at again in {AGAIN_AFTER_S} seconds.")
    time.sleep(AGAIN_AFTER_S)
    return _run([*before, *command], values) != 0


def _run(command: Sequence[str], values: Values) -> int:
    sys.stdout.flush()
    try:
        # Their messages are for the person answering; their logs are not.
        return subprocess.run(command, env={"LOG_LEVEL": "ERROR", **os.environ, **values}, check=False).returncode
    except OSError as fault:
        say(f"  ✗ {command[0]} cannot be run: {fault.strerror}")
        return 1


def _show(what: str, place: Place, commands: Sequence[Sequence[str]]) -> None:
    before = "flask --app wsgi" if place is Place.HERE else " ".join(MEANWHILE[place])
    say("\n".join(["", what, *(f"  {before} {' '.join(command)}" for command in commands)]))


if __name__ == "__main__":
    setup_command()
