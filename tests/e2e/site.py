"""A console over real HTTP, empty or two weeks old: what the browser's tests and the screenshots look at."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import Engine
from werkzeug.serving import make_server

from funnel_app.app import create_app
from funnel_app.campaigns.registry import Registry
from funnel_app.deps import Deps
from funnel_app.flows.console.hook_pages import find_hooks
from funnel_app.flows.console.template_pages import versions_of
from funnel_app.flows.lists.uploads import keep_list, list_imports
from funnel_app.flows.monitoring.doctor import examine_and_keep
from funnel_app.flows.monitoring.probes.watch import watch
from funnel_app.flows.receipt import Receipt
from funnel_app.gateways.redis.queue import Queues
from sandbox.redis_server import RedisServer
from tests.console_world import enter_world, fill, go_whole_way, live_days
from tests.e2e.beside import live_beside, with_two_campaigns, write_texts
from tests.factories import make_deps
from tests.flows.leads import email_ids
from tests.flows.monitoring.live import LIVE

KEY = "christmas_email_1"
SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
ON_A_PHONE = pytest.mark.parametrize("width", ["phone"], indirect=True, scope="module")


@dataclass
class Site:
    """A console over HTTP at one width, with two weeks of leads behind it; `state` is what a browser remembers."""

    browser: Browser
    width: str
    app: Flask
    deps: Deps
    url: str
    leads: dict[str, Receipt] = field(default_factory=dict)
    state: Any = None

    def browse(self, *, login: bool = True, **options: Any) -> BrowserContext:
        """Return a browser of this width at which Olga is logged in, or a stranger's."""
        state = self.state if login else None
        return self.browser.new_context(viewport=SIZES[self.width], storage_state=state, **options)

    def open(self, **options: Any) -> Page:
        """Return a page in such a browser of its own."""
        return self.browse(**options).new_page()

    def let_in(self, browser: BrowserContext, *, login: bool = True) -> None:
        """Let Olga be at a browser, logged in, or a stranger; whoever was at it is not any more."""
        browser.clear_cookies()
        if login:
            browser.add_cookies(self.state["cookies"])

    def log_in(self) -> None:
        """Log Olga in, once for all pages: tries are throttled."""
        page = self.open(login=False)
        page.goto(f"{self.url}/console/")
        page.get_by_label("Your name").fill("Olga")
        page.get_by_label("Password").fill("console")
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading", name="Today")).to_be_visible()
        self.state = page.context.storage_state()
        page.context.close()


@contextmanager
def serving(browser: Browser, width: str, engine: Engine, registry: Registry | None = None) -> Iterator[Site]:
    """Serve the console of a ledger, with a Redis for rq-dashboard."""
    with RedisServer() as redis:
        deps = make_deps(engine, redis_url=redis.url, secret_key="k" * 32, **LIVE)
        deps = replace(deps, registry=registry) if registry else with_two_campaigns(deps)
        queues = Queues(redis.url)
        queues.push([(f"noop-{queue}", "jobs.deliver.deliver", (), queue) for queue in ("emails", "transactional")])
        queues.close()
        app = create_app(deps)
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield Site(browser, width, app, deps, f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
        thread.join()
        server.server_close()
    engine.dispose()


def live_weeks(deps: Deps) -> dict[str, Receipt]:
    """Let weeks go by; return leads in every state that an operator can meet, by what happened to them."""
    write_texts(deps)
    live_beside(deps)
    live_days(deps)
    return {"veteran": go_whole_way(deps), **fill(deps)}


def enter_weeks(site: Site, world: Path) -> None:
    """Go on where a world was kept, over a copy of its ledger, and log Olga in."""
    write_texts(site.deps)
    site.leads = enter_world(site.deps, world)
    watch_and_log_in(site)


def watch_and_log_in(site: Site) -> None:
    """Let a list wait to be imported and everything be looked at that may be wrong, and log Olga in."""
    keep_list(site.deps, "fair.csv", LIST, "Olga")
    look_and_log_in(site)


def look_and_log_in(site: Site) -> None:
    """Look at everything that may be wrong, and log Olga in."""
    watch(site.deps)
    examine_and_keep(site.deps)
    site.log_in()


LIST = b"Email Address,First Name,Status,Tags\nana@example.com,Ana,Subscribed,fair\n"
# The pages that there are before anybody came.
PLACES = {
    "login": "/console/login",
    "today": "/console/",
    "leads": "/console/leads",
    "sequences": "/console/sequences",
    "step": "/console/sequences/christmas/lead_nurture/1",
    "calendar": "/console/calendar",
    "templates": "/console/templates",
    "template": "/console/templates/christmas_email_1",
    "figures": "/console/figures?days=30",
    "hooks": "/console/hooks",
    "outgoing": "/console/outgoing",
    "replies": "/console/replies",
    "enrol": "/console/enrol",
    "doctor": "/console/doctor",
    "nowhere": "/console/nowhere",
    "runbook": "/console/runbook",
    "simulate": "/console/simulate",
    "lists": "/console/lists",
    "pauses": "/console/pauses",
    "actions": "/console/log",
    "search": "/console/search?words=delivered",
    "settle": "/console/settle",
    "log-out": "/console/logout",
}


def pages(site: Site) -> dict[str, str]:
    """Return every kind of page by its name."""
    leads = site.leads
    return {
        **PLACES,
        "lead": f"/console/leads/{leads['client'].contact_id}",
        "lead-abroad": f"/console/leads/{leads['delivered'].contact_id}",
        "lead-veteran": f"/console/leads/{leads['veteran'].contact_id}",
        "lead-bounced": f"/console/leads/{leads['bounced'].contact_id}",
        "email": f"/console/emails/{email_ids(leads['delivered'])[0]}",
        "email-planned": f"/console/emails/{email_ids(leads['delivered'])[4]}",
        "hook": f"/console/hooks/{leads['delivered'].hook_id}",
        "hook-refused": f"/console/hooks/{find_hooks(site.deps.reads, 'refused', None).rows[0]['id']}",
        "template-version": f"/console/templates/{KEY}/versions/{versions_of(site.deps.reads, KEY)[0].id}",
        "ask": f"/console/do/stop/{leads['booked'].enrolment_id}",
        "list": f"/console/lists/{list_imports(site.deps.reads)[0].id}",
        "aside": f"/console/aside/incident/{leads['client'].contact_id}",
        "address": f"/console/leads/{leads['client'].contact_id}/address",
    }
