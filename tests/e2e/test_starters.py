"""The starter letters in a real browser: they fit a phone and a desktop, and can be read by day and by night."""

from collections.abc import Iterator
from itertools import product

import pytest
from playwright.sync_api import Browser, Page

from funnel_app.flows.templates.populate import populate
from funnel_app.flows.templates.preview import preview
from funnel_app.flows.templates.samples import SAMPLES
from tests.factories import make_deps
from tests.sqlite_files import open_copy

# Each piece of text that is shown, with its contrast against the background that lies behind it (WCAG 2).
UNREADABLE = """() => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = node => {
    for (let at = node; at; at = at.parentElement) {
      const found = rgb(getComputedStyle(at).backgroundColor);
      if (found.length === 3 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  const contrast = node => {
    const [a, b] = [light(rgb(getComputedStyle(node).color)), light(behind(node))].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (walker.currentNode.data.trim() && node.offsetParent && contrast(node) < 4.5)
      found.push(`${node.className || node.tagName}: ${contrast(node).toFixed(1)}`);
  }
  return [...new Set(found)];
}"""
# A letter of words with everything that Markdown can be.
WORDS = """# Your week, {{ first_name }}

Hi {{ first_name }},

This is **bold**, *italic*, `code` and [a link](https://shop.example/a/very/long/address/that/does/not/break).

## What to do

- Prices
- Rooms
  - Friday

3. Third

> Somebody said so.

![Our salon](data:image/svg+xml,%3Csvg%20xmlns=%22http://www.w3.org/2000/svg%22%20width=%22900%22%20height=%2290%22/%3E)

---

[Book your call]({{ calendly_link }})
"""
WIDTHS, SCHEMES = (390, 1000), ("light", "dark")
TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def letters(migrated_sqlite, tmp_path_factory) -> list[tuple[str, str]]:
    """Every starter, the three sample leads by turns, and a letter of words."""
    deps = make_deps(open_copy(migrated_sqlite, tmp_path_factory.mktemp("letters") / "funnel.db"))
    populate(deps)
    keys = deps.registry.template_keys()
    made = {key: preview(deps, key, sample_name=SAMPLES[n % 3]).letter for n, key in enumerate(keys)}
    deps.notebook.write(keys[0], "Hello", WORDS)
    made["words"] = preview(deps, keys[0]).letter
    deps.engine.dispose()
    return [(key, letter.html) for key, letter in made.items()]


@pytest.fixture
def page(undrawn: Browser) -> Iterator[Page]:
    """A screen that is measured and read, and draws nothing."""
    page = undrawn.new_page()
    yield page
    page.close()


def test_every_starter_fits_and_can_be_read(page: Page, letters):
    faults = {}
    for key, html in letters:
        page.set_content(html)
        for width, scheme in product(WIDTHS, SCHEMES):
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme=scheme)
            night = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 16, 13)"
            assert night == (scheme == "dark")
            found = (page.evaluate(UNREADABLE), page.evaluate(TOO_WIDE))
            if found != ([], 0):
                faults[key, width, scheme] = found
    assert faults == {}


def test_a_button_is_as_wide_as_a_phone_and_no_wider_than_its_words_on_a_desktop(page: Page, letters):
    html = dict(letters)["christmas_email_5"]
    page.set_content(html)
    widths = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        box = page.get_by_role("link", name="Book my call now").bounding_box()
        assert box is not None and box["height"] >= 44, "a thumb needs 44 px"
        widths[width] = box["width"]
    assert widths[390] == 350 and widths[1000] < 300
