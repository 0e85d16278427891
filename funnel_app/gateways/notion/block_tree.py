"""The blocks of a page with those below them, and no more than a letter can have."""

from dataclasses import dataclass
from typing import Any

from funnel_app.gateways.errors import Rejected
from funnel_app.gateways.notion.client import NotionCalls
from funnel_app.gateways.notion.failures import PROVIDER

# These contain pages of their own, which are not part of the template.
OTHER_PAGES = frozenset({"child_page", "child_database"})
MOST_BLOCKS = 2_000
MOST_LISTS = 200
MOST_NESTED = 20
MOST_CHARS = 4_000_000


def blocks_below(calls: NotionCalls, page_id: str) -> list[dict[str, Any]]:
    """Return the blocks of a page, each with its own under `children`; Rejected beyond the limit."""
    return _blocks(calls, page_id, _Allowance())


def _blocks(calls: NotionCalls, block_id: str, allowance: "_Allowance", nested: int = 0) -> list[dict[str, Any]]:
    allowance.lists -= 1
    found = []
    for block in calls.read_all(calls.client.blocks.children.list, block_id):
        allowance.take(len(str(block)), nested)
        below = block.get("has_children") and block.get("type") not in {"code", *OTHER_PAGES}
        found.append({**block, "children": _blocks(calls, block["id"], allowance, nested + 1) if below else []})
    return found


@dataclass
class _Allowance:
    """How many blocks of one page may still be read."""

    blocks: int = MOST_BLOCKS
    lists: int = MOST_LISTS
    chars: int = MOST_CHARS

    def take(self, chars: int, nested: int) -> None:
        self.blocks, self.chars = self.blocks - 1, self.chars - chars
        if min(self.blocks, self.lists, self.chars) < 0 or nested > MOST_NESTED:
            message = "the page is far longer than a letter, or its blocks lie too deep within each other"
            raise Rejected(PROVIDER, message, code="too_long")
