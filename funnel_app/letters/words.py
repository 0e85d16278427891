"""Text cleaned for its place: one line, or many without control characters."""

import re
import unicodedata

_BREAKS = {"Cc", "Cs", "Zl", "Zp"}
# Categories Cc and Cs of Unicode, which never change, without line end and tab.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_NO_LETTERS = re.compile(r"[\W_]+")
_INVISIBLE = re.compile("[\u00ad\u034f\u200b-\u200f\u2060\ufeff]")


def one_line(text: str) -> str:
    """Fold a text to one line: no control characters or line separators, single spaces, stripped."""
    # Character by character only if one is odd, which is rare.
    plain = (
        text if text.isprintable() else "".join(" " if unicodedata.category(char) in _BREAKS else char for char in text)
    )
    return " ".join(plain.split())


def printable(text: str) -> str:
    """Return the text with LF line ends and without other control characters, except tabs."""
    if text.isprintable():
        return text
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def tidy(text: str) -> str:
    """Return the text without trailing spaces and with at most one empty line between paragraphs."""
    lines = "\n".join(map(str.rstrip, text.split("\n")))
    return re.sub(r"\n{3,}", "\n\n", lines).strip() + "\n"


def shown(text: str) -> str:
    """Return what a reader sees of a text: empty if it is only spaces and invisible characters."""
    return _INVISIBLE.sub("", text).strip()


def squashed(text: str) -> str:
    """Return only letters and digits, lower case, so that differently formatted addresses compare equal."""
    return _NO_LETTERS.sub("", text.casefold())
