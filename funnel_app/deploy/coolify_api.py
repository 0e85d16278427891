"""Coolify's API; Coolify runs the container in production. https://coolify.io/docs/api-reference (v4.3)."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from funnel_app.gateways.errors import Rejected
from funnel_app.gateways.http.json_api import ask

TIMEOUT_S = 30.0
Row = dict[str, Any]


class Coolify:
    """One Coolify with a token. Raises Unavailable (retry) or Rejected (never retry)."""

    def __init__(self, url: str, token: str) -> None:
        self._api = url.rstrip("/") + "/api/v1"
        self._token = token

    def servers(self) -> list[Row]:
        """Return the servers that the token's team may deploy to."""
        return cast(list[Row], self._call("GET", "/servers"))

    def projects(self) -> list[Row]:
        """Return the team's projects."""
        return cast(list[Row], self._call("GET", "/projects"))

    def create_project(self, name: str) -> str:
        """Create a project and return its uuid."""
        return self._created("/projects", {"name": name})

    def find_environment(self, project: str, name: str) -> Row | None:
        """Return an environment with its applications and databases; None if there is none of that name."""
        try:
            return cast(Row, self._call("GET", f"/projects/{project}/{name}"))
        except Rejected as fault:
            if fault.code == "404":
                return None
            raise

    def create_environment(self, project: str, name: str) -> None:
        """Create an environment in a project."""
        self._call("POST", f"/projects/{project}/environments", {"name": name})

    def create_redis(self, fields: Mapping[str, Any]) -> str:
        """Create and start a Redis, and return its uuid."""
        return self._created("/databases/redis", fields)

    def database(self, uuid: str) -> Row:
        """Return a database; its `internal_db_url` needs a token that may read sensitive data."""
        return cast(Row, self._call("GET", f"/databases/{uuid}"))

    def create_application(self, kind: str, fields: Mapping[str, Any]) -> str:
        """Create an application of a kind (`public`, `private-deploy-key`, `private-github-app`); return its uuid."""
        return self._created(f"/applications/{kind}", fields)

    def application(self, uuid: str) -> Row:
        """Return an application with its settings merged into its fields."""
        found = cast(Row, self._call("GET", f"/applications/{uuid}"))
        return {**found, **(found.get("settings") or {})}

    def update_application(self, uuid: str, fields: Mapping[str, Any]) -> None:
        """Change fields of an application."""
        self._call("PATCH", f"/applications/{uuid}", fields)

    def envs(self, uuid: str) -> list[Row]:
        """Return an application's variables; values need a token that may read sensitive data."""
        return cast(list[Row], self._call("GET", f"/applications/{uuid}/envs"))

    def set_envs(self, uuid: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Set variables by key; others stay."""
        self._call("PATCH", f"/applications/{uuid}/envs/bulk", {"data": list(rows)})

    def volumes(self, uuid: str) -> list[Row]:
        """Return an application's volumes."""
        return cast(list[Row], self._call("GET", f"/applications/{uuid}/storages")["persistent_storages"])

    def add_volume(self, uuid: str, name: str, mount_path: str) -> None:
        """Add a volume. Not safe to repeat: Coolify would add a second."""
        fields = {"type": "persistent", "name": name, "mount_path": mount_path}
        self._call("POST", f"/applications/{uuid}/storages", fields)

    def deploy(self, uuid: str) -> str:
        """Queue a deployment and return its uuid."""
        answer = self._call("POST", "/deploy", {"uuid": uuid, "force": False})
        return str(answer["deployments"][0]["deployment_uuid"])

    def deployment_status(self, uuid: str) -> str:
        """Return a deployment's status: queued, in_progress, finished, failed or cancelled-by-user."""
        return str(self._call("GET", f"/deployments/{uuid}")["status"])

    def _created(self, path: str, fields: Mapping[str, Any]) -> str:
        return str(self._call("POST", path, fields)["uuid"])

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        return ask("coolify", method, self._api + path, TIMEOUT_S, headers=headers, json=body)
