"""The playbook in the repository is the one that its sources make now, for the season that runs now."""

import re
from datetime import datetime
from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader

from assets.playbook.build import CAMPAIGN, PDF, current_season, main, printed, words
from assets.playbook.season import Season
from funnel_app.campaigns.registry import load_registry

FIGURES = {
    "Black Friday to Cyber Monday": "$21K–$44K",
    "Gift season": "$15K–$30K",
    "Year-end rush": "$12K–$25K",
    "New-year preparation": "$18K–$35K",
    "January reset": "$10K–$22K",
}


@pytest.fixture(scope="module")
def campaign():
    return load_registry().campaign(CAMPAIGN)


@pytest.fixture(scope="module")
def book() -> PdfReader:
    return PdfReader(PDF)


@pytest.fixture(scope="module")
def pages(book) -> list[str]:
    """The words on each page of the book in the repository."""
    return texts(book)


@pytest.fixture(scope="module")
def season(book, campaign) -> Season:
    """The season that the book in the repository says it is for."""
    return Season(int(book.metadata.title.split()[-1].split("–")[0]), campaign.deadline)


@pytest.fixture(scope="module")
def fresh(season, campaign) -> bytes:
    return printed(season, campaign)


def texts(book: PdfReader) -> list[str]:
    return [page.extract_text() for page in book.pages]


def annotations(book: PdfReader) -> list[tuple[int, Any]]:
    """Return each link with its page: a web address, or the name of a place in the book."""
    found = [(number, note.get_object()) for number, page in enumerate(book.pages) for note in page.get("/Annots", [])]
    return [(number, note["/A"]["/URI"] if "/A" in note else note["/Dest"]) for number, note in found]


def outline(book: PdfReader) -> list[tuple[str, int]]:
    return [(str(entry.title), book.get_destination_page_number(entry)) for entry in book.outline]


def test_the_book_is_for_the_season_that_runs_now(campaign, season):
    now = current_season(campaign, datetime.now().astimezone())
    assert season.year == now.year, f"the playbook is for {season.label}: run make playbook and commit the PDF"


def test_the_book_is_what_its_sources_make_now(book, pages, fresh):
    made = PdfReader(BytesIO(fresh))
    stale = "the playbook's sources have changed: run make playbook and commit the PDF"
    assert pages == texts(made), stale
    assert (annotations(book), outline(book), book.metadata) == (annotations(made), outline(made), made.metadata), stale


def test_the_same_input_gives_the_same_bytes(season, campaign, fresh):
    assert printed(season, campaign) == fresh


def test_it_has_twelve_pages_each_in_the_outline_and_is_small(book, season):
    assert len(book.pages) == 12 and PDF.stat().st_size < 500_000
    titles = ["Christmas Surge Playbook", "Start here", "The season at a glance", "Before December 5", *FIGURES]
    titles += ["Words that you can use", "The planning calendar", "Your worksheet"]
    assert outline(book) == [(title, number) for number, title in enumerate(titles)]


def test_every_page_but_the_cover_has_its_number(pages):
    for number, text in enumerate(pages[1:], 2):
        assert text.endswith(f"BusinessX · Christmas Surge Playbook {number}")


def test_it_says_its_title_author_language_and_is_tagged_for_screen_readers(book, season):
    root = book.trailer["/Root"]
    assert book.metadata.title == f"Christmas Surge Playbook {season.label}" and book.metadata.author == "BusinessX"
    assert "working book for salon owners" in book.metadata.subject
    assert root["/Lang"] == "en" and root["/MarkInfo"]["/Marked"] and root["/ViewerPreferences"]["/DisplayDocTitle"]


def test_every_font_is_ours_and_inside(book):
    names = set()
    for page in book.pages:
        for font in page["/Resources"]["/Font"].values():
            descriptor = font["/DescendantFonts"][0]["/FontDescriptor"]
            assert "/FontFile2" in descriptor, font["/BaseFont"]
            names.add(re.sub(r"^/[A-Z]{6}\+(\w+).*", r"\1", font["/BaseFont"]))
    assert names == {"Playfair", "Lato"}


def test_the_figures_of_each_window_stand_on_the_overview_and_on_its_own_page(pages):
    for number, (name, figures) in enumerate(FIGURES.items()):
        assert name in pages[2] and figures in pages[2]
        assert name in pages[4 + number] and figures in pages[4 + number]


def test_the_last_row_of_the_overview_is_the_sum_of_those_above_it(pages, season):
    windows = words(season)["windows"]
    low, high = (sum(window[end] for window in windows) for end in ("low", "high"))
    told = " ".join(pages[2].split())
    assert re.search(rf"Together \d+ days \${low}K–\${high}K", told)
    assert f"The windows add up to ${low}K–${high}K." in told
    assert words(season)["season"]["high"] > high and f"to about ${words(season)['season']['high']}K" in told


def test_the_worksheet_counts_as_many_weeks_of_gift_season_as_its_own_page(pages, season):
    weeks = len(season.windows["gifts"].parts)
    assert f"Week {weeks}" in pages[5] and f"Week {weeks + 1}" not in pages[5]
    assert re.search(rf"weeks of gift season\s+{weeks}\b", pages[11])


def test_a_day_that_is_past_for_who_begins_later_is_said_to_be_next_season_s(pages):
    assert "best by" in pages[3] and "next season’s" in pages[3] and "next season’s" in pages[10]


def test_the_dates_of_each_window_stand_on_its_page(pages, season):
    for number, span in enumerate(season.windows.values()):
        for day in (span.first, span.last):
            assert f"{day:%A, %B} {day.day}" in pages[4 + number]


def test_the_contents_lead_to_the_pages_that_they_name(book, pages):
    places = {name: book.get_destination_page_number(place) for name, place in book.named_destinations.items()}
    targets = list(dict.fromkeys(target for page, target in annotations(book) if page == 1 and target in places))
    assert [places[target] for target in targets] == [page for _, page in outline(book)[2:]]
    printed_numbers = re.findall(r"(?m)^\d+$", pages[1])
    assert printed_numbers == [str(places[target] + 1) for target in targets]


def test_every_link_to_book_is_the_one_of_the_campaign(book, campaign):
    outward = [link for link in annotations(book) if link[1].startswith("http")]
    assert {target for _, target in outward} == {campaign.calendly_link}
    assert {page for page, _ in outward} >= {1, 3, 4, 5, 6, 7, 8, 11}


def test_another_season_of_fourteen_weeks_fits_on_as_many_pages(tmp_path, capsys):
    there = tmp_path / "book.pdf"
    assert main(["--season", "2028", "--to", str(there)]) == 0
    assert "the season of 2028–29" in capsys.readouterr().out
    made = PdfReader(there)
    assert len(made.pages) == 12 and "Friday, November 24" in made.pages[4].extract_text()


def test_no_word_of_the_sources_is_left_to_be_filled_in(pages):
    whole = " ".join(pages)
    assert not re.search(r"\{\{|\}\}|\{%|TODO|lorem", whole, re.IGNORECASE)
