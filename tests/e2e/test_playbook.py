"""The playbook opens in a real browser, in its own viewer, under our security headers."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect
from pypdf import PdfReader

from assets.playbook.build import PDF
from tests.e2e.conftest import chromium, launched


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """All of Chromium: its shell has no viewer of PDFs."""
    with launched(playwright, chromium()) as started:
        yield started


def test_a_reader_sees_the_playbook_in_the_browser(funnel, page: Page):
    _, url = funnel
    with page.expect_event("framenavigated", lambda frame: frame.url.startswith("chrome-extension:")) as opened:
        answer = page.goto(f"{url}/assets/christmas-surge-playbook.pdf")
    assert answer is not None and answer.status == 200 and answer.headers["content-security-policy"]
    viewer = opened.value
    book = PdfReader(PDF)
    expect(viewer.get_by_text(str(book.metadata.title))).to_be_visible()
    expect(viewer.locator("#pagelength")).to_have_text(str(len(book.pages)))
