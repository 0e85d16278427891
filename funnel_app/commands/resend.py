"""`flask resend`: check the account, register the webhook, and run a canary."""

import json
import sys
import time

import click
from flask.cli import with_appcontext

from funnel_app.commands.plain_text import AS_JSON, said_plainly, say
from funnel_app.commands.whole_help import WholeHelp
from funnel_app.current import current_deps
from funnel_app.flows.monitoring.check import Status
from funnel_app.flows.monitoring.checks import resend as resend_checks
from funnel_app.flows.monitoring.doctor import is_well
from funnel_app.flows.monitoring.probes import canary as canary_flow
from funnel_app.gateways.errors import GatewayError

ASK_EVERY_S = 0.5


@click.group("resend", cls=WholeHelp)
def group() -> None:
    """Check the Resend account, register its webhook, and prove that emails arrive."""


@group.command()
@AS_JSON
@with_appcontext
def check(as_json: bool) -> None:
    """Check key, domain, webhook, events, quota and rate; exit 1 on a fault."""
    deps = current_deps()
    found = [*resend_checks.account(deps), *resend_checks.events(deps)]
    if as_json:
        say(json.dumps({"ok": is_well(found), "checks": [each.as_json() for each in found]}, indent=2))
    else:
        for each in found:
            fix = f"  → {each.fix}" if each.status is not Status.OK else ""
            say(f"{each.status:<8} {each.name:<15} {each.detail}{fix}")
    sys.exit(0 if is_well(found) else 1)


@group.command()
@click.option("--create", is_flag=True, help="Register our address for every event.")
@with_appcontext
def webhooks(create: bool) -> None:
    """List Resend's webhooks; with --create add ours and print its signing secret."""
    deps = current_deps()
    address = deps.settings.public_url + resend_checks.WEBHOOK_PATH
    with said_plainly(GatewayError):
        endpoints = deps.account.endpoints()
        if create and all(endpoint.url != address for endpoint in endpoints):
            secret = deps.account.add_endpoint(address)
            say(f"Resend tells {address} of every event from now on. Set this, and start Funnel again:")
            say(f"RESEND_WEBHOOK_SECRET={secret}")
            return
    for endpoint in endpoints:
        ours = "  ← ours" if endpoint.url == address else ""
        say(f"{endpoint.status:<9} {endpoint.url}  {', '.join(endpoint.events) or 'every event'}{ours}")
    if not any(endpoint.url == address for endpoint in endpoints):
        say(f"None of them is {address}: run flask --app wsgi resend webhooks --create")
        sys.exit(1)


@group.command()
@click.option("--within", default=300.0, show_default=True, help="Seconds to wait.")
@with_appcontext
def canary(within: float) -> None:
    """Send one email the whole way, from the public hook to proof of delivery; exit 1 if it does not arrive."""
    deps = current_deps()
    began = time.monotonic()
    with said_plainly(GatewayError):
        run_id = canary_flow.start(deps.public)
    say(f"{_since(began)}  accepted at {deps.settings.public_url}")
    shown = ""
    while True:
        run = canary_flow.look_at(deps.reads, run_id)
        if run.state != shown:
            shown = run.state
            say(f"{_since(began)}  {run.state}" + (f": {run.reason}" if run.reason else ""))
        if run.delivered_at is not None and run.reported:
            return
        if run.delivered_at is not None:
            say("It arrived, but Resend's webhook did not tell: run flask --app wsgi resend check.")
            sys.exit(1)
        if time.monotonic() - began > within:
            say(f"It did not arrive within {within:.0f} s: run flask --app wsgi doctor.")
            sys.exit(1)
        deps.sleep(ASK_EVERY_S)


def _since(began: float) -> str:
    return f"{time.monotonic() - began:6.1f} s"
