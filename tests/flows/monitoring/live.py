"""A Funnel in production, how a test breaks one part of it, and what its chat is told of that."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.monitoring.notifications.notify import notify
from funnel_app.flows.monitoring.probes import canary
from funnel_app.flows.monitoring.probes.watch import watch
from funnel_app.gateways.redis.process_status import Depths
from tests.flows.leads import call

GOOD = '<p>Hi {{ first_name }}</p><p><a href="{{ unsubscribe_url }}">Leave</a>, {{ company_address }}</p>'
LIVE = {
    "testing_mode": False,
    "resend_api_url": "https://api.resend.com",
    "hook_secrets": ("h" * 32,),
    "alert_webhook_url": "https://hooks.slack.com/services/T/B/x",
    "heartbeat_url": "https://hc-ping.example/1",
    "calendly_signing_keys": (),
}


def desk(*faults, missing=()):
    """A desk of one database with these faults."""
    table = SimpleNamespace(table=SimpleNamespace(title="Contacts"), faults=lambda: list(faults), wishes_lacking=list)
    return SimpleNamespace(tables=[table], not_set=lambda: [SimpleNamespace(title=title) for title in missing])


def change(deps, **values):
    object.__setattr__(deps, "settings", replace(deps.settings, **values))


def shift_world(deps, fault=None, **by):
    def world_time(url):
        if fault:
            raise fault
        return deps.now() + timedelta(**by)

    object.__setattr__(deps, "world_time", world_time)


def silent(deps, part):
    """Let a part be heard of no more, and be forgotten."""
    deps.process_status.silent.update({part, f"{part}:1", f"{part}:2"})
    deps.queues.dead.add(part)


def depths(deps, **values):
    deps.process_status.waiting = replace(Depths({"emails": 0}, 0, 0, 0), **values)


def fail(gateway, fault):
    gateway.fault = fault


def start_canary(deps):
    deps.public.answer = lambda campaign, payload: enrol_as_hook(deps, campaign, payload)
    return canary.start(deps.public)


def enrol_as_hook(deps, campaign, payload):
    return enrol(deps, replace(call(payload["email"]), campaign=campaign)).as_json()


def run_tasks(deps, **lasts):
    """Run the periodic tasks now and after a while; return what the chat was told."""
    watch(deps)
    notify(deps)
    deps.now.forward(**lasts)
    watch(deps)
    notify(deps)
    return [line for _, text in deps.alerts.posted for line in text.splitlines() if line[0] in "🔴🟢"]
