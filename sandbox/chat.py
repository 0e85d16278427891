"""The owner's chat, with the API of a Slack webhook."""

from flask import Blueprint, Response, jsonify, render_template, request

from sandbox.state import current_sandbox

blueprint = Blueprint("chat", __name__, url_prefix="/chat")


@blueprint.post("")
def take() -> tuple[str, int]:
    """Accept a message in Slack's form; answer 400 as Slack does otherwise."""
    said = request.get_json(silent=True)
    if not isinstance(said, dict) or not isinstance(said.get("text"), str):
        return "invalid_payload", 400
    sandbox = current_sandbox()
    with sandbox.lock:
        sandbox.chat.append(said["text"])
    return "ok", 200


@blueprint.get("/messages")
def list_messages() -> Response:
    """Return every message, oldest first."""
    return jsonify(_messages())


@blueprint.get("")
def show() -> str:
    """Show all messages, newest first."""
    return render_template("chat.html", messages=_messages()[::-1])


def _messages() -> list[str]:
    sandbox = current_sandbox()
    with sandbox.lock:
        return list(sandbox.chat)
