"""A stand-in for Coolify's API: it stores what it is sent, and refuses what Coolify refuses, in Coolify's words."""

import base64
import binascii
import itertools
from collections.abc import Collection
from typing import Any

from flask import Blueprint, Flask, Response, abort, current_app, jsonify, make_response, request
from flask.typing import ResponseReturnValue

Json = dict[str, Any]
blueprint = Blueprint("coolify", __name__, url_prefix="/api/v1")

PLACE = {"project_uuid", "server_uuid", "environment_name", "environment_uuid", "destination_uuid"}
SETTINGS = {"is_force_https_enabled", "is_auto_deploy_enabled", "stop_grace_period"}
HEALTH = {"enabled", "type", "command", "path", "port", "host", "method", "scheme", "return_code", "response_text",
          "interval", "timeout", "retries", "start_period"}  # fmt: skip
FIELDS = {"name", "description", "domains", "git_repository", "git_branch", "build_pack", "ports_exposes",
          "dockerfile_location", *(f"health_check_{name}" for name in HEALTH), *SETTINGS}  # fmt: skip
CREATION = FIELDS | PLACE | {"autogenerate_domain", "instant_deploy", "private_key_uuid", "github_app_uuid"}
REQUIRED = {"project_uuid", "server_uuid", "environment_name", "git_repository", "git_branch", "build_pack",
            "ports_exposes"}  # fmt: skip
REDIS = PLACE | {"name", "image", "redis_conf", "redis_password", "instant_deploy"}
ENV = {"key", "value", "is_preview", "is_literal", "is_multiline", "is_shown_once", "is_runtime", "is_buildtime",
       "comment"}  # fmt: skip


class Memory:
    """One Coolify's state; `statuses` are those of its next deployment, in order."""

    def __init__(self, token: str, sensitive: bool) -> None:
        self.token, self.sensitive = token, sensitive
        self.servers = [{"uuid": "server-1", "name": "localhost"}]
        self.projects: dict[str, Json] = {}
        self.applications: dict[str, Json] = {}
        self.databases: dict[str, Json] = {}
        self.envs: dict[str, dict[str, Json]] = {}
        self.volumes: dict[str, list[Json]] = {}
        self.deployments: dict[str, list[str]] = {}
        self.statuses = ["queued", "in_progress", "finished"]
        self.calls: list[tuple[str, str]] = []
        self._numbers = itertools.count(1)

    def uuid(self, kind: str) -> str:
        """Return a new id."""
        return f"{kind}-{next(self._numbers)}"


def create_coolify(token: str, sensitive: bool = True) -> Flask:
    """Return a Coolify with one token, which may read secrets if `sensitive`."""
    app = Flask(__name__)
    app.extensions["coolify"] = Memory(token, sensitive)
    app.register_blueprint(blueprint)
    return app


def memory() -> Memory:
    """Return the current Coolify's state."""
    held: Memory = current_app.extensions["coolify"]
    return held


@blueprint.before_request
def check_token() -> ResponseReturnValue | None:
    """Refuse calls without the token."""
    memory().calls.append((request.method, request.path))
    if request.headers.get("Authorization") != f"Bearer {memory().token}":
        return {"message": "Unauthenticated."}, 401
    return None


def taken(allowed: Collection[str], required: Collection[str] = ()) -> Json:
    """Return the body; refuse unknown and missing fields."""
    body: Json = request.get_json()
    errors: Json = {name: ["This field is not allowed."] for name in body if name not in allowed}
    errors |= {name: [f"The {name} field is required."] for name in required if not body.get(name)}
    if errors:
        refuse(422, "Validation failed.", errors)
    return body


def refuse(status: int, message: str, errors: Json | None = None) -> None:
    """Abort the call as Coolify would."""
    answer: Response = make_response(jsonify({"message": message, **({"errors": errors} if errors else {})}), status)
    abort(answer)


def found(table: dict[str, Any], uuid: str, what: str) -> Any:
    """Return a row, or refuse with 404."""
    if uuid not in table:
        refuse(404, f"{what} not found.")
    return table[uuid]


@blueprint.get("/servers")
def servers() -> ResponseReturnValue:
    """List the servers."""
    return jsonify(memory().servers)


@blueprint.get("/projects")
def projects() -> ResponseReturnValue:
    """List the projects, without their contents."""
    return jsonify([{"uuid": uuid, "name": row["name"]} for uuid, row in memory().projects.items()])


@blueprint.post("/projects")
def create_project() -> ResponseReturnValue:
    """Create a project with an environment named production."""
    uuid = memory().uuid("project")
    body = taken({"name", "description"}, {"name"})
    memory().projects[uuid] = {"name": body["name"], "environments": {"production"}}
    return {"uuid": uuid}, 201


@blueprint.post("/projects/<uuid>/environments")
def create_environment(uuid: str) -> ResponseReturnValue:
    """Create an environment."""
    found(memory().projects, uuid, "Project")["environments"].add(taken({"name"}, {"name"})["name"])
    return {"uuid": memory().uuid("environment")}, 201


@blueprint.get("/projects/<uuid>/<name>")
def environment(uuid: str, name: str) -> ResponseReturnValue:
    """Return an environment with its contents."""
    if name not in found(memory().projects, uuid, "Project")["environments"]:
        refuse(404, "Environment not found.")
    here = {"project_uuid": uuid, "environment_name": name}

    def inside(table: dict[str, Json]) -> list[Json]:
        return [{"uuid": key, "name": row["name"]} for key, row in table.items() if here.items() <= row.items()]

    return {"name": name, "applications": inside(memory().applications), "redis": inside(memory().databases)}


