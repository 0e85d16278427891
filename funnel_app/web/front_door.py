"""The front door: whoever opens the bare address is an operator, and wants the console."""

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

blueprint = Blueprint("front_door", __name__)


@blueprint.route("/", methods=("GET", "POST"))
def open_console() -> ResponseReturnValue:
    """Lead to the console; a call that is posted here has the wrong address, as at any other."""
    if request.method == "POST":
        raise NotFound("Nothing takes calls here: a hook's address begins with /webhook/.")
    return redirect(url_for("console.today"))
