"""coolify.json is brought about over real HTTP on a stand-in that refuses what Coolify refuses."""

import json
import re
import threading

import pytest
from click.testing import CliRunner
from werkzeug.serving import make_server

from funnel_app.commands.coolify import group
from sandbox.coolify import create_coolify
from sandbox.processes import ROOT
from sandbox.server import QuietHandler
from tests.test_config import GOOD

TOKEN = "token-of-tests"
REPOSITORY = "https://git.businessx.example/funnel.git"


class Running:
    """A Coolify that listens, and the command pointed at it."""

    def __init__(self, folder, sensitive=True):
        app = create_coolify(TOKEN, sensitive)
        self.memory = app.extensions["coolify"]
        self.server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=QuietHandler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.env_file = folder / "production.env"
        self.write(**GOOD)

    def write(self, **values):
        self.env_file.write_text("".join(f"{name}='{value}'\n" for name, value in values.items()))

    def run(self, *arguments, **env):
        given = {"COOLIFY_URL": self.url, "COOLIFY_TOKEN": TOKEN, "COOLIFY_REPOSITORY": REPOSITORY, **env}
        command = [*arguments, "--env-file", str(self.env_file), "--file", str(ROOT / "coolify.json")]
        return CliRunner().invoke(group, command, env=given)

    def only(self, table):
        (row,) = getattr(self.memory, table).values()
        return row


