"""Runbook: what each alert means and what to do; every alert in a chat links to its section here."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from flask.typing import ResponseReturnValue
from markupsafe import Markup

from funnel_app.flows.monitoring.alerts.alarms import ALARMS
from funnel_app.web.console.shared.frame import blueprint, page

OPERATIONS = Path(__file__).parents[3] / "docs" / "operations.md"
SECTION = re.compile(r"^### (\w+)\n(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
# A link of the document is to a file beside it, which is not served: its words stay.
LINK = re.compile(r"\[([^\[\]]+)\]\([^()]+\)")


@blueprint.get("/runbook")
def runbook() -> ResponseReturnValue:
    """Show every kind of alert, what it means, what to do and where, and all that the document says of it."""
    return page("runbook.html", alarms=ALARMS, sections=_sections())


@cache
def _sections() -> Mapping[str, Markup]:
    """Return what docs/operations.md says of each kind; nothing where the document was not brought along."""
    # Only for this page, which is opened when something is wrong.
    from markdown_it import MarkdownIt  # noqa: PLC0415

    if not OPERATIONS.exists():
        return {}
    words = SECTION.findall(OPERATIONS.read_text(encoding="utf-8"))
    plain = MarkdownIt("commonmark", {"html": False}).enable("table")
    return {kind: Markup(plain.render(LINK.sub(r"\1", text))) for kind, text in words}  # noqa: S704 (our own document)
