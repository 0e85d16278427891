"""Footer: the sender's address and the unsubscribe link, if the template lacks them."""

import re
from dataclasses import dataclass
from functools import lru_cache
from html import escape

from funnel_app.letters.shape import marked
from funnel_app.letters.visible import Visible
from funnel_app.letters.words import one_line, squashed

_END = re.compile(r"</body\s*>", re.IGNORECASE)
_STYLE = (
    "max-width:600px;margin:24px auto 0;padding:16px;text-align:center;font:12px/1.6 Arial,sans-serif;color:#777777"
)


@dataclass(frozen=True)
class Footer:
    """What a letter must have at its end; the invitation is the sentence before the unsubscribe link."""

    url: str
    invitation: str
    company_name: str
    company_address: str

    def under_html(self, html: str, visible: Visible) -> str:
        """Return the page with what it lacks added before its end; an invisible link counts as missing."""
        lines = []
        if self.url and self.url not in visible.links:
            lines.append(
                f'{escape(self.invitation)} <a href="{marked(self.url)}" style="color:#777777">Unsubscribe</a>'
            )
        if self.company_address and not self._is_addressed(visible.text):
            lines.append(escape(self._signature()))
        return _before_end(html, f'<div style="{_STYLE}">{"<br>".join(lines)}</div>') if lines else html

    def under_text(self, text: str) -> str:
        """Return the text with what it lacks added."""
        lines = []
        if self.url and self.url not in text:
            lines.append(f"{self.invitation} Unsubscribe: {self.url}")
        if self.company_address and not self._is_addressed(text):
            lines.append(self._signature())
        return "\n".join([text.rstrip(), "", "--", *lines, ""]) if lines else text

    def _is_addressed(self, text: str) -> bool:
        # As it is configured, mostly; a page is squashed only where the address may stand there in another form.
        if self.company_address in text:
            return True
        return self._may_show_address(text) and _squashed_address(self.company_address) in squashed(text)

    def _may_show_address(self, text: str) -> bool:
        # Searching for a word of the address is cheaper than squashing the page.
        return self.address_word in text.casefold()

    @property
    def address_word(self) -> str:
        """The longest word of the company's address, in lower case."""
        return _longest_word(self.company_address)

    def _signature(self) -> str:
        return one_line(", ".join(filter(None, (self.company_name, self.company_address))))


# The same for all letters of a batch.
_squashed_address = lru_cache(16)(squashed)


@lru_cache(16)
def _longest_word(text: str) -> str:
    return max(re.findall(r"\w+", text.casefold()), key=len, default="")


def _before_end(html: str, addition: str) -> str:
    ends = [found.start() for found in _END.finditer(html)]
    end = ends[-1] if ends else len(html)
    return f"{html[:end]}{addition}{html[end:]}"
