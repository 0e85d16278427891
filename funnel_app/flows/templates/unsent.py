"""Unsent words: a letter typed on a page whose property has another one, which goes instead."""

from collections.abc import Iterator

from funnel_app.flows.templates.judged_pages import Reading
from funnel_app.gateways.notion.templates import NotionTemplates
from funnel_app.letters.problem import Problem, warning

# Fewer words are a note.
LETTER_FROM_WORDS = 20
SHOWN_CHARS = 50


def unsent_words(notebook: NotionTemplates, reading: Reading) -> Iterator[Problem]:
    """Yield a warning if a page has enough words for a letter beside the text that is sent; asks Notion.

    Raises Unavailable.
    """
    page = reading.page
    words = notebook.beside(page) if page is not None else ""
    if len(words.split()) < LETTER_FROM_WORDS:
        return
    what = f"What is typed on the page (“{words[:SHOWN_CHARS]}…”) goes to nobody"
    yield warning("unsent_words", f"{what}: the text in the body's property is the letter, since that comes first.")
