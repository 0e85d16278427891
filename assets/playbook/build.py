"""`make playbook`: print the playbook of a season as a PDF, from its words, its pages and the campaign's file."""

import argparse
import os
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from importlib.resources import files
from itertools import takewhile
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, StrictUndefined

from assets.playbook.season import Season, Span, season_year
from funnel_app.campaigns.model import Campaign
from funnel_app.campaigns.registry import load_registry

HERE = Path(__file__).parent
PDF = HERE.parent / "christmas-surge-playbook.pdf"
CAMPAIGN = "christmas"
# Both are under the SIL Open Font License 1.1, which allows embedding; the packages are pinned in requirements-dev.txt.
FONTS = {
    "playfair": ("fontpkg_playfair_display", "PlayfairDisplay[wght].ttf"),
    "playfair_italic": ("fontpkg_playfair_display", "PlayfairDisplay-Italic[wght].ttf"),
    "lato": ("font_lato", "Lato-Regular.ttf"),
    "lato_italic": ("font_lato", "Lato-Italic.ttf"),
    "lato_bold": ("font_lato", "Lato-Bold.ttf"),
}


@dataclass(frozen=True, slots=True)
class Week:
    """A row of the calendar: a Monday, its seven days, and what is to be done in them."""

    days: tuple[date, ...]
    tasks: tuple[tuple[date, str], ...]


def spoken(day: date, *, short: bool = False, weekday: bool = False) -> str:
    """Return a day as people write it: December 5, Dec 5, or Saturday, December 5."""
    month = day.strftime("%b" if short else "%B")
    name = day.strftime("%a " if short else "%A, ") if weekday else ""
    return f"{name}{month} {day.day}"


def words(season: Season) -> dict[str, Any]:
    """Return the book's words for a season; an unknown day or name in them raises."""
    environment = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 - this makes TOML, not a page
    text = environment.from_string((HERE / "playbook.toml").read_text("utf-8"))
    return tomllib.loads(text.render(day=lambda written, **how: spoken(season.day(written), **how)))


def weeks(season: Season, tasks: list[Mapping[str, str]]) -> Iterator[Week]:
    """Go through the weeks from the one of the first task to the season's last day."""
    dated = sorted((season.day(task["at"]), task["do"]) for task in tasks)
    monday = dated[0][0] - timedelta(days=dated[0][0].weekday())
    starts = (monday + timedelta(weeks=number) for number in range(60))
    for start in takewhile(lambda start: start <= season.whole.last, starts):
        days = tuple(start + timedelta(days=number) for number in range(7))
        yield Week(days, tuple(item for item in dated if item[0] in days))


def page_source(season: Season, campaign: Campaign) -> str:
    """Return the book as HTML."""
    book = words(season)
    environment = Environment(undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["spoken"] = spoken
    environment.filters["share"] = partial(_share, whole=season.whole)
    return environment.from_string((HERE / "playbook.html").read_text("utf-8")).render(
        book=book,
        season=season,
        weeks=list(weeks(season, book["tasks"])),
        link=campaign.calendly_link,
        sum_low=sum(window["low"] for window in book["windows"]),
        sum_high=sum(window["high"] for window in book["windows"]),
    )


def _share(day: date, whole: Span) -> str:
    """Return how far into the season a day lies, in per cent."""
    return f"{100 * (day - whole.first).days / whole.days:.2f}%"


def printed(season: Season, campaign: Campaign) -> bytes:
    """Return the book as a tagged PDF with its fonts inside; the same input gives the same bytes."""
    # A second's work, which a test run that prints nothing does without.
    from weasyprint import CSS, HTML  # noqa: PLC0415
    from weasyprint.text.fonts import FontConfiguration  # noqa: PLC0415

    # A font that is cut to one weight notes when that was done, and reads the time from here.
    os.environ["SOURCE_DATE_EPOCH"] = str(int(datetime(season.year, 1, 1, tzinfo=UTC).timestamp()))
    fonts = FontConfiguration()
    urls = {name: (files(package) / "files" / file).as_uri() for name, (package, file) in FONTS.items()}  # type: ignore[attr-defined]
    style = Environment(undefined=StrictUndefined, autoescape=False).from_string(  # noqa: S701 - CSS, not a page
        (HERE / "playbook.css").read_text("utf-8")
    )
    sheet = CSS(string=style.render(fonts=urls), font_config=fonts)
    document = HTML(string=page_source(season, campaign), base_url=str(HERE))
    return bytes(document.write_pdf(stylesheets=[sheet], font_config=fonts, pdf_variant="pdf/ua-1"))


def current_season(campaign: Campaign, now: datetime) -> Season:
    """Return the season that a moment belongs to, where the business is."""
    return season_of(campaign, season_year(now.astimezone(ZoneInfo(campaign.timezone)).date()))


def season_of(campaign: Campaign, year: int) -> Season:
    """Return a campaign's season of a year. Raises ValueError where it has no deadline, of which the book speaks."""
    if campaign.deadline is None:
        raise ValueError(f"{campaign.name}.toml has no deadline, and the playbook speaks of one.")
    return Season(year, campaign.deadline)


def main(arguments: list[str]) -> int:
    """Write the book of this season, or of the one that --season names."""
    campaign = load_registry().campaign(CAMPAIGN)
    now = current_season(campaign, datetime.now().astimezone())
    parser = argparse.ArgumentParser(prog="make playbook", description=__doc__)
    parser.add_argument("--season", type=int, default=now.year, help="the year in which the season begins")
    parser.add_argument("--to", type=Path, default=PDF, help="where to write it")
    given = parser.parse_args(arguments)
    season = season_of(campaign, given.season)
    given.to.write_bytes(printed(season, campaign))
    print(f"{given.to.name}: the season of {season.label}, {given.to.stat().st_size // 1024} KB")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
