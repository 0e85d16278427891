"""Kept forms: what was entered in a form while the login expired is asked about again instead of lost.

Only if the browser says that the form was a page of ours: otherwise another site could put its words before an
operator. https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header
"""

from flask import request

# Prefixed, so that no field is mistaken for the login's.
PREFIX = "kept."
OF_THE_FORM = frozenset({"csrf_token", "next"})

Fields = list[tuple[str, str]]


def written() -> Fields:
    """Return the fields of the form just sent; empty if it may have come from elsewhere."""
    if not _is_ours():
        return []
    return [(name, value) for name, value in request.form.items(multi=True) if name not in OF_THE_FORM]


def carried() -> Fields:
    """Return the fields that the login carried along."""
    found = request.form.items(multi=True)
    return [(name.removeprefix(PREFIX), value) for name, value in found if name.startswith(PREFIX)]


def _is_ours() -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    return site == "same-origin" if site else request.headers.get("Origin") == request.host_url.rstrip("/")
