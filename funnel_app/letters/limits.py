"""Limits of templates and letters, so that no foreign text takes excessive resources."""

from collections.abc import Iterator

from funnel_app.letters.problem import Problem, fault

MOST_SUBJECT_CHARS = 2_000
MOST_BODY_CHARS = 400_000
MOST_TAGS = 500
MOST_ELEMENTS = 20_000
MOST_COMMENTS = 1_000
MOST_LETTER_CHARS = 1_000_000
# Deeper nesting overflows css-inline 0.24's stack and crashes the process; real emails stay under 60.
MOST_NESTED = 200


def oversized(subject: str, html: str) -> Iterator[Problem]:
    """Yield a problem per exceeded limit; it only counts, so it is fast for any text."""
    counted = (
        ("subject line", "characters", len(subject), MOST_SUBJECT_CHARS),
        ("subject line", "tags", _tags(subject), MOST_TAGS),
        ("body", "characters", len(html), MOST_BODY_CHARS),
        ("body", "tags", _tags(html), MOST_TAGS),
        ("body", "HTML elements", html.count("<"), MOST_ELEMENTS),
        ("body", "HTML comments", html.count("<!--"), MOST_COMMENTS),
    )
    for part, things, found, most in counted:
        if found > most:
            yield fault("too_large", f"The {part} has {found:,} {things}; a letter may have {most:,}.")


def _tags(source: str) -> int:
    return sum(source.count(opening) for opening in ("{{", "{%", "{#"))
