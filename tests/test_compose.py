"""compose.yaml and coolify.json describe one container and one Redis; tests/process/test_compose.py brings it up."""

import json
import re
from pathlib import Path

import pytest
import yaml

from funnel_app.setting_meanings import MEANINGS
from sandbox.processes import ROOT

COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
COOLIFY = json.loads((ROOT / "coolify.json").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
FUNNEL, REDIS, POSTGRES = (COMPOSE["services"][name] for name in ("funnel", "redis", "postgres"))


def seconds(written: str) -> int:
    return int(written.removesuffix("s"))


def of_compose() -> dict[str, object]:
    health = FUNNEL["healthcheck"]
    return {
        "health": " ".join(health["test"][1:]),
        **{name: seconds(health[name]) for name in ("interval", "timeout", "start_period")},
        "retries": health["retries"],
        "grace": seconds(FUNNEL["stop_grace_period"]),
        "port": FUNNEL["ports"][0].rpartition(":")[2],
        "volumes": dict(volume.split(":") for volume in FUNNEL["volumes"]),
        "redis": REDIS["image"],
    }


def of_coolify() -> dict[str, object]:
    application = COOLIFY["application"]
    return {
        "health": application["health_check_command"],
        **{name: application[f"health_check_{name}"] for name in ("interval", "timeout", "start_period", "retries")},
        "grace": application["stop_grace_period"],
        "port": application["ports_exposes"],
        "volumes": {volume["name"]: volume["mount_path"] for volume in COOLIFY["volumes"]},
        "redis": COOLIFY["redis"]["image"],
    }


def test_both_descriptions_are_one():
    assert of_compose() == of_coolify()


def test_the_image_has_the_same_health_check():
    check = FUNNEL["healthcheck"]
    wanted = f"--interval={check['interval']} --timeout={check['timeout']} --start-period={check['start_period']}"
    assert f"HEALTHCHECK {wanted} --retries={check['retries']} CMD {json.dumps(check['test'][1:])}" in DOCKERFILE


def test_redis_is_set_up_alike_and_wants_a_password():
    words = REDIS["command"][1:]
    given = {name.removeprefix("--"): value for name, value in zip(words[::2], words[1::2], strict=True)}
    assert given.pop("requirepass") == "${REDIS_PASSWORD}"
    assert [f"{name} {value}" for name, value in given.items()] == COOLIFY["redis"]["conf"]


def test_what_is_set_there_is_a_setting_and_the_rest_comes_from_the_file_as_it_stands():
    assert set(FUNNEL["environment"]) <= set(MEANINGS)
    assert FUNNEL["env_file"] == [{"path": ".env", "format": "raw"}]


def test_it_runs_with_as_few_rights_as_the_readme_says():
    assert FUNNEL["read_only"] and FUNNEL["tmpfs"] == ["/tmp"] and FUNNEL["cap_drop"] == ["ALL"]
    assert FUNNEL["security_opt"] == ["no-new-privileges:true"]
    assert FUNNEL["depends_on"]["redis"]["condition"] == "service_healthy"
    assert POSTGRES["profiles"] == ["postgres"] and "UTF8" in POSTGRES["environment"]["POSTGRES_INITDB_ARGS"]


@pytest.mark.parametrize("service", COMPOSE["services"])
def test_every_service_says_whether_it_is_healthy_and_keeps_what_it_writes(service):
    found = COMPOSE["services"][service]
    assert found["healthcheck"]["test"][0] == "CMD" and found["restart"] == "unless-stopped"
    assert all(volume.partition(":")[0] in COMPOSE["volumes"] for volume in found["volumes"])


def test_what_must_be_in_the_file_is_named(tmp_path: Path):
    asked = re.findall(r"\$\{(\w+)", (ROOT / "compose.yaml").read_text())
    example = (ROOT / ".env.example").read_text()
    assert set(asked) == {"REDIS_PASSWORD", "POSTGRES_PASSWORD"}
    assert all(f"{name}=" in example for name in asked)
