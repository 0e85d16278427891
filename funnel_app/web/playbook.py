"""Playbook: the PDF that emails link to."""

from functools import lru_cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path

from flask import Blueprint, send_file
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

blueprint = Blueprint("playbook", __name__, url_prefix="/assets")

PDF = Path(__file__).parents[2] / "assets" / "christmas-surge-playbook.pdf"
DAY_S = 86_400


@blueprint.get("/christmas-surge-playbook.pdf")
def show() -> ResponseReturnValue:
    """Send the playbook or the requested range, or 304 if it is unchanged."""
    if not PDF.is_file():
        raise NotFound("The playbook has not been printed here; make playbook does it.")
    changed = PDF.stat().st_mtime
    content, etag = _read(changed)
    return send_file(
        BytesIO(content),
        mimetype="application/pdf",
        download_name=PDF.name,
        last_modified=changed,
        etag=etag,
        max_age=DAY_S,
    )


@lru_cache(maxsize=1)
def _read(changed: float) -> tuple[bytes, str]:
    """Return the file and its ETag, which is the same after a new deployment of the same bytes."""
    content = PDF.read_bytes()
    return content, sha256(content).hexdigest()[:32]
