"""Unsubscribe: GET shows a page with one button and changes nothing, since mail scanners follow links; POST does it."""

from flask import Blueprint, render_template_string, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from funnel_app.current import current_deps
from funnel_app.flows.unsubscribe import is_known, unsubscribe

blueprint = Blueprint("unsubscribe", __name__, url_prefix="/u")

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{{ title }}</title>
<style>
  body { font: 17px/1.5 system-ui, sans-serif; margin: 0; background: #faf7f2; color: #2b2620; }
  main { max-width: 30rem; margin: 12vh auto; padding: 2rem; background: #fff; border-top: 4px solid #d2a164; }
  button { font: inherit; padding: .8rem 1.4rem; border: 0; border-radius: 6px; background: #2b2620; color: #fff; }
</style>
</head>
<body>
<main>
<h1>{{ title }}</h1>
<p>{{ text }}</p>
{% if ask %}<form method="post"><button type="submit">Unsubscribe</button></form>{% endif %}
<p><small>{{ company }}</small></p>
</main>
</body>
</html>
"""


@blueprint.get("/<token>")
def ask(token: str) -> ResponseReturnValue:
    """Ask; nothing changes."""
    if not is_known(current_deps(), token):
        raise NotFound("This link belongs to nobody.")
    return _page("Unsubscribe?", "You will get no more marketing emails from us.", ask=True)


@blueprint.post("/<token>")
def leave(token: str) -> ResponseReturnValue:
    """Unsubscribe, from the page's button or by one click in the mail program (RFC 8058)."""
    if not unsubscribe(current_deps(), token):
        raise NotFound("This link belongs to nobody.")
    if request.form.get("List-Unsubscribe") == "One-Click":
        return "", 200
    return _page("You are unsubscribed", "You will get no more marketing emails from us.", ask=False)


def _page(title: str, text: str, *, ask: bool) -> str:
    company = current_deps().settings.company_name
    return render_template_string(PAGE, title=title, text=text, ask=ask, company=company)