@pytest.fixture
def coolify(tmp_path, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    running = Running(tmp_path)
    yield running
    running.server.shutdown()
    running.server.server_close()


@pytest.fixture
def discreet(tmp_path):
    """A Coolify whose token may not read secrets."""
    running = Running(tmp_path, sensitive=False)
    yield running
    running.server.shutdown()
    running.server.server_close()


def test_a_plan_tells_everything_and_changes_nothing(coolify):
    done = coolify.run("plan")
    assert done.exit_code == 0, done.output
    for what in ("project funnel", "redis funnel-redis", "application funnel", "volume /data", "env HOOK_SECRET"):
        assert what in done.output
    assert {method for method, _ in coolify.memory.calls} == {"GET"} and coolify.memory.projects == {}


def test_values_that_no_container_would_start_with_are_refused_before_anything_is_asked(coolify):
    coolify.write(**{**GOOD, "HOOK_SECRET": "$(openssl rand -hex 32)"})
    with coolify.env_file.open("a") as file:
        file.write("COMPANY_ADDRESS=1 Market Street #4, Toronto\n")
    done = coolify.run("apply")
    assert done.exit_code == 1 and "COMPANY_ADDRESS has a # in it" in done.output
    assert "HOOK_SECRET stands for another value" in done.output and not coolify.memory.calls


def test_no_value_is_ever_shown(coolify):
    said = coolify.run("plan").output + coolify.run("apply").output
    assert not [value for name, value in GOOD.items() if name.endswith(("KEY", "SECRET", "TOKEN")) and value in said]
    assert "••••" in said


def test_an_empty_coolify_becomes_a_deployed_funnel(coolify):
    planned = re.search(r"(\d+) to change", coolify.run("plan").output)
    done = coolify.run("apply")
    assert done.exit_code == 0 and "The deployment is finished." in done.output
    assert planned and f"\n{planned[1]} changed." in done.output, "apply does what plan said"
    application, redis = coolify.only("applications"), coolify.only("databases")
    assert application["git_repository"] == REPOSITORY and application["fqdn"] == "https://funnel.example"
    assert application["stop_grace_period"] == 15 and application["health_check_command"] == "python -m jobs.health"
    assert "maxmemory-policy noeviction" in redis["redis_conf"] and "appendonly yes" in redis["redis_conf"]
    assert [volume["mount_path"] for volume in coolify.only("volumes")] == ["/data"]
    envs = coolify.only("envs")
    assert envs["REDIS_URL"]["value"].startswith("redis://default:") and envs["ROLE"]["value"] == "all"
    assert {name: envs[name]["value"] for name in GOOD} == GOOD
    assert not any(row["is_buildtime"] for row in envs.values()), "a build argument stays in the image"


def test_a_second_apply_changes_nothing_and_deploys_nothing(coolify):
    coolify.run("apply")
    calls = len(coolify.memory.calls)
    done = coolify.run("apply")
    assert done.exit_code == 0 and done.output == "Nothing to change.\n"
    assert {method for method, _ in coolify.memory.calls[calls:]} == {"GET"}
    assert "The deployment is finished." in coolify.run("apply", "--deploy").output


def test_one_changed_value_is_the_one_change(coolify):
    coolify.run("apply")
    coolify.write(**{**GOOD, "COMPANY_NAME": "BusinessY"})
    done = coolify.run("apply", "--no-deploy")
    assert done.output.splitlines()[0].split() == ["env", "COMPANY_NAME", "change", "••••"]
    assert coolify.only("envs")["COMPANY_NAME"]["value"] == "BusinessY" and len(coolify.memory.deployments) == 1


def test_what_somebody_changed_in_coolify_is_put_right(coolify):
    coolify.run("apply")
    coolify.only("applications")["stop_grace_period"] = 30
    coolify.only("volumes").clear()
    done = coolify.run("plan")
    assert "30 → 15" in done.output and "volume /data" in done.output and "2 to change" in done.output


def test_a_value_that_only_coolify_has_is_enough(coolify):
    coolify.run("apply")
    coolify.write(TESTING_MODE="true")
    done = coolify.run("plan")
    assert done.exit_code == 0 and "1 to change" in done.output


def test_a_missing_value_stops_before_anything_is_made(coolify):
    coolify.write(**{**GOOD, "HOOK_SECRET": ""})
    done = coolify.run("apply")
    assert done.exit_code == 1 and "These settings have no value: HOOK_SECRET." in done.output
    assert coolify.memory.projects == {}


def test_a_deployment_that_fails_is_told(coolify):
    coolify.memory.statuses = ["queued", "failed"]
    done = coolify.run("apply")
    assert done.exit_code == 1 and "The deployment is failed." in done.output


def test_a_token_that_may_not_read_secrets_leaves_them_unless_told_otherwise(discreet):
    done = discreet.run("apply")
    assert done.exit_code == 1 and "let it read:sensitive, or set REDIS_URL" in done.output
    discreet.write(**GOOD, REDIS_URL="redis://10.0.0.5:6379/0")
    discreet.run("apply", "--no-deploy")
    discreet.write(**{**GOOD, "COMPANY_NAME": "BusinessY"})
    assert discreet.run("plan").output == "Nothing to change.\n"
    assert "env COMPANY_NAME" in discreet.run("plan", "--resend-values").output


@pytest.mark.parametrize(
    ("env", "kind"),
    [("COOLIFY_PRIVATE_KEY_UUID", "private-deploy-key"), ("COOLIFY_GITHUB_APP_UUID", "private-github-app")],
)
def test_a_repository_that_is_not_public_comes_with_its_key(coolify, env, kind):
    done = coolify.run("apply", "--no-deploy", **{env: "key-1"})
    assert done.exit_code == 0 and f"create ({kind})" in done.output


@pytest.mark.parametrize(
    ("env", "words"),
    [
        ({"COOLIFY_TOKEN": "wrong"}, "401 Unauthenticated."),
        ({"COOLIFY_REPOSITORY": ""}, "name its repository with COOLIFY_REPOSITORY"),
        ({"COOLIFY_SERVER": "elsewhere"}, "Name one of Coolify's servers with COOLIFY_SERVER: localhost."),
        ({"COOLIFY_URL": "http://127.0.0.1:1"}, "coolify: cannot be reached"),
        ({"COOLIFY_URL": "coolify.example.com"}, "coolify.example.com/api/v1/projects is no web address"),
    ],
)
def test_what_keeps_it_from_working_is_told(coolify, env, words):
    done = coolify.run("apply", **env)
    assert done.exit_code == 1 and words in done.output and "Traceback" not in done.output


def test_whoever_forgets_where_coolify_is_reads_the_name_of_the_setting():
    done = CliRunner().invoke(group, ["plan"], env={"COOLIFY_URL": None})
    assert done.exit_code == 2 and "COOLIFY_URL" in done.output


def test_another_environment_is_made_where_it_is_missing(coolify, tmp_path):
    changed = json.loads((ROOT / "coolify.json").read_text()) | {"environment": "staging"}
    file = tmp_path / "staging.json"
    file.write_text(json.dumps(changed))
    env = {"COOLIFY_URL": coolify.url, "COOLIFY_TOKEN": TOKEN, "COOLIFY_REPOSITORY": REPOSITORY}
    command = ["apply", "--no-deploy", "--env-file", str(coolify.env_file), "--file", str(file)]
    assert CliRunner().invoke(group, command, env=env).exit_code == 0
    assert coolify.only("projects")["environments"] == {"production", "staging"}


@pytest.mark.parametrize(
    ("text", "words"), [("{", "is not JSON"), ('{"version": 2}', "Missing data for required field")]
)
def test_a_descriptor_with_a_fault_is_refused(coolify, tmp_path, text, words):
    (tmp_path / "broken.json").write_text(text)
    done = CliRunner().invoke(group, ["plan", "--file", str(tmp_path / "broken.json")], env={
        "COOLIFY_URL": coolify.url, "COOLIFY_TOKEN": TOKEN})  # fmt: skip
    assert done.exit_code == 1 and words in done.output


def test_a_field_that_coolify_does_not_know_is_told_in_its_words(coolify, tmp_path):
    changed = json.loads((ROOT / "coolify.json").read_text())
    changed["application"]["start_command"] = "gunicorn"
    (tmp_path / "c.json").write_text(json.dumps(changed))
    env = {"COOLIFY_URL": coolify.url, "COOLIFY_TOKEN": TOKEN, "COOLIFY_REPOSITORY": REPOSITORY}
    done = CliRunner().invoke(
        group, ["apply", "--env-file", str(coolify.env_file), "--file", str(tmp_path / "c.json")], env=env
    )
    assert done.exit_code == 1 and "start_command: This field is not allowed." in done.output
