"""A picture of every page of the console: `python -m tests.screenshots [--world WORLD] [PAGE…]`, into `screenshots/`.

With no data, after usual weeks and in trouble; at four widths, light and dark.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from funnel_app.flows.templates.populate import populate
from funnel_app.ledger import schema
from funnel_app.ledger.engine import open_engine
from tests.console_world import go_whole_way, live_days
from tests.e2e.conftest import QUIET, chromium
from tests.e2e.site import PLACES, Site, live_weeks, pages, serving, watch_and_log_in

PICTURES = Path(__file__).parents[1] / "screenshots"
WIDTHS = (360, 390, 768, 1280)
HEIGHTS = {360: 800, 390: 844, 768: 1024, 1280: 900}
SCHEMES = ("light", "dark")


def start_empty(site: Site) -> None:
    """Open a console in which nothing has happened yet."""
    site.deps.now.forward(hours=1)
    site.log_in()


def live_usually(site: Site) -> None:
    """Let weeks go by in which all is well."""
    populate(site.deps)
    live_days(site.deps, trouble=False)
    site.leads = {"veteran": go_whole_way(site.deps)}
    site.log_in()


def be_in_trouble(site: Site) -> None:
    """Let weeks go by, at the end of which much needs a person."""
    site.leads = live_weeks(site.deps)
    watch_and_log_in(site)


WORLDS: dict[str, Callable[[Site], None]] = {"empty": start_empty, "usual": live_usually, "troubled": be_in_trouble}


def shown_in(world: str, site: Site) -> dict[str, str]:
    """Return the pages that there are in a world, by name."""
    if world == "troubled":
        return pages(site)
    leads = {f"lead-{who}": f"/console/leads/{receipt.contact_id}" for who, receipt in site.leads.items()}
    return {**PLACES, **leads}


def take(browser: Browser, path: Path, world: str, wanted: set[str]) -> Iterator[Path]:
    """Take the pictures of one world; yield where each stands."""
    engine = open_engine(f"sqlite:///{path}")
    schema.upgrade(engine)
    with serving(browser, "desktop", engine) as site:
        WORLDS[world](site)
        for scheme in SCHEMES:
            page = site.open(color_scheme=scheme, java_script_enabled=False)
            for name, address in shown_in(world, site).items():
                if wanted and name not in wanted:
                    continue
                page.goto(site.url + address)
                for width in WIDTHS:
                    page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
                    picture = PICTURES / world / f"{name}-{width}-{scheme}.png"
                    page.screenshot(path=picture, full_page=True)
                    yield picture
            page.context.close()


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
