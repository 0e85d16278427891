"""Syntax: check a template against the language, on its syntax tree."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from jinja2 import TemplateSyntaxError, nodes

from funnel_app.letters.engine import PLAIN
from funnel_app.letters.language import all_of, outside
from funnel_app.letters.problem import Problem, fault
from funnel_app.letters.tags import protect
from funnel_app.letters.validation.suggest import suggest
from funnel_app.letters.words import squashed

_OPENED = re.compile(r"\{[{%][^<>\n\ue000]{0,40}")
_OURS = {
    "#if": "{% if name %}",
    "#unless": "{% if not name %}",
    "#each": "nothing: there are no loops",
    "/if": "{% endif %}",
    "/unless": "{% endif %}",
    "/each": "nothing: there are no loops",
    ">": "nothing: there are no parts to include",
    "if": "{% if name %}",
    "elif": "{% elif name %}",
    "endif": "{% endif %}",
    "endfor": "{% endif %}, as there are no loops",
    "endunless": "{% endif %}",
    "end": "{% endif %}",
    "fi": "{% endif %}",
    "case": "{% if name == 1 %}",
    "when": "{% elif name == 2 %}",
    "else if": "{% elif name %}",
    "elsif": "{% elif name %}",
    "elseif": "{% elif name %}",
    "else": "{% else %}",
    "unless": "{% if not name %}",
    "assign": "nothing: there are no assignments",
}
_OTHER_TOOL = re.compile(
    r"\{\{[#/](?:if|unless|each)\b"
    r"|\{\{>"
    r"|\{\{\s*(?:else\b(?=\s*\}\}|\s+if\b)|(?:if|elif|endif|elsif|end)\b)"
    r"|\{%-?\s*(?:else ?if|elsif|unless|endunless|assign|endfor|end\b|fi\b|case|when)\b"
)
_NOTHING_ASKED = "Expected an expression, got 'end of statement block'"
_NO_CONDITION = re.compile(r"\{%[-+]?\s*(if|elif)\s*[-+]?%\}")
_NAME_IN_PIECES = re.compile(r"\{\{-?\s*([A-Za-z]\w*(?:[ -]+[A-Za-z]\w*){1,3})\s*-?\}\}")
_OUR_WORDS = {
    "Missing end of comment": 'a "{#" opens a comment that never ends; in CSS, write a space between { and #.',
    "Expected an expression, got 'end of print statement'": "a tag {{ }} is empty.",
    "Expected an expression": "a tag ends where a name should follow.",
    "unexpected 'end of print statement'": "a tag {{ }} ends where a name should follow.",
    "unexpected 'end of statement block'": "a condition ends where a name should follow.",
    "tag name expected": "a tag {% %} is empty.",
    "expected token 'name'": "after the sign | the name of a filter is missing.",
    "expected token 'end of print statement'": "a name has a space in it, or a sign between two words is missing.",
    "expected token 'end of statement block'": 'an {% if %} has a word too many, or one "=" where it needs "==".',
    "expected token ':'": "a tag has three braces where it needs two.",
}


@dataclass(frozen=True)
class Parsed:
    """One part of a template: the names it uses, or why it cannot be parsed."""

    names: frozenset[str]
    problems: tuple[Problem, ...]


def parse(part: str, source: str, known: Collection[str]) -> Parsed:
    """Parse one part, with a problem for each thing that a letter cannot have."""
    try:
        return _read(part, source, known)
    except TemplateSyntaxError as error:
        plainly = _plainly(error.message or "", source)
        words = _other_tool(source) or _unclosed(source) or _in_pieces(source, known) or plainly
        detail = f"The {part} has a mistake in its tags on line {error.lineno}: {words}"
        return Parsed(frozenset(), (fault("syntax", detail),))
    except (ValueError, RecursionError, SyntaxError):
        detail = f"The {part} has a tag that is too long, or too many {{% if %}} within each other."
        return Parsed(frozenset(), (fault("syntax", detail),))


def _read(part: str, source: str, known: Collection[str]) -> Parsed:
    """Parse one part up to compiling, where some faults show."""
    pieces = _in_pieces(source, known)
    if pieces:
        return Parsed(frozenset(), (fault("syntax", f"The {part} has a mistake in its tags: {pieces}"),))
    tree = PLAIN.parse(source)
    things = all_of(tree)
    if things is None:
        raise RecursionError
    names = sorted({thing.name for thing in things if isinstance(thing, nodes.Name)})
    unknown = [fault("unknown_variable", _unknown(part, name, known)) for name in names if name not in known]
    forbidden = list(_forbidden(part, source, things))
    if not forbidden:
        # Jinja2 evaluates constants here, which is harmless only within the language's limits.
        PLAIN.compile(tree)
    return Parsed(frozenset(names), (*forbidden, *unknown))


def _forbidden(part: str, source: str, used: Iterable[nodes.Node]) -> Iterator[Problem]:
    """Yield a problem per thing outside the language; {% raw %} leaves no trace in the tree, so it is searched for."""
    things = list(outside(used))
    if "raw" in source and any(kind == "raw_begin" for _, kind, _ in PLAIN.lex(source)):
        things.append("{% raw %}")
    for thing in dict.fromkeys(things):
        yield fault("forbidden", f"The {part} uses {thing}. A template may only hold names, {{% if %}} and filters.")


def _unknown(part: str, name: str, known: Collection[str]) -> str:
    sentence = f"The {part} uses {{{{ {name} }}}}, which is not a known variable."
    if name in _OURS:
        return f"{sentence} As a word of another tool it is {_OURS[name]} here."
    meant = suggest(name, known)
    return f"{sentence} Did you mean {{{{ {meant} }}}}?" if meant else sentence


def _in_pieces(source: str, known: Collection[str]) -> str | None:
    """Return a hint at the first name with a space or hyphen in it, if its meaning is certain."""
    for found in _NAME_IN_PIECES.finditer(source):
        meant = suggest(found[1], known)
        if meant and squashed(meant) == squashed(found[1]):
            return f'"{found[0]}" has a name in pieces; write {{{{ {meant} }}}}.'
    return None


def _other_tool(source: str) -> str | None:
    """Return a hint at the first tag of another tool's language; None if there is none."""
    found = _OTHER_TOOL.search(source)
    if not found:
        return None
    theirs = found[0].lstrip("{%- ")
    ours = next(ours for name, ours in sorted(_OURS.items(), reverse=True) if theirs.startswith(name))
    return f'"{found[0].strip()}" is of another tool; here it is {ours}.'


def _unclosed(source: str) -> str | None:
    """Return a hint at the first unclosed tag; the parser would complain about whatever comes next."""
    opened = _OPENED.search(protect(source).source)
    return f'"{opened[0].strip()}" has no matching "}}}}" or "%}}".' if opened else None


def _plainly(message: str, source: str) -> str:
    """Return Jinja2's message, or ours if its own would not help the owner."""
    if "looking for the following tags" in message and "'if'" in message:
        twice = "unknown tag 'el" in message
        return "an {% if %} has {% else %} twice." if twice else "an {% if %} has no {% endif %}."
    if _NOTHING_ASKED in message and (empty := _NO_CONDITION.search(source)):
        return f"an {{% {empty[1]} %}} has no condition; write {{% {empty[1]} name %}}."
    if stray := re.search(r"unknown tag '(endif|else|elif)'", message):
        return f"an {{% {stray[1]} %}} has no {{% if %}} before it."
    if stray := re.search(r"unknown tag '(\w+)'", message):
        return f'there is no tag "{{% {stray[1]} %}}"; there is only {{% if %}}.'
    return next((ours for theirs, ours in _OUR_WORDS.items() if theirs in message), message[:200])
