"""Queues in a real Chromium: rq-dashboard shows what waits, and a script in its pages has no right on the console."""

import base64
import json
import zlib
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect
from redis import Redis

from funnel_app.gateways.redis.job_names import DELIVER
from funnel_app.web.console.queues import dashboard as rq
from tests.e2e.site import Site
from tests.test_words import NOT_THE_OWNERS

JOB = "email-0197a000-0000-7000-8000-000000000001"
STRIKE = "fetch('/console/leads').then(a => a.text()).then(t => document.title = 'TAKEN ' + t.length)"
MARKUP = f'<img src=x onerror="{STRIKE}"><script>{STRIKE}</script>'
# What the release before ran: a name that leaves its quotes in rq-dashboard's script.
OUT_OF_QUOTES = quote(f"');{STRIKE};('", safe="")


@pytest.fixture(scope="module")
def redis(filled: Site) -> Iterator[Redis]:
    with Redis.from_url(filled.deps.settings.redis_url) as client:
        data = zlib.compress(json.dumps([DELIVER, None, [JOB.removeprefix("email-")], {}]).encode())
        fields = {"data": data, "created_at": "2026-11-24T12:00:00.000000Z", "origin": "emails", "status": "failed"}
        client.hset(f"rq:job:{JOB}", mapping={**fields, "description": MARKUP, "meta": json.dumps(MARKUP)})
        client.zadd("rq:failed:emails", {JOB: 2e9})
        told = base64.b64encode(zlib.compress(MARKUP.encode()))
        client.xadd(f"rq:results:{JOB}", {"type": 2, "created_at": "1", "exc_string": told})
        client.sadd("rq:queues", f"rq:queue:{MARKUP}")
        worker = {"birth": "2026-11-24T12:00:00.000000Z", "queues": "emails", "current_job": JOB, "version": MARKUP}
        client.hset("rq:worker:w", mapping={**worker, "state": "busy", "python_version": f'"{MARKUP}'})
        client.sadd("rq:workers", "rq:worker:w")
        yield client


SHOWN = {
    "": "transactional",
    "0/view/jobs/emails/failed/8/dsc/1": JOB,
    f"0/view/job/{JOB}": "onerror",
    "0/view/workers": "w",
}


def look(page: Page, site: Site, path: str) -> list[str]:
    """Go to a page; return what it asks for, which goes on."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{site.url}/console/rq/{path}")
    return asked


@pytest.mark.parametrize("path", SHOWN)
def test_its_pages_are_filled_and_run_no_script_of_a_job(screen: Page, filled: Site, redis: Redis, path):
    faults: list[str] = []
    asked = look(screen, filled, path)
    screen.on("pageerror", lambda error: faults.append(str(error)))
    expect(screen.locator(".container").get_by_text(SHOWN[path]).first).to_be_visible()
    screen.reload()
    expect(screen.locator(".container").get_by_text(SHOWN[path]).first).to_be_visible()
    assert screen.locator("img[onerror]").count() == 0 and "TAKEN" not in screen.title()
    assert NOT_THE_OWNERS.findall(screen.locator("body").inner_text()) == []
    assert not [url for url in asked if url.endswith(("/console/leads", "/x"))] and faults == []


def test_the_link_that_took_the_console_over_opens_nothing(screen: Page, filled: Site, redis: Redis):
    asked = look(screen, filled, f"0/view/jobs/{OUT_OF_QUOTES}/queued/8/asc/1")
    expect(screen.get_by_role("heading", name="Not here")).to_be_visible()
    assert "TAKEN" not in screen.title() and not [url for url in asked if url.endswith("/console/leads")]


# Whatever ran in such a page all the same: each line is tried from within it.
ATTEMPTS = {
    "reading the cookie": "document.cookie",
    "reading leads": "await fetch('/console/leads', {credentials: 'include'}).then(a => a.text()).catch(() => '')",
    "posting": "await fetch('/console/logout', {method: 'POST'}).then(a => 'x').catch(() => '')",
    "an address elsewhere": "await fetch('http://127.0.0.1:9/').then(a => 'x').catch(() => '')",
    "keeping something": "(() => { try { return localStorage.length } catch { return '' } })()",
    "a window": "window.open('/console/') || ''",
}


def test_a_script_that_ran_there_all_the_same_has_no_right_on_the_console(screen: Page, filled: Site, redis: Redis):
    look(screen, filled, "")
    assert screen.evaluate("self.origin") == "null"
    got = {attempt: screen.evaluate(f"async () => {script}") for attempt, script in ATTEMPTS.items()}
    assert got == dict.fromkeys(ATTEMPTS, "")


def test_what_came_meanwhile_is_shown_without_a_hand(screen: Page, filled: Site, redis: Redis, monkeypatch):
    monkeypatch.setattr(rq, "LOOKS_AGAIN_AFTER_S", 1)
    look(screen, filled, "0/view/jobs/emails/canceled/8/dsc/1")
    expect(screen.locator("#looked-at")).to_contain_text("look again")
    redis.zadd("rq:canceled:emails", {JOB: 2e9})
    expect(screen.locator(".container").get_by_text(JOB).first).to_be_visible()
