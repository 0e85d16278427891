"""Guards: what must hold for the whole repository, whoever changes it."""

import ast
import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from docs.settings_table import default_settings
from funnel_app.config import Settings
from funnel_app.gateways.redis import job_names
from funnel_app.setting_rows import row_of, rows_of
from jobs.start import UNUSED
from sandbox.processes import ROOT, development_env

TRACKED = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
TEXTS = [name for name in TRACKED if not name.endswith((".png", ".pdf", ".ico")) and (ROOT / name).is_file()]
PYTHON = [name for name in TEXTS if name.endswith(".py") and not name.startswith(("tests/", "migrations/versions"))]

OPEN_TO_ALL = {
    "api-docs.openapi_json": "the description of the hooks, which is no secret",
    "console.login": "asks who it is, and shows nothing else",
    "console.try_login": "takes the password; without the form's token it is refused (403), and tries are throttled",
    "docs.asset": "a part of Swagger UI",
    "docs.page": "the description of the hooks for people",
    "docs.start": "the script of that page",
    "static": "the console's style sheet, script and icon, which hold no secret",
    "rq_dashboard.static": "rq-dashboard's own scripts and style sheets, as it is published",
    "front_door.open_console": "leads to the console, which asks for a login",
    "health.healthz": "says only that the process lives",
    "health.readyz": "says only whether all parts are there, and no reasons",
    "playbook.show": "the playbook is for everybody who follows the link in an email",
    "unsubscribe.ask": "the token in the path is the proof, and GET changes nothing",
    "unsubscribe.leave": "the token in the path is the proof (RFC 8058 wants no login)",
}


def test_every_route_has_a_proof_or_stands_on_the_list_of_open_ones(app, client):
    unproved = set()
    for number, rule in enumerate(app.url_map.iter_rules()):
        caller = {"REMOTE_ADDR": f"203.0.113.{number}"}
        path = re.sub(r"<[^>]+>", "christmas", rule.rule)
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            answer = client.open(path, method=method, json={}, environ_overrides=caller)
            if not is_refused(answer, method):
                unproved.add(rule.endpoint)
    assert unproved == set(OPEN_TO_ALL)


def is_refused(answer, method) -> bool:
    """401; or, for a person who only wants to read a page of the console, the way to its login and nothing else."""
    to_login = method == "GET" and answer.status_code == 303 and answer.location.startswith("/console/login?next=")
    return answer.status_code == 401 or to_login


@pytest.mark.parametrize(
    "name", [job_names.DELIVER, job_names.REPEAT, job_names.RECHECK, job_names.RECONCILE, job_names.MIRROR]
)
def test_every_queued_name_resolves(name):
    module, _, function = name.rpartition(".")
    assert callable(getattr(importlib.import_module(module), function))


def read_settings() -> set[str]:
    return {row.name for row in rows_of(Settings)}


def required_settings() -> set[str]:
    return {row.name for row in rows_of(Settings) if row.is_required}


def test_the_example_names_every_setting_and_the_optional_ones_as_comments_with_their_defaults():
    lines = [line for line in (ROOT / ".env.example").read_text().splitlines() if "=" in line]
    given = dict(line.split("=", 1) for line in lines if line[0] != "#")
    optional = dict(line.removeprefix("# ").split("=", 1) for line in lines if line[0] == "#")
    assert len(given) == 12 and set(given) == required_settings()
    of_compose = {"REDIS_PASSWORD", "POSTGRES_PASSWORD"}
    ours = {name: default for name, default in optional.items() if name not in of_compose}
    assert ours == {name: default for name, default in default_settings().items() if default is not None}


def test_coolify_is_told_of_every_setting_once_and_which_are_secret():
    env = json.loads((ROOT / "coolify.json").read_text())["env"]
    secret = [*env["secret"], *env["optional_secret"], env["from_redis"]]
    named = [*env["fixed"], *env["required"], *env["optional"], *secret]
    assert sorted(named) == sorted(read_settings()), "coolify.json and config.py differ"
    assert {*env["required"], *env["secret"]} == required_settings()
    assert set(secret) == {row_of(each).name for each in fields(Settings) if not each.repr}


def test_every_module_and_public_function_says_what_it_promises():
    assert {name: found for name in PYTHON if (found := list(without_docstring(name)))} == {}


