"""Coolify's API, which runs the container in production. https://coolify.io/docs/api-reference (v4.3)."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from funnel_app.gateways.errors import Rejected
from funnel_app.gateways.http.json_api import ask

TIMEOUT_S = 30.0
Row = dict[str, Any]


class Coolify:
    """One Coolify with a token. Raises Unavailable to try again, Rejected for what will never work."""

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
        """Make a project and return its uuid."""
        return self._created("/projects", {"name": name})

    def find_environment(self, project: str, name: str) -> Row | None:
        """Return an environment with its applications and databases; None where the project has none of that name."""
        try:
            return cast(Row, self._call("GET", f"/projects/{project}/{name}"))
        except Rejected as fault:
            if fault.code == "404":
                return None
            raise

    def create_environment(self, project: str, name: str) -> None:
        """Make an environment in a project."""
        self._call("POST", f"/projects/{project}/environments", {"name": name})

    def create_redis(self, fields: Mapping[str, Any]) -> str:
        """Make a Redis, start it and return its uuid."""
        return self._created("/databases/redis", fields)

    def database(self, uuid: str) -> Row:
        """Return a database; its `internal_db_url` is there only for a token that may read what is sensitive."""
        return cast(Row, self._call("GET", f"/databases/{uuid}"))

    def create_application(self, kind: str, fields: Mapping[str, Any]) -> str:
        """Make an application from a repository (`public`, `private-deploy-key`, `private-github-app`); its uuid."""
        return self._created(f"/applications/{kind}", fields)

    def application(self, uuid: str) -> Row:
        """Return an application, its settings among its own fields."""
        found = cast(Row, self._call("GET", f"/applications/{uuid}"))
        return {**found, **(found.get("settings") or {})}

    def update_application(self, uuid: str, fields: Mapping[str, Any]) -> None:
        """Change fields of an application."""
        self._call("PATCH", f"/applications/{uuid}", fields)

    def envs(self, uuid: str) -> list[Row]:
        """Return an application's variables; the values only for a token that may read what is sensitive."""
        return cast(list[Row], self._call("GET", f"/applications/{uuid}/envs"))

    def set_envs(self, uuid: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Set variables by their key; those that are not named stay."""
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
        """Return where a deployment stands: queued, in_progress, finished, failed or cancelled-by-user."""
        return str(self._call("GET", f"/deployments/{uuid}")["status"])

    def _created(self, path: str, fields: Mapping[str, Any]) -> str:
        return str(self._call("POST", path, fields)["uuid"])

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        return ask("coolify", method, self._api + path, TIMEOUT_S, headers=headers, json=body)
