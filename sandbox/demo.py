"""The demo: leads come in through the public hooks, and every email is followed to its delivery or its stop."""

import argparse
import sys
import time
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from sandbox.play import VISITORS_DOING, Play, last_words
from sandbox.processes import MIRROR, ROOT, NotStarted, stop_once
from sandbox.scenario import ALL_YEAR, HOOKS, Observation, Scene
from sandbox.settings_file import settings_file
from sandbox.stack import Stack, running_stack, start_funnel
from sandbox.steering import owners_files, write_letters
from sandbox.verdict import all_faults, undelivered
from sandbox.watch import Watch

DAY_S = 4
# Longer than that, and it looks as if nothing happened (QUIET_AFTER_S).
LONGEST_DAY_S = 30
LOOK_EVERY_S = 1.0
SETTINGS = "var/demo.env"
# Where the owner reads what leads answer.
MAILBOX = "delivered+owner@resend.dev"


def main() -> int:
    """Run the demo; 0 only if every email that was expected was delivered, once, and every stop is the expected one."""
    parser = argparse.ArgumentParser(prog="make demo")
    parser.add_argument("--once", action="store_true", help="stop when all is told")
    parser.add_argument("--day", type=int, default=DAY_S, metavar="SECONDS", help="how long a day of a sequence takes")
    asked = parser.parse_args()
    if not 1 <= asked.day <= LONGEST_DAY_S:
        parser.error(f"--day: a day takes 1 to {LONGEST_DAY_S} seconds")
    stop_once()
    try:
        with (
            owners_files() as folder,
            running_stack(
                asked.day, EXTRA_CAMPAIGNS=ALL_YEAR, CAMPAIGNS_DIR=str(folder), REPLY_FORWARD_TO=MAILBOX, **MIRROR
            ) as stack,
            settings_file(ROOT / SETTINGS, _environment(stack)) as settings,
        ):
            return _run(stack, Watch(stack, settings, restarts=not asked.once), asked.once, asked.day)
    except (NotStarted, OSError, RuntimeError) as fault:
        print(f"\nThe demo cannot start: {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; nothing is left running.")
        return 0


def _environment(stack: Stack) -> dict[str, str]:
    return {**stack.settings, "SANDBOX_URL": stack.sandbox_url}


def _run(stack: Stack, watch: Watch, once: bool, day_s: int) -> int:
    play = Play(Scene(stack, timedelta(seconds=day_s)), judged=once)
    try:
        _start(stack, watch.settings, day_s)
        emails = play.to_the_end(watch)
        faults = _ended(watch) or all_faults(stack, emails, MAILBOX) if once else []
    except VISITORS_DOING as fault:
        (stack.processes.folder / "demo.log").write_text(f"{fault}\n")
        faults = _ended(watch) or [f"it cannot go on: {last_words(fault)}"]
    if faults:
        _explain(stack, watch.settings, dict.fromkeys([*faults, *(undelivered(play.seen) if play.states else [])]))
    elif not once:
        _stay(stack, emails, watch)
    return int(bool(faults))


def _start(stack: Stack, settings: Path, day_s: int) -> None:
    print("Starting Redis, the stand-ins for Notion and Resend, web, worker and scheduler …", flush=True)
    write_letters(stack)
    start_funnel(stack)
    print(f"\n  Website    {stack.sandbox_url}/website (sign yourself up, and follow it through)")
    print(f"  Inbox      {stack.sandbox_url}/\n  API        {stack.web_url}{HOOKS}/signup")
    print(f"  CRM        {stack.sandbox_url}/crm (who is told what happens to leads)")
    print(f"  Chat       {stack.sandbox_url}/chat (where the owner reads at once who answered)")
    print(f"  Desk       {stack.sandbox_url}/desk (Notion, as the owner sees it)")
    password = stack.processes.env["CONSOLE_PASSWORD"]
    print(f"  Console    {stack.web_url}/console/ (any name, password {password})")
    print(f"  Health     {stack.web_url}/readyz")
    print(f"  Files      {stack.processes.env['CAMPAIGNS_DIR']} (the owner's own campaigns and list)")
    print(f"  Commands   in another terminal here: . {settings.relative_to(ROOT)}", end="")
    print("  then  .venv/bin/flask --app wsgi trace EMAIL")
    print(f"  One day of a sequence takes {day_s} seconds here.\n")


def _ended(watch: Watch) -> list[str]:
    return [f"{name} has ended by itself" for name in watch.ended()]


def _stay(stack: Stack, emails: dict[str, list[Observation]], watch: Watch) -> None:
    """Keep everything running until Ctrl-C, without judging what a visitor changes."""
    try:
        faults = all_faults(stack, emails, MAILBOX)
    except VISITORS_DOING as fault:
        faults = [f"not all could be told: {last_words(fault)}"]
    if faults:
        print("\nNot as in the story, which is so where somebody joined in:")
        print("\n".join(f"  {fault}" for fault in faults))
    print(f"\nRead the emails and the owner's desk at {stack.sandbox_url}/ ; Ctrl-C stops everything.", flush=True)
    while True:
        time.sleep(LOOK_EVERY_S)
        watch.look()


def _explain(stack: Stack, settings: Path, faults: Iterable[str]) -> None:
    """Print what is not as expected, and keep what its processes said beside its settings."""
    kept = settings.with_suffix(".log")
    logs = sorted(stack.processes.folder.glob("*.log"))
    kept.write_text("".join(f"--- {log.stem}\n{log.read_text()}\n" for log in logs))
    print("\nNot as expected:", *(f"  {fault}" for fault in faults), sep="\n", file=sys.stderr)
    print(f"What each process said is in {kept.relative_to(ROOT)}.", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
