"""Coolify: apply coolify.json, or only report the differences. Safe to repeat."""

import base64
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from funnel_app.deploy.coolify_api import Coolify
from funnel_app.deploy.descriptor import NotApplicable, Source
from funnel_app.environment import plain

MASK = "••••"
POLL_S = 5.0
DEPLOYED_WITHIN_S = 1800.0
# How Coolify calls in its answers what it takes under another name.
ANSWERED_AS = {"domains": "fqdn"}
ENV_FLAGS = {
    "is_preview": False, "is_literal": True, "is_multiline": False, "is_shown_once": False, "is_runtime": True,
    # On by default, and then a secret becomes a build argument, which the image keeps.
    "is_buildtime": False,
}  # fmt: skip

# What an application is made with; all else is changed afterwards.
NEEDED = ("name", "git_branch", "build_pack", "ports_exposes")


@dataclass(frozen=True)
class Change:
    """One difference: what, and how it is fixed; it holds no value of a setting."""

    what: str
    detail: str


@dataclass
class Rollout:
    """One comparison of the descriptor with a Coolify; it changes nothing unless `act` is set."""

    coolify: Coolify
    wanted: Mapping[str, Any]
    values: Mapping[str, str]
    source: Source
    act: bool = False
    resend_values: bool = False
    changes: list[Change] = field(default_factory=list)

    def run(self) -> str | None:
        """Compare everything in order; return the application's uuid, None if it does not exist yet.

        Raises NotApplicable before anything is changed.
        """
        if self.act:
            replace(self, act=False, changes=[]).run()
        project = self._project()
        present = self._environment(project)
        place = {"project_uuid": project, "environment_name": self.wanted["environment"]}
        redis = self._redis(present, place)
        application = self._application(present, place)
        self._fields(application)
        self._volumes(application)
        self._envs(application, redis)
        return application

    def _note(self, what: str, detail: str) -> bool:
        self.changes.append(Change(what, detail))
        return self.act

    def _server(self) -> str:
        servers = {row["name"]: row["uuid"] for row in self.coolify.servers()}
        wanted = self.source.server or (next(iter(servers)) if len(servers) == 1 else None)
        if wanted not in servers:
            raise NotApplicable(f"Name one of Coolify's servers with COOLIFY_SERVER: {', '.join(servers) or 'none'}.")
        return str(servers[wanted])

    def _project(self) -> str | None:
        name = self.wanted["project"]
        found = [row["uuid"] for row in self.coolify.projects() if row["name"] == name]
        if found:
            return str(found[0])
        return self.coolify.create_project(name) if self._note(f"project {name}", "create") else None

    def _environment(self, project: str | None) -> Mapping[str, Any]:
        name = self.wanted["environment"]
        if project is None:
            return {}
        found = self.coolify.find_environment(project, name)
        if found is None and self._note(f"environment {name}", "create"):
            self.coolify.create_environment(project, name)
        return found or {}

    def _redis(self, present: Mapping[str, Any], place: Mapping[str, Any]) -> str | None:
        wanted = self.wanted["redis"]
        if found := _named(present.get("redis"), wanted["name"]):
            return found
        server = self._server()
        if not self._note(f"redis {wanted['name']}", f"create: {wanted['image']}, {', '.join(wanted['conf'])}"):
            return None
        conf = base64.b64encode("\n".join(wanted["conf"]).encode()).decode()
        body = {"name": wanted["name"], "image": wanted["image"], "redis_conf": conf, "instant_deploy": True}
        password = secrets.token_urlsafe(24)
        return self.coolify.create_redis({**place, **body, "server_uuid": server, "redis_password": password})

    def _application(self, present: Mapping[str, Any], place: Mapping[str, Any]) -> str | None:
        wanted = self.wanted["application"]
        found = _named(present.get("applications"), wanted["name"])
        if found:
            return found
        if not self.source.repository:
            raise NotApplicable("The application is not there yet: name its repository with COOLIFY_REPOSITORY.")
        kind, more = self.source.kind()
        more |= {"git_repository": self.source.repository, "server_uuid": self._server()}
        if not self._note(f"application {wanted['name']}", f"create ({kind}): {self.source.repository}"):
            return None
        return self.coolify.create_application(kind, {**place, **self._needed(), **more, "autogenerate_domain": False})

    def _needed(self) -> Mapping[str, Any]:
        return {name: self.wanted["application"][name] for name in NEEDED}

    def _fields(self, application: str | None) -> None:
        domain = self.values.get(self.wanted["env"]["domain_from"], "").rstrip("/")
        wanted = {**self.wanted["application"], **({"domains": domain} if domain else {})}
        present = self.coolify.application(application) if application else self._needed()
        changed = {name: value for name, value in wanted.items() if present.get(ANSWERED_AS.get(name, name)) != value}
        for name, value in changed.items():
            self._note(f"application {name}", f"{present.get(ANSWERED_AS.get(name, name), 'not set')} → {value}")
        if changed and application and self.act:
            self.coolify.update_application(application, changed)

    def _volumes(self, application: str | None) -> None:
        mounted = {row["mount_path"] for row in self.coolify.volumes(application)} if application else set()
        for volume in self.wanted["volumes"]:
            missing = volume["mount_path"] not in mounted
            if missing and self._note(f"volume {volume['mount_path']}", "add") and application:
                self.coolify.add_volume(application, volume["name"], volume["mount_path"])

    def _envs(self, application: str | None, redis: str | None) -> None:
        rows = self.coolify.envs(application) if application else []
        present = {row["key"]: row.get("real_value", row.get("value")) for row in rows if not row.get("is_preview")}
        wanted = dict(self._values())
        self._check_complete({*present, *wanted})
        name = self.wanted["env"]["from_redis"]
        if name not in wanted and name not in present:
            wanted[name] = self._redis_url(redis)
        changed = {key: value for key, value in wanted.items() if self._differs(present, key, value)}
        for key in changed:
            self._note(f"env {key}", f"{'change' if key in present else 'set'} {self._shown(key)}")
        if changed and application and self.act:
            self.coolify.set_envs(application, [{"key": k, "value": v, **ENV_FLAGS} for k, v in changed.items()])

    def _check_complete(self, known: Collection[str]) -> None:
        env = self.wanted["env"]
        missing = [name for name in (*env["required"], *env["secret"]) if name not in known]
        if missing:
            raise NotApplicable(f"These settings have no value: {', '.join(missing)}. Put them in the env file.")

    def _values(self) -> Iterator[tuple[str, str]]:
        env = self.wanted["env"]
        yield from env["fixed"].items()
        names = (*env["required"], *env["secret"], *env["optional"], *env["optional_secret"], env["from_redis"])
        yield from ((name, self.values[name]) for name in names if self.values.get(name))

    def _differs(self, present: Mapping[str, str | None], key: str, value: str) -> bool:
        if key not in present:
            return True
        # None: the token may not read it.
        # Coolify shows a literal value in the quotes that it writes for itself.
        return self.resend_values if present[key] is None else plain(str(present[key])) != plain(value)

    def _redis_url(self, redis: str | None) -> str:
        if redis is None:
            return ""
        url = self.coolify.database(redis).get("internal_db_url")
        if not url:
            raise NotApplicable("The token may not read Redis's address: let it read:sensitive, or set REDIS_URL.")
        return str(url)

    def _shown(self, key: str) -> str:
        return str(self.wanted["env"]["fixed"].get(key, MASK))


def deploy(coolify: Coolify, application: str, sleep: Callable[[float], None]) -> str:
    """Deploy and wait for the end; return Coolify's status, `finished` on success."""
    deployment = coolify.deploy(application)
    status = "queued"
    for _ in range(int(DEPLOYED_WITHIN_S / POLL_S)):
        status = coolify.deployment_status(deployment)
        if status not in {"queued", "in_progress"}:
            break
        sleep(POLL_S)
    return status


def _named(rows: Any, name: str) -> str | None:
    return next((str(row["uuid"]) for row in rows or [] if row["name"] == name), None)