def without_docstring(name: str) -> Iterator[str]:
    tree = ast.parse((ROOT / name).read_text())
    if tree.body and not ast.get_docstring(tree):
        yield "the module"
    for node in tree.body:
        named = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
        if named and not ast.get_docstring(node):
            yield node.name


# Written in parts, so that this file does not find itself.
FORBIDDEN = {
    "a path of somebody's machine": re.compile("/ro" + "ot/|/ho" + r"me/\w+/|/wo" + "rk/"),
    "a package registry's host": re.compile("index" + "-url|pythonho" + r"sted\.org|pyp" + r"i\.org"),
    "a live secret": re.compile(r"\b(re_[A-Za-z0-9]{20,}|ntn_[A-Za-z0-9]{30,}|sk_live_\w+)"),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds_what_must_not_be_public(what):
    assert {name: lines[:3] for name in TEXTS if (lines := lines_with(FORBIDDEN[what], name))} == {}


def lines_with(pattern: re.Pattern[str], name: str) -> list[str]:
    text = (ROOT / name).read_text(errors="replace")
    # Most files have none, and are not taken into lines for that.
    lines = text.splitlines() if pattern.search(text) else []
    return [line for line in lines if pattern.search(line) and "no-emit-index" not in line]


# What may end in such a message: seldom more than one line has to be understood.
COMPARED_LAST = re.compile(r"^ *((?:assert |[)\]}]).*, .* (?:[=!<>]=|[<>]|in|is) .*)", re.MULTILINE)


def test_no_assertion_has_a_comparison_for_its_message():
    """Of `assert a, b == c` only `a` is looked at."""
    tests = (name for name in TEXTS if re.match(r"tests/.*\.py$", name))
    assert {name: found for name in tests if (found := list(compared_in_vain((ROOT / name).read_text())))} == {}
    in_vain = "assert a, b == c\nassert f(\n  a,\n), b in c\nassert a == b, c\n"
    assert set(compared_in_vain(in_vain)) == {"assert a, b == c", "assert f(a), b in c"}


def compared_in_vain(text: str) -> Iterator[str]:
    for line in COMPARED_LAST.finditer(text):
        nodes = ast.walk(parsed(line[1]) or ast.parse(text))
        asserts = (node for node in nodes if isinstance(node, ast.Assert))
        yield from (ast.unparse(node) for node in asserts if isinstance(node.msg, ast.Compare | ast.BoolOp))


def parsed(line: str) -> ast.Module | None:
    try:
        return ast.parse(line)
    except SyntaxError:
        return None


def test_requirements_are_pinned_in_full():
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text().splitlines():
            if line.strip() and not line.lstrip().startswith(("#", "-")):
                assert re.match(r"^[a-zA-Z0-9._-]+(\[[a-z,]+\])?==[^ ]+", line), f"{name}: {line}"


PRINTING = {"funnel_app/commands/plain_text.py", "funnel_app/commands/terminal.py"}


@pytest.mark.parametrize("name", [n for n in PYTHON if n.startswith("funnel_app/commands/") and n not in PRINTING])
def test_commands_print_by_one_rule_which_no_strangers_text_passes(name):
    """What strangers typed may hold what a terminal obeys: only `say` and `Terminal` print."""
    others = r"click\.s?echo|(?<![.\w])print\(|sys\.std(?:out|err)(?!\.flush)|import Console"
    assert not re.search(others, (ROOT / name).read_text())


def test_files_stay_short_enough_to_read():
    long = {name: len((ROOT / name).read_text().splitlines()) for name in PYTHON}
    assert {name: count for name, count in long.items() if count > 280} == {}


def test_the_house_has_only_the_rooms_that_it_should():
    allowed = {
        "funnel_app", "jobs", "migrations", "tests", "sandbox", "assets", "bench", "docs", "Dockerfile", "coolify.json",
        "compose.yaml", ".dockerignore", "SECURITY.md", "CONTRIBUTING.md", "LICENSE", ".pre-commit-config.yaml",
        "wsgi.py", "gunicorn.conf.py", "requirements.txt", "requirements.in", "requirements-dev.txt",
        "requirements-dev.in", "Makefile", ".editorconfig",
        "README.md", "ARCHITECTURE.md", "CHANGELOG.md", "pyproject.toml", ".ci", ".env.example", ".gitignore",
    }  # fmt: skip
    assert {Path(name).parts[0] for name in TRACKED} <= allowed


NEVER_IN = {
    "jobs.worker": ("flask", "alembic", "prometheus_client", "rq_dashboard", "gunicorn", "weasyprint", "sentry_sdk"),
    "jobs.scheduler": ("flask", "alembic", "prometheus_client", "rq_dashboard", "gunicorn", "weasyprint"),
    "jobs.all_parts": ("alembic", "weasyprint", "psycopg", "rich.console", "markdown_it", "funnel_app.commands.trace"),
}


def test_no_part_imports_what_it_never_uses(tmp_path):
    """In one process, the smallest part first: what none of them has, is not in memory."""
    program = f"""
import importlib, sys
sys.modules.update(dict.fromkeys({UNUSED}))
for part, never in {NEVER_IN}.items():
    importlib.import_module(part)
    print(*(f"{{part}} imports {{name}}" for name in never if name in sys.modules), sep=chr(10))
"""
    env = development_env(
        folder=tmp_path, web_port=1, sandbox_url="http://127.0.0.1:1", redis_url="redis://127.0.0.1:1", interval_s=60
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n") == [""] * 4


def test_what_runs_before_a_commit_is_what_ci_runs():
    makefile, ci = (ROOT / "Makefile").read_text(), (ROOT / ".ci/run").read_text()
    hooks = re.findall(r"entry: make (\w+)", (ROOT / ".pre-commit-config.yaml").read_text())
    recipes = dict(re.findall(r"(?ms)^([a-z-]+):(.*?)\n\n", re.sub(r"##.*", "", makefile)))
    assert {"suite", "types", "pages"} <= set(recipes["test"].split()) and "make test" in ci
    # The guards are tests, and so among all of them.
    assert set(hooks) - {"guards"} <= set(re.findall(r"\w+", recipes["suite"] + recipes["types"]))
    assert re.search(r"^guards: floors ##.*?\n.*?pytest .*?tests/test_guards\.py", makefile, re.MULTILINE | re.DOTALL)


TAKES_ALL = re.compile(r"^def (\w+)\(([^()]*\bdeps: Deps\b.*?)\) -> [^\n]*:\n(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
CAUGHT_FOR_OTHERS = {
    "funnel_app/ledger/database/group_commit.py": "each caller of the group raises its own",
    "jobs/web_answer.py": "most are a caller's malformed request; Flask tells Sentry of its own",
}


def test_an_error_that_nobody_foresaw_is_reported_or_raised_wherever_it_is_caught():
    found = (
        (name, ast.unparse(handler.body[-1]), {ast.unparse(node.func) for node in calls_of(handler)})
        for name in PYTHON
        if name.startswith(("funnel_app/", "jobs/"))
        for handler in ast.walk(ast.parse((ROOT / name).read_text()))
        if isinstance(handler, ast.ExceptHandler) and (not handler.type or ast.unparse(handler.type) in CATCHES_ALL)
    )
    silent = {name for name, last, called in found if last != "raise" and "report" not in called}
    assert silent == set(CAUGHT_FOR_OTHERS)


CATCHES_ALL = {"Exception", "BaseException"}


def calls_of(handler):
    return (node for node in ast.walk(handler) if isinstance(node, ast.Call))


# Tables elsewhere hold these beside others: the doctor's checks, and what a button is about.
IN_TABLES = ("funnel_app/flows/monitoring/checks/", "funnel_app/flows/console/subjects.py: of_contact")


def test_a_function_that_uses_one_collaborator_takes_that_one():
    """But where a table holds the function beside others: they are all called alike."""
    texts = {name: (ROOT / name).read_text() for name in PYTHON if name.startswith("funnel_app/")}
    found = ((name, text, *match.groups()) for name, text in texts.items() for match in TAKES_ALL.finditer(text))
    assert [
        told
        for name, text, function, _, body in found
        if len(uses := set(re.findall(r"\bdeps\b(?:\.(\w+))?", body))) == 1
        and "" not in uses
        and not re.search(rf"(?<!def )\b{function}\b(?!\()", text)
        and not (told := f"{name}: {function}").startswith(IN_TABLES)
    ] == []