@blueprint.post("/databases/redis")
def create_redis() -> ResponseReturnValue:
    """Create a Redis; its configuration must be in base64."""
    body = taken(REDIS, {"project_uuid", "server_uuid", "environment_name"})
    try:
        body["redis_conf"] = base64.b64decode(body.get("redis_conf", ""), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        refuse(422, "Validation failed.", {"redis_conf": "The redis_conf should be base64 encoded."})
    uuid = memory().uuid("redis")
    memory().databases[uuid] = body
    return {"uuid": uuid, "internal_db_url": _redis_url(uuid)}, 201


@blueprint.get("/databases/<uuid>")
def database(uuid: str) -> ResponseReturnValue:
    """Return a database; its URL only for a token that may read secrets."""
    row = found(memory().databases, uuid, "Database")
    return {"uuid": uuid, "name": row["name"], **({"internal_db_url": _redis_url(uuid)} if memory().sensitive else {})}


def _redis_url(uuid: str) -> str:
    return f"redis://default:{memory().databases[uuid]['redis_password']}@{uuid}:6379/0"


@blueprint.post("/applications/<kind>")
def create_application(kind: str) -> ResponseReturnValue:
    """Create an application from a repository."""
    needs = {"public": set(), "private-deploy-key": {"private_key_uuid"}, "private-github-app": {"github_app_uuid"}}
    if kind not in needs:
        refuse(404, "Not found.")
    uuid, body = memory().uuid("application"), taken(CREATION, REQUIRED | needs[kind])
    # What nobody said is as Coolify makes it.
    memory().applications[uuid] = {"stop_grace_period": 30, "health_check_enabled": False, **body}
    memory().envs[uuid], memory().volumes[uuid] = {}, []
    return {"uuid": uuid, "domains": None}, 201


@blueprint.get("/applications/<uuid>")
def application(uuid: str) -> ResponseReturnValue:
    """Return an application with its settings nested."""
    row = found(memory().applications, uuid, "Application")
    settings = {name: row[name] for name in SETTINGS if name in row}
    return {
        "uuid": uuid,
        **{k: v for k, v in row.items() if k not in SETTINGS and k not in PLACE},
        "settings": settings,
    }


@blueprint.patch("/applications/<uuid>")
def update_application(uuid: str) -> ResponseReturnValue:
    """Change an application; its domains are returned as fqdn."""
    body = taken(FIELDS)
    if "domains" in body:
        body["fqdn"] = body.pop("domains")
    found(memory().applications, uuid, "Application").update(body)
    return {"uuid": uuid}


@blueprint.get("/applications/<uuid>/envs")
def envs(uuid: str) -> ResponseReturnValue:
    """List the variables; values only for a token that may read secrets."""
    rows = found(memory().envs, uuid, "Application").values()
    hidden = () if memory().sensitive else ("value", "real_value")
    return jsonify([{k: v for k, v in row.items() if k not in hidden} for row in rows])


@blueprint.patch("/applications/<uuid>/envs/bulk")
def set_envs(uuid: str) -> ResponseReturnValue:
    """Set variables by key; delete none."""
    rows = found(memory().envs, uuid, "Application")
    for row in taken({"data"}, {"data"})["data"]:
        if not set(row) <= ENV:
            refuse(422, "Validation failed.", {name: ["This field is not allowed."] for name in set(row) - ENV})
        rows[row["key"]] = {"is_buildtime": True, "is_runtime": True, **row, "real_value": row["value"]}
    return jsonify([{"key": key} for key in rows]), 201


@blueprint.get("/applications/<uuid>/storages")
def volumes(uuid: str) -> ResponseReturnValue:
    """List the volumes."""
    return {"persistent_storages": found(memory().volumes, uuid, "Application"), "file_storages": []}


@blueprint.post("/applications/<uuid>/storages")
def add_volume(uuid: str) -> ResponseReturnValue:
    """Add a volume, even a duplicate; its name starts with the application's id."""
    body = taken({"type", "name", "mount_path", "content", "fs_path", "is_directory"}, {"type", "mount_path"})
    row = {"name": f"{uuid}-{body['name']}", "mount_path": body["mount_path"]}
    found(memory().volumes, uuid, "Application").append(row)
    return row, 201


@blueprint.get("/deploy")
def old_deploy() -> ResponseReturnValue:
    """Refuse the deployment call of before 4.2."""
    return {"message": "This endpoint has changed to a POST request."}, 405


@blueprint.post("/deploy")
def deploy() -> ResponseReturnValue:
    """Queue a deployment."""
    application_uuid = taken({"uuid", "force", "tag"}, {"uuid"})["uuid"]
    found(memory().applications, application_uuid, "Application")
    uuid = memory().uuid("deployment")
    memory().deployments[uuid] = list(memory().statuses)
    return {"deployments": [{"message": "Queued.", "resource_uuid": application_uuid, "deployment_uuid": uuid}]}


@blueprint.get("/deployments/<uuid>")
def deployment(uuid: str) -> ResponseReturnValue:
    """Return a deployment's status; each call advances it one step."""
    left = found(memory().deployments, uuid, "Deployment")
    return {"deployment_uuid": uuid, "status": left.pop(0) if len(left) > 1 else left[0]}
