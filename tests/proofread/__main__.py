"""`make proofread`: read every starter on each day of a year and at each hour of a call, and print all as pictures."""

import base64
import sys
from collections import Counter
from datetime import date, datetime, timedelta
from itertools import chain
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from sandbox.command_line import command_line
from tests.e2e.conftest import QUIET, chromium
from tests.proofread.readings import BOOKINGS, LEADS, STEPS, ZONES, by_day, by_distance, by_report
from tests.proofread.rules import complaints

YEAR = [date(2026, 10, 1) + timedelta(days=number) for number in range(366)]
CALLS = [datetime(2026, 10, 30, hour, tzinfo=zone) + timedelta(days=2) for zone in ZONES for hour in (0, 9, 15, 23)]
SHEETS = Path("var/proofread")
IN_SEASON, OFF_SEASON = date(2026, 11, 25), date(2027, 6, 15)
SHEET = "<body style='margin:20px;background:#888;font:16px sans-serif;display:flex;flex-wrap:wrap;gap:20px'>{}</body>"


def read_all() -> Counter[str]:
    """Return each complaint with how many letters have it, and tell of the first of each."""
    found: Counter[str] = Counter()
    days = chain(by_day(YEAR, LEADS, BOOKINGS[:1]), by_day(YEAR, ["critical"], BOOKINGS[1:]))
    number = 0
    for reading in chain(days, by_distance(CALLS, range(101)), by_report(CALLS, range(73))):
        number += 1
        for complaint in complaints(reading):
            if not found[f"{reading.key}: {complaint}"]:
                print(f"{reading}: {complaint}")
            found[f"{reading.key}: {complaint}"] += 1
    print(f"{number:,} letters read, {sum(found.values()):,} complaints")
    return found


def print_sheets(browser: Browser) -> None:
    """Write one picture of all letters for each width, scheme and part of the year."""
    SHEETS.mkdir(parents=True, exist_ok=True)
    letters = {
        part: {r.key: r.letter(whole=True).html for r in by_day([day], ["urgent"], BOOKINGS[:1])}
        for part, day in (("in-season", IN_SEASON), ("off-season", OFF_SEASON))
    }
    for width in (390, 700):
        for scheme in ("light", "dark"):
            context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
            for part, htmls in letters.items():
                shots = {}
                for key, html in htmls.items():
                    page = context.new_page()
                    page.set_content(html)
                    shots[key] = page.screenshot(full_page=True, type="jpeg", quality=70)
                    page.close()
                _print_sheet(browser, SHEETS / f"{part}-{width}-{scheme}.jpg", shots, width)
            context.close()


def _print_sheet(browser: Browser, path: Path, shots: dict[str, bytes], width: int) -> None:
    pictures = "".join(
        f"<figure style='margin:0'><figcaption>{key}</figcaption>"
        f"<img width={width * 2 // 3} src='data:image/jpeg;base64,{base64.b64encode(shot).decode()}'></figure>"
        for key, shot in shots.items()
    )
    page = browser.new_page(viewport={"width": (width * 2 // 3 + 20) * 6 + 40, "height": 800})
    page.set_content(SHEET.format(pictures))
    page.screenshot(path=path, full_page=True, type="jpeg", quality=80)
    page.close()
    print(f"{path}: {len(STEPS)} letters")


def main() -> int:
    """Return 1 where a letter says what it may not."""
    found = read_all()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(QUIET))
        print_sheets(browser)
        browser.close()
    return 1 if found else 0


if __name__ == "__main__":
    command_line(__doc__)
    sys.exit(main())
