"""Kept: what somebody wrote into a form, while their login ran out, is asked about again instead of lost.

Only where the browser says that the form was a page of ours: else another site could lay its words before an operator.
https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header
"""

from flask import request

# So that no field of a form is taken for one of the login.
PREFIX = "kept."
OF_THE_FORM = frozenset({"csrf_token", "next"})

Fields = list[tuple[str, str]]


def written() -> Fields:
    """Return the fields of the form that was sent just now; none where it may have come from elsewhere."""
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
