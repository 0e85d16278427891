"""Gate: find everything wrong with a template before a lead can receive it."""

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

from funnel_app.letters.page import Page, read
from funnel_app.letters.problem import Problem, fault, warning
from funnel_app.letters.tags import MARK, Protected, protect, without_unseen
from funnel_app.letters.validation import notion
from funnel_app.letters.validation.foreign import foreign_placeholders
from funnel_app.letters.validation.reach import is_on_the_web, is_only_ours
from funnel_app.letters.validation.syntax import parse
from funnel_app.letters.words import shown

__all__ = ["Problem", "blocked", "inspect"]

GMAIL_CLIPS_BYTES = 102 * 1024
FEW_WORDS = 20

_PLACEHOLDER = re.compile(r"(?i:lorem ipsum)|\bTODO\b|\bTBD\b|\bX{3,}\b|\[[A-Z][A-Za-z_' ]{1,40}\]")
_GOOD_LINK = re.compile(r"(?i:https?)://[^\s/?#]+\S*|(?i:mailto|tel):\S.*|#.*", re.DOTALL)
_IN_THE_LETTER = re.compile(r"(?i:cid|data):")
_EXPIRES = re.compile(
    r"X-Amz-Expires=|secure\.notion-static\.com|prod-files-secure\.s3|file\.notion\.so", re.IGNORECASE
)
_VARIABLES = re.compile(f"(?:{MARK.pattern})+")


# If tags cannot be parsed, the used names are unknown.
_UNREADABLE = {"syntax", "curly_quotes"}


class _Part(NamedTuple):
    source: str
    protected: Protected
    page: Page


def inspect(subject: str, html: str, *, status: str, known: Collection[str]) -> tuple[Problem, ...]:
    """Return every problem of a template; `known` are the names of its variables."""
    body = _part(html)
    _, subject_problems = _tags("subject line", subject, protect(subject).source, known)
    names, body_problems = _tags("body", html, body.page.text, known)
    found = [*beside_the_body(subject, status), *_no_body(html), *subject_problems, *body_problems]
    if not _is_empty(html):
        readable = not any(problem.code in _UNREADABLE for problem in body_problems)
        found += [*(_footer(names) if readable else ()), *_links(body), *_looks(body), *_pictures(body)]
        found += _placeholders(subject, body.page, known)
    return tuple(dict.fromkeys(found))


def blocked(problems: Collection[Problem]) -> bool:
    """Say whether any of the problems keeps the template from being sent."""
    return any(problem.blocking for problem in problems)


def _part(html: str) -> _Part:
    protected = protect(html)
    return _Part(html, protected, read(protected.source))


def beside_the_body(subject: str, status: str) -> Iterator[Problem]:
    """Yield the problems that block a template whatever its body says."""
    if not shown(without_unseen(subject)):
        yield fault("no_subject", "The template has no subject line.")
    if status.strip().casefold() not in ("", "active"):
        yield fault("not_active", f'The template\'s status is "{status.strip()}"; only "Active" templates are sent.')


def _no_body(html: str) -> Iterator[Problem]:
    if _is_empty(html):
        yield fault("no_body", "The template has no text in its body.")


def _is_empty(html: str) -> bool:
    page = read(without_unseen(html))
    return not shown(page.text) and not page.images


def _tags(part: str, source: str, visible: str, known: Collection[str]) -> tuple[frozenset[str], list[Problem]]:
    """Return a part's names and problems; problems caused by Notion's changes are reported once."""
    changed = list(notion.changes(part, source))
    parsed = parse(part, notion.straightened(source) if changed else source, known)
    if changed:
        return parsed.names, [*changed, *(problem for problem in parsed.problems if problem.code != "syntax")]
    if any(problem.code == "syntax" for problem in parsed.problems):
        return parsed.names, list(parsed.problems)
    return parsed.names, [*parsed.problems, *_loose_braces(part, source, visible)]


def _loose_braces(part: str, source: str, visible: str) -> Iterator[Problem]:
    for braces in ("{{", "}}", "{%"):
        if braces in visible and braces in protect(source).source:
            yield fault("syntax", f'The {part} has a loose "{braces}" that the reader would see.')
        elif braces in visible:
            detail = f'The {part} shows "{braces}" to the reader: formatting or HTML codes break a tag. Type it again.'
            yield fault("curly_quotes", detail)


def _footer(names: frozenset[str]) -> Iterator[Problem]:
    if "unsubscribe_url" not in names:
        yield warning("no_unsubscribe", "The body has no {{ unsubscribe_url }}: a link is added at the end.")
    if "company_address" not in names:
        yield warning("no_address", "The body has no {{ company_address }}: the address is added at the end.")


def _links(body: _Part) -> Iterator[Problem]:
    for link in body.page.links:
        target = body.protected.restored(link)
        if not _leads_somewhere(link, body.protected):
            yield warning("bad_link", f'A link goes to "{target}", which does not start with https://.')
        elif is_only_ours(link):
            yield warning(
                "bad_link", f'A link goes to "{target}", which no reader can reach: it is on your own machine.'
            )


def _leads_somewhere(link: str, protected: Protected) -> bool:
    """Say whether a link is well formed, or each of the targets that its {% if %} chooses from."""
    choices = [each.strip() for each in protected.between_blocks(link) if each.strip()]
    each_is_good = bool(choices) and all(_GOOD_LINK.fullmatch(each) or _VARIABLES.fullmatch(each) for each in choices)
    return each_is_good or bool(_GOOD_LINK.fullmatch(link))


def _looks(body: _Part) -> Iterator[Problem]:
    size = len(body.source.encode(errors="replace"))
    if size > GMAIL_CLIPS_BYTES:
        yield warning("too_long", f"The body has {size // 1024} KB; Gmail cuts emails off after 102 KB.")
    if body.page.images and len(shown(body.page.text)) < FEW_WORDS:
        yield warning("images_without_text", "The body is only images: many readers see none, and filters distrust it.")
    elif None in body.page.images:
        yield warning("images_without_text", "An image has no alternative text (alt) for readers who do not see it.")


def _pictures(body: _Part) -> Iterator[Problem]:
    """Yield a problem per image whose address mail programs cannot load, or not for long."""
    for address in body.page.sources:
        told = body.protected.restored(address)
        if _EXPIRES.search(address):
            yield fault(
                "expiring_image", f'A picture comes from "{told[:60]}…", which Notion lets expire within the hour.'
            )
        elif _IN_THE_LETTER.match(address):
            detail = f'A picture is put into the letter itself ("{told[:30]}…"), and Gmail and Outlook show none'
            yield warning("bad_image", f"{detail}. Upload it to your website, and use its https:// address.")
        elif not _VARIABLES.match(address) and (not is_on_the_web(address) or is_only_ours(address)):
            yield warning("bad_image", f'A picture comes from "{told[:80]}", where no reader can load it.')


def _placeholders(subject: str, page: Page, known: Collection[str]) -> list[Problem]:
    line = protect(subject).source
    foreign = [
        *foreign_placeholders("subject line", (line,), known),
        *foreign_placeholders("body", (page.text, *page.links), known),
    ]
    told = " ".join(problem.detail for problem in foreign)
    left = (words for words in _PLACEHOLDER.findall(f"{line}\n{page.text}") if words not in told)
    return [
        *foreign,
        *(warning("placeholder", f'"{words}" looks like a placeholder that was not filled in.') for words in left),
    ]
