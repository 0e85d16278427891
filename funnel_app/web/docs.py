"""API pages: OpenAPI for machines, and Swagger UI served from here."""

from importlib.resources import files
from pathlib import Path

from flask import Blueprint, Response, render_template_string, send_from_directory, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

blueprint = Blueprint("docs", __name__)

ASSETS = Path(str(files("flask_swagger_ui"))) / "dist"
SERVED = frozenset({"swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"})
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"
)
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Funnel: the hooks</title>
<link rel="stylesheet" href="{{ url_for('docs.asset', name='swagger-ui.css') }}">
<link rel="icon" href="{{ url_for('docs.asset', name='favicon-32x32.png') }}">
</head>
<body>
<div id="docs" data-url="{{ url_for('api-docs.openapi_json') }}"></div>
<script src="{{ url_for('docs.asset', name='swagger-ui-bundle.js') }}"></script>
<script src="{{ url_for('docs.start') }}"></script>
</body>
</html>
"""
START = """const place = document.getElementById("docs");
SwaggerUIBundle({ url: place.dataset.url, domNode: place, deepLinking: true });
"""


@blueprint.get("/docs")
def page() -> ResponseReturnValue:
    """Show the hooks; everything is served from here."""
    answer = Response(render_template_string(PAGE), content_type="text/html; charset=utf-8")
    answer.headers["Content-Security-Policy"] = POLICY
    return answer


@blueprint.get("/docs/start.js")
def start() -> ResponseReturnValue:
    """Return the page's script, which must not be inline."""
    return Response(START, content_type="text/javascript; charset=utf-8")


@blueprint.get("/docs/<name>")
def asset(name: str) -> ResponseReturnValue:
    """Return a file of Swagger UI."""
    if name not in SERVED:
        raise NotFound(f"There is no {name}; the page is at {url_for('docs.page')}.")
    answer = send_from_directory(ASSETS, name)
    answer.headers["Cache-Control"] = "public, max-age=86400"
    return answer
