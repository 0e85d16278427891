"""Notion over HTTP: who may call, how answers look, which objects exist."""

import uuid
from typing import Any, TypeVar

from flask import Blueprint, Response, g, jsonify, request

from sandbox.faults import cut_line, refusal
from sandbox.notion.checks import NotionProblem, invalid
from sandbox.notion.json import BOT, OWNER, PERSON
from sandbox.settings import Fault
from sandbox.state import Sandbox, current_sandbox

Json = dict[str, Any]
Found = TypeVar("Found")
VERSION = "2025-09-03"
CODES = {
    400: "validation_error",
    401: "unauthorized",
    403: "restricted_resource",
    404: "object_not_found",
    409: "conflict_error",
    429: "rate_limited",
    500: "internal_server_error",
    503: "service_unavailable",
    504: "gateway_timeout",
    529: "service_overload",
}

# Whoever has this token plays a person at the desk.
PERSONS_TOKEN = "ntn_owner"

blueprint = Blueprint("notion", __name__, url_prefix="/notion/v1")


@blueprint.before_request
def admit() -> Response | None:
    """Admit a call with a valid token and version within the rate limit, unless a fault is scripted."""
    sandbox = current_sandbox()
    check_caller(sandbox)
    sandbox.pause(sandbox.settings.notion.latency_s)
    g.fault = fault = sandbox.next_fault(sandbox.settings.notion)
    if fault.accepts:
        return None
    return refusal(sandbox, fault) or scripted_refusal(fault)


def check_caller(sandbox: Sandbox) -> None:
    """Raise NotionProblem unless token, rate and version are good."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    with sandbox.lock:
        notion = sandbox.settings.notion
        within, _ = sandbox.windows["notion"].take(sandbox.now(), notion.rate_per_second)
        if not token.startswith(("ntn_", "secret_")) or token in notion.wrong_tokens:
            raise NotionProblem(401, "unauthorized", "API token is invalid.")
    if not within:
        raise NotionProblem(429, "rate_limited", "Too many requests: wait before the next one.")
    version = request.headers.get("Notion-Version")
    if version != VERSION:
        raise NotionProblem(400, "missing_version", f"Notion-Version header should be `{VERSION}`, was `{version}`.")


def scripted_refusal(fault: Fault) -> Response | None:
    """Return the refusal that the script asks for, None where it asks for none."""
    if not (fault.status or fault.code):
        return None
    status = fault.status or 400
    code = fault.code or fault.name or CODES.get(status, "internal_server_error")
    return problem_answer(status, code, fault.message or "The sandbox was told to refuse this.", fault.retry_after)


@blueprint.after_request
def spoil(response: Response) -> Response:
    """Delay or drop the answer of a completed call."""
    fault: Fault = g.get("fault", Fault())
    if not fault.accepts:
        return response
    current_sandbox().pause(fault.hang_s)
    return cut_line() if fault.lost_answer else response


@blueprint.errorhandler(NotionProblem)
def refuse(problem: NotionProblem) -> Response:
    """Answer a refusal in Notion's form."""
    return problem_answer(problem.status, problem.code, problem.message)


def problem_answer(status: int, code: str, message: str, retry_after: int | None = None) -> Response:
    """Return an error object, with Retry-After where the caller must wait."""
    response = answer({"object": "error", "status": status, "code": code, "message": message, "additional_data": {}})
    response.status_code = status
    if status in (429, 529) or retry_after is not None:
        response.headers["Retry-After"] = str(1 if retry_after is None else retry_after)
    return response


def answer(body: Json) -> Response:
    """Return a body with a request id, as every answer has."""
    return jsonify(body | {"request_id": str(uuid.uuid4())})


def body() -> Json:
    """Return the JSON object of this call; raises NotionProblem."""
    found = request.get_json(silent=True)
    if not isinstance(found, dict):
        raise NotionProblem(400, "invalid_json", "Error parsing JSON body.")
    return found


def same_id(given: object) -> str:
    """Return an id in its dashed form; raises NotionProblem for what is none."""
    try:
        return str(uuid.UUID(str(given)))
    except ValueError as error:
        raise invalid(f"path failed validation: id should be a valid uuid, instead was `{given}`.") from error


def get(found: dict[str, Found], kind: str, given: object) -> Found:
    """Return the object with that id; raises NotionProblem."""
    key = same_id(given)
    if key not in found:
        shared = 'Make sure the relevant pages and databases are shared with your integration "sandbox".'
        raise NotionProblem(404, "object_not_found", f"Could not find {kind} with ID: {key}. {shared}")
    return found[key]


def by_person() -> bool:
    """Return whether a person writes, not the bot."""
    return request.headers.get("Authorization") == f"Bearer {PERSONS_TOKEN}"


@blueprint.get("/users/me")
def show_me() -> Response:
    """Return the bot that the token stands for."""
    limits = {"max_file_upload_size_in_bytes": 5242880}
    bot = {"owner": {"type": "workspace", "workspace": True}, "workspace_name": "Sandbox", "workspace_limits": limits}
    return answer(BOT | {"name": "Sandbox", "avatar_url": None, "type": "bot", "bot": bot})


@blueprint.get("/users/<user_id>")
def show_user(user_id: str) -> Response:
    """Return the person who writes by hand; nobody else is known."""
    if same_id(user_id) != PERSON["id"]:
        raise NotionProblem(404, "object_not_found", f"Could not find user with ID: {user_id}.")
    return answer(PERSON | OWNER)
