"""Judge a template as a whole: its source, its prepared form, and each sample's letter."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from funnel_app.letters.letter import Letter, compose
from funnel_app.letters.limits import oversized
from funnel_app.letters.parts import prepare
from funnel_app.letters.problem import Problem, fault, warning
from funnel_app.letters.render import LetterError, MissingVariable, Parts
from funnel_app.letters.tags import protect, tags_of
from funnel_app.letters.validation.draft import Draft, Verdict
from funnel_app.letters.validation.gate import beside_the_body, blocked, inspect
from funnel_app.letters.validation.markup import broken_markup
from funnel_app.letters.validation.syntax import parse
from funnel_app.letters.visible import read_visible
from funnel_app.letters.words import printable
from funnel_app.letters.written.source import read_source

GMAIL_CLIPS_BYTES = 102 * 1024
# Gmail drops all styles of a letter above this size (github.com/hteumeuleu/email-bugs/issues/90).
GMAIL_STYLE_CHARS = 16_384
FEW_LOST_WORDS = 12
ALIKE = 0.7
FEW_UNSEEN_WORDS = 20
MOST_UNSEEN = 0.6


_STYLES = re.compile(r"<style\b[^>]*(?:>(.*?)(?:</style|\Z)|\Z)", re.DOTALL | re.IGNORECASE)
_WORD = re.compile(r"\w+")


def judge(draft: Draft) -> Verdict:
    """Return what is wrong with a template, and its parts if letters may be made of them."""
    if found := tuple(oversized(draft.subject, draft.html)):
        return Verdict(found, None)
    written = read_source(draft.html, draft.blocks, draft.layout)
    if blocked(written.problems):
        beside = beside_the_body(draft.subject, draft.status)
        return Verdict(_worst_first((*written.problems, *beside)), None, written.read_as)
    verdict = _judged(replace(draft, html=written.html))
    problems = _worst_first((*verdict.problems, *written.problems))
    return Verdict(problems, verdict.parts, written.read_as, written.html)


def _judged(draft: Draft) -> Verdict:
    """Return the verdict on a template's HTML."""
    if found := tuple(oversized(draft.subject, draft.html)):
        return Verdict(found, None)
    markup = tuple(broken_markup(draft.html))
    if any(problem.code == "too_deep" for problem in markup):
        # Parsing is quadratic in the depth, so it is not repeated.
        return Verdict(_worst_first((*markup, *beside_the_body(draft.subject, draft.status))), None)
    found = _worst_first((*inspect(draft.subject, draft.html, status=draft.status, known=draft.known), *markup))
    if blocked(found):
        return Verdict(found, None)
    parts = prepare(draft.subject, draft.html)
    uncovered = (*_uncovered(draft, parts), *_not_inlined(draft, parts))
    letters = () if blocked(uncovered) else tuple(_letters(draft, parts))
    problems = _worst_first((*found, *uncovered, *letters))
    return Verdict(problems, None if blocked(problems) else parts)


def _worst_first(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Return each problem once, blocking ones first."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda problem: not problem.blocking))


def _uncovered(draft: Draft, parts: Parts) -> Iterator[Problem]:
    """Yield a problem per tag that appears only after preparation, hidden in the source."""
    typed = {tag for source in (draft.subject, draft.html) for tag in tags_of(source)}
    for part, source in (("body", parts.html), ("text part", parts.text)):
        for tag in dict.fromkeys(tags_of(source)):
            if tag not in typed:
                yield fault(
                    "syntax", f"The {part} hides the tag {tag[:80]} in HTML codes. Type it in plain characters."
                )
        yield from (problem for problem in parse(part, source, draft.known).problems if problem.blocking)


def _not_inlined(draft: Draft, parts: Parts) -> Iterator[Problem]:
    """Yield a problem if styles are not inlined because inlining would move a tag."""
    source = protect(printable(draft.html))
    if "<style" in draft.html.lower() and parts.html == source.restored(source.source):
        yield warning("not_inlined", "A tag stands where HTML has no place for it, so the styles are not inlined.")


def _letters(draft: Draft, parts: Parts) -> Iterator[Problem]:
    for sample in draft.samples:
        try:
            letter = compose(parts, sample.values, sample.envelope)
        except MissingVariable as missing:
            yield warning("not_for_everyone", f"For a lead like “{sample.name}” {_nothing_provides(missing.name)}")
        except LetterError as error:
            yield fault("not_rendered", f"The letter to a lead like “{sample.name}” cannot go out: {error}")
        else:
            yield from _looks(letter)


def _nothing_provides(name: str) -> str:
    guard = f"{{% if {name} is known %}} and {{% endif %}}"
    return f"nothing provides {{{{ {name} }}}}: that letter is held. Put it between {guard}."


def _looks(letter: Letter) -> Iterator[Problem]:
    size = len(letter.html.encode(errors="replace"))
    if size > GMAIL_CLIPS_BYTES:
        detail = f"The letter weighs {size // 1024} KB with its styles in place; Gmail cuts emails off after 102 KB."
        yield warning("too_long", detail)
    styles = sum(len(css) for css in _STYLES.findall(letter.html))
    if styles > GMAIL_STYLE_CHARS:
        detail = f"Its styles have {styles // 1024} KB in the head; Gmail leaves all of them out above 16 KB."
        yield warning("too_long", detail)
    seen = set(read_visible(letter.html).words)
    yield from _unseen(letter, seen)
    told = set(read_visible(f"<pre>{_without_urls(letter.text)}").words)
    lost = seen - told
    if len(lost) > FEW_LOST_WORDS and len(lost) > len(seen) * (1 - ALIKE):
        yield warning("text_differs", f"The text part lacks {len(lost)} words of the letter, such as “{min(lost)}”.")


def _unseen(letter: Letter, seen: set[str]) -> Iterator[Problem]:
    """Yield a problem if a reader sees only a small part of the letter's words."""
    # Text inside a form field counts as written, and not as seen.
    page = re.sub(r"(</?)textarea\b", r"\1div", letter.html, flags=re.IGNORECASE)
    written = set(_WORD.findall(protect(page).without_markup().casefold()))
    unseen = written - seen
    if len(unseen) > FEW_UNSEEN_WORDS and len(unseen) > len(written) * MOST_UNSEEN:
        words = f"{len(written) - len(unseen)} of its {len(written)} different words"
        yield fault("unseen", f"A reader sees only {words}: the others, such as “{min(unseen)}”, are hidden.")


def _without_urls(text: str) -> str:
    return text.replace("<", " ").replace("&", "&amp;")
