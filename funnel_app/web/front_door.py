"""Front door: the bare address redirects operators to the console."""

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

blueprint = Blueprint("front_door", __name__)


@blueprint.route("/", methods=("GET", "POST"))
def open_console() -> ResponseReturnValue:
    """Redirect to the console; a POST here is a misdirected call."""
    if request.method == "POST":
        raise NotFound("Nothing takes calls here: a hook's address begins with /webhook/.")
    return redirect(url_for("console.today"))
