"""Suggest the variable that was probably meant by an unknown name."""

import difflib
import re
from collections.abc import Collection

from funnel_app.letters.words import squashed

ALIKE = 0.78
# Names of other tools; None: there is no equivalent here.
_ALSO_CALLED: dict[str, str | None] = {
    **dict.fromkeys(("name", "fname", "givenname", "forename", "fullname", "nickname"), "first_name"),
    **dict.fromkeys(
        ("leadname", "clientname", "customername", "contactname", "username", "recipientname"), "first_name"
    ),
    **dict.fromkeys(("lname", "lastname", "surname", "familyname"), None),
    **dict.fromkeys(("salon", "salonname", "shopname", "business", "organization"), "business_name"),
    **dict.fromkeys(
        ("unsub", "unsubscribe", "unsubscribelink", "unsublink", "unsuburl", "optout", "optoutlink"), "unsubscribe_url"
    ),
    **dict.fromkeys(("listaddress", "address", "postaladdress", "senderaddress"), "company_address"),
    **dict.fromkeys(("company", "sender", "sendername"), "company_name"),
    **dict.fromkeys(("emailaddress", "mail"), "email"),
    **dict.fromkeys(
        ("calendly", "calendar", "calendarlink", "calendarurl", "bookinglink", "bookingurl"), "calendly_link"
    ),
    **dict.fromkeys(("score", "totalscore"), "assessment_score"),
    **dict.fromkeys(("daysleft", "daysremaining", "countdown"), "days_to_deadline"),
    **dict.fromkeys(("placesleft", "spotsleft", "spots", "places"), "spots_remaining"),
    **dict.fromkeys(("pdf", "pdflink", "playbook", "playbooklink", "downloadlink"), "pdf_download_link"),
    "year": "current_year",
}
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")


def suggest(written: str, known: Collection[str]) -> str | None:
    """Return the known name that was meant; None if uncertain."""
    wanted = squashed(written)
    by_letters = {squashed(each): each for each in sorted(known)}
    if wanted in by_letters:
        return by_letters[wanted]
    if wanted in _ALSO_CALLED:
        meant = _ALSO_CALLED[wanted]
        return meant if meant in known else None
    if exact := _with_its_words(written, known) if len(_words(written)) > 1 else None:
        return exact
    near = difflib.get_close_matches(wanted, by_letters, n=1, cutoff=ALIKE) if len(wanted) > 3 else []
    return by_letters[near[0]] if near else _with_its_words(written, known)


def _with_its_words(written: str, known: Collection[str]) -> str | None:
    """Return the one name with all words of the unknown one, and the fewest others."""
    words = _words(written)
    extra = {each: len(_words(each) - words) for each in known if words and words <= _words(each)}
    fewest = [each for each, more in extra.items() if more == min(extra.values())]
    return fewest[0] if len(fewest) == 1 else None


def _words(name: str) -> frozenset[str]:
    return frozenset(word.casefold() for word in _WORD.findall(name))
