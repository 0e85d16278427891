"""Error pages: browsers get a page in plain words, everybody else a problem document."""

from collections.abc import Mapping

from flask import Flask, Response, g, render_template, request
from werkzeug.exceptions import MethodNotAllowed, NotFound

from funnel_app.current import current_deps

PROBLEM = "application/problem+json"
PAGE = "text/html"
# For people who followed a link in an email; no internals.
READERS = "/u/"
ASK_BY_EMAIL = "Answer any of our emails with the word “unsubscribe”, and we take you off."
SORRY = ("We could not do this just now", "It is our fault, and nothing was changed. Try the link again in a minute.")
TITLES: Mapping[int, str] = {
    401: "This is not open to everybody",
    403: "This is not open to you",
    404: "There is no such page",
    405: "There is no such page",
    429: "Too many tries",
    500: "Something is wrong on our side",
    503: "Not possible just now",
}
# What people read for the framework's own words.
INSTEAD: Mapping[str, str] = {
    str(NotFound.description): "The link was cut off, or what it led to is not there any more.",
    str(MethodNotAllowed.description): "This address is for programs that send something there.",
}


def init_app(app: Flask) -> None:
    """Answer browsers with pages where the application answers with a problem document."""
    app.after_request(_as_page)


def _as_page(response: Response) -> Response:
    if response.mimetype != PROBLEM:
        return response
    response.headers.add("Vary", "Accept")
    if wants_page():
        title, lines = _words(response)
        response.content_type = f"{PAGE}; charset=utf-8"
        response.set_data(_page(title, lines))
    return response


def wants_page() -> bool:
    """Say whether a browser asks: it follows a link, or sends our page's form.

    Some libraries also name HTML first in their requests to hooks, and read JSON all the same.
    """
    asked = request.method in {"GET", "HEAD"} or request.path.startswith(READERS)
    accepted = request.accept_mimetypes
    # `*/*` accepts everything: only a browser names HTML.
    names_html = any(kind == PAGE for kind, quality in accepted if quality > 0)
    return asked and names_html and accepted.best_match([PROBLEM, "application/json", PAGE]) == PAGE


def _words(response: Response) -> tuple[str, tuple[str, ...]]:
    if request.path.startswith(READERS) and response.status_code >= 500:
        return SORRY[0], (SORRY[1], ASK_BY_EMAIL)
    problem = response.get_json()
    return TITLES.get(response.status_code, problem["title"]), (INSTEAD.get(problem["detail"], problem["detail"]),)


def _page(title: str, lines: tuple[str, ...]) -> str:
    settings = current_deps().settings
    return render_template(
        "error.html",
        title=title,
        lines=lines,
        request_id=g.get("request_id", ""),
        company=settings.company_name,
        address=settings.company_address,
    )
