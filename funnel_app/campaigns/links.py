"""Links in typed text: find what a mail program would turn into a link or a phone number, and prevent it.

https://publicsuffix.org lists the domain endings; the list comes with the library, and is not downloaded.
"""

import re
import unicodedata
from functools import cache

from publicsuffixlist import PublicSuffixList

# Mail programs split words here; each piece is one link or none.
BETWEEN = re.compile(r"""[\s<>"'(){}\[\],;|*]+""")
SCHEMES = ("data:", "ftp:", "http:", "https:", "javascript:", "mailto:", "sms:", "tel:")
HOST = re.compile(r"[^/?#:]*")
# Separators in phone numbers that telephones recognise: hyphens and dashes of all kinds, dots, slashes.
DIGITS = re.compile(r"\+?\d[\d\s()./\\\-\u00ad\u00b7\u2010-\u2015\u2022\u2027\u2043\u2212\u30fb_]*")
FEWEST_DIGITS = 7
# Most names match: letters and spaces make no link and no number.
PLAIN = re.compile("[A-Za-z ]*")
# The zero-width non-joiner: readers do not see it, and programs do not skip it.
APART = "\u200c"
JOINT = re.compile(r"[.@\u3002\uff0e\uff61\uff20](?=[^\s,;.!?)])|(?<=[^\W\d_]):(?=[\w/+])|/(?=/)")


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(only_icann=True, accept_unknown=False)


def carries_link(text: str) -> bool:
    """Say whether a mail program would turn part of this text into a link or an address, in any script."""
    return not PLAIN.fullmatch(text) and any(map(_is_link, BETWEEN.split(_as_read(text))))


def carries_number(text: str) -> bool:
    """Say whether a telephone would recognise a number in this text."""
    return not PLAIN.fullmatch(text) and any(_is_number(found[0]) for found in DIGITS.finditer(_as_read(text)))


def unlinked(text: str) -> str:
    """Return a text that looks the same and that no mail program turns into a link or a phone number."""
    if PLAIN.fullmatch(text):
        return text
    apart = JOINT.sub(lambda found: APART + found[0], text)
    return DIGITS.sub(lambda found: APART.join(found[0]) if _is_number(found[0]) else found[0], apart)


def _as_read(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).replace("\u3002", ".")
    return "".join(character for character in plain if unicodedata.category(character) != "Cf").lower()


def _is_link(word: str) -> bool:
    if "//" in word or word.startswith("www."):
        return True
    if any(word.startswith(scheme) and len(word) > len(scheme) for scheme in SCHEMES):
        return True
    before, at, after = word.rpartition("@")
    return _is_host(after, is_address=bool(at and before))


def _is_host(word: str, *, is_address: bool) -> bool:
    """Say whether a word is a host name; with a path or before an @ it needs no known ending."""
    host = HOST.match(word)[0].strip(".-!&")  # type: ignore[index]  # it matches everything
    labels = host.split(".")
    if len(labels) < 2 or not all(label.replace("-", "").replace("_", "").isalnum() for label in labels):
        return False
    if is_address or word[len(host) : len(host) + 1] in tuple("/?#"):
        return all(len(label) > 1 or label.isdigit() for label in labels[-1:])
    return len(labels[-2]) > 1 and _suffixes().privatesuffix(host) is not None


def _is_number(text: str) -> bool:
    return sum(character.isdigit() for character in text) >= FEWEST_DIGITS
