"""A picture of every page of the console: `python -m tests.screenshots [--world WORLD] [PAGE…]`, into `screenshots/`.

With no data, after usual weeks and in trouble; at four widths, light and dark.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal
from unittest.mock import Mock, patch
from uuid import UUID

from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy.exc import OperationalError

from funnel_app.flows.console.subjects import of_contact, of_enrolment
from funnel_app.flows.maintenance.sweep import complete
from funnel_app.flows.monitoring.probes.templates import watch_texts
from funnel_app.flows.monitoring.scheduled_doctor import watch_with_doctor
from funnel_app.ledger.database import schema
from funnel_app.ledger.database.engine import open_engine
from funnel_app.ledger.models import Contact
from funnel_app.web.console.buttons import BUTTONS
from tests.console_world import go_whole_way, live_days
from tests.e2e.beside import write_texts
from tests.e2e.conftest import QUIET, chromium
from tests.e2e.site import PLACES, Site, live_weeks, look_and_log_in, pages, serving, watch_and_log_in
from tests.flows.leads import email_ids
from tests.trouble import go_wrong, two_campaigns, work_and_fail

PICTURES = Path(__file__).parents[1] / "screenshots"
WIDTHS = (360, 390, 768, 1280)
HEIGHTS = {360: 800, 390: 844, 768: 1024, 1280: 900}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def start_empty(site: Site) -> None:
    """Open a console in which nothing has happened yet."""
    site.deps.now.forward(hours=1)
    write_texts(site.deps)
    watch_texts(site.deps)
    look_and_log_in(site)


def live_usually(site: Site) -> None:
    """Let weeks go by in which all is well."""
    write_texts(site.deps)
    live_days(site.deps, trouble=False)
    site.leads = {"veteran": go_whole_way(site.deps)}
    complete(site.deps)
    watch_texts(site.deps)
    look_and_log_in(site)


def be_documented(site: Site) -> None:
    """Let weeks go by as any business has them, for the pictures in the documents."""
    site.leads = live_weeks(site.deps)
    complete(site.deps)
    watch_and_log_in(site)


def be_in_trouble(site: Site) -> None:
    """Let weeks go by, at the end of which much needs a person, and a job that failed stand in Redis."""
    site.leads = go_wrong(site.deps, live_weeks(site.deps))
    work_and_fail(site.deps.settings.redis_url, EMAIL)
    watch_and_log_in(site)


EMAIL = "0197a000-0000-7000-8000-000000000001"
# RQ's own pages fill themselves, so scripts run there.
QUEUES = {
    "rq-queues": "/console/rq/",
    "rq-jobs": "/console/rq/0/view/jobs/emails/queued/8/dsc/1",
    "rq-failed": "/console/rq/0/view/jobs/emails/failed/8/dsc/1",
    "rq-job": f"/console/rq/0/view/job/email-{EMAIL}",
    "rq-workers": "/console/rq/0/view/workers",
}
DOCUMENTED = ("today", "lead", "sequences", "calendar", "figures")
WORLDS: dict[str, Callable[[Site], None]] = {
    "empty": start_empty,
    "usual": live_usually,
    "troubled": be_in_trouble,
    "documented": be_documented,
}


def shown_in(world: str, site: Site) -> dict[str, str]:
    """Return the pages that there are in a world, by name."""
    if world == "documented":
        return {name: pages(site)[name] for name in DOCUMENTED}
    leads = {f"lead-{who}": f"/console/leads/{receipt.contact_id}" for who, receipt in site.leads.items()}
    found = {**PLACES, **QUEUES, **leads}
    return {**found, **pages(site), **_asked(site), **_seen_by_leads(site)} if world == "troubled" else found


def _asked(site: Site) -> dict[str, str]:
    """Return a page of each button that asks, of whatever it is about."""
    leads = site.leads
    about: dict[object, UUID | None] = {of_contact: leads["long"].contact_id, of_enrolment: leads["long"].enrolment_id}
    email = email_ids(leads["ambiguous"])[0]
    return {f"ask-{verb}": f"/console/do/{verb}/{about.get(button.subject, email)}" for verb, button in BUTTONS.items()}


def _seen_by_leads(site: Site) -> dict[str, str]:
    """Return what leads see: a letter, the way out, and a link that leads nowhere."""
    with site.deps.reads() as session:
        token = session.get_one(Contact, site.leads["long"].contact_id).unsubscribe_token
    letter = f"/console/emails/{email_ids(site.leads['delivered'])[0]}/html"
    return {"letter": letter, "unsubscribe": f"/u/{token}", "unsubscribe-unknown": "/u/nobody", "error": "/nowhere"}


def _write_with_an_old_login(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/console/enrol")
    page.get_by_label("Address").fill("late.riser@example.com")
    page.evaluate("document.querySelectorAll('[name=csrf_token]').forEach(each => { each.value = 'of the other tab' })")
    page.locator("main form button").first.click()


def _meet_a_fault(site: Site, page: Page) -> None:
    with patch.dict(site.app.view_functions, {"console.calendar": Mock(side_effect=ArithmeticError)}):
        page.goto(f"{site.url}/console/calendar")


def _lose_the_ledger(site: Site, page: Page) -> None:
    gone = OperationalError("SELECT", {}, Exception("unable to open database file"))
    with patch.object(site.deps.engine.pool, "connect", side_effect=gone):
        page.goto(f"{site.url}/console/")


# Pages that only a fault shows, by how it is brought about.
FAULTS = {"kept": _write_with_an_old_login, "fault": _meet_a_fault, "ledger-away": _lose_the_ledger}


def take(browser: Browser, path: Path, world: str, wanted: set[str]) -> Iterator[Path]:
    """Take the pictures of one world; yield where each stands."""
    engine = open_engine(f"sqlite:///{path}")
    schema.upgrade(engine)
    with serving(browser, "desktop", engine, two_campaigns() if world == "troubled" else None) as site:
        WORLDS[world](site)
        watch_with_doctor(site.deps)
        shown = {name: url for name, url in shown_in(world, site).items() if not wanted or name in wanted}
        faults = {name: meet for name, meet in FAULTS.items() if world == "troubled" and (not wanted or name in wanted)}
        for scheme in SCHEMES:
            for name, meet in faults.items():
                page = site.open(color_scheme=scheme)
                meet(site, page)
                yield from _photograph(page, PICTURES / world, f"{name}-{{}}-{scheme}.png")
                page.context.close()
            for name, address in shown.items():
                page = site.open(color_scheme=scheme, java_script_enabled=name in QUEUES, login=name != "login")
                page.goto(site.url + address)
                yield from _photograph(page, PICTURES / world, f"{name}-{{}}-{scheme}.png")
                page.context.close()


def _photograph(page: Page, folder: Path, named: str) -> Iterator[Path]:
    """Take a page at every width; yield where each picture stands."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
        for frame in page.locator("iframe").all():
            # What a frame holds is drawn a moment after it is seen.
            frame.scroll_into_view_if_needed()
            page.wait_for_timeout(300)
        picture = folder / named.format(width)
        page.screenshot(path=picture, full_page=True)
        yield picture


def main() -> int:
    """Take the pictures that are wanted, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.screenshots")
    parser.add_argument("pages", nargs="*", help="names of pages; all without any")
    parser.add_argument("--world", choices=list(WORLDS), action="append", help="only this data")
    given = parser.parse_args()
    number = 0
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(QUIET))
        for world in given.world or WORLDS:
            path = Path(folder) / f"{world}.db"
            number += sum(1 for _ in take(browser, path, world, set(given.pages)))
        browser.close()
    print(f"{number} pictures in {PICTURES}")
    return 0 if number else 1


if __name__ == "__main__":
    sys.exit(main())
