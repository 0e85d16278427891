"""What the documents name is there: commands as they stand, addresses, files, settings, and all other names."""

import re
import shlex
from itertools import chain

import pytest

from docs.tables import DOCUMENTS
from funnel_app.app import create_app
from funnel_app.campaigns.model import HOOKS, Event
from funnel_app.campaigns.parse import TOP
from funnel_app.campaigns.registry import Registry
from funnel_app.campaigns.sequence_keys import SEQUENCE, STEP
from funnel_app.gateways.resend.answers import AnswerKind
from funnel_app.ledger.database.engine import open_engine
from funnel_app.web.console.buttons import BUTTONS
from sandbox.app import create_sandbox
from sandbox.processes import ROOT
from tests.apps import application
from tests.factories import HOOK_SECRET, make_deps
from tests.naming import NAME, Shell, by_hand, shell_lines, spans, words_of_blocks, words_of_the_code
from tests.test_documents import TEXTS
from tests.test_guards import PYTHON, TRACKED

# What a person makes or mistypes, and what belongs to others: databases, docker, Coolify.
OTHERS = {
    ".env", "production.env", "spring.toml", "KEY.html", "funnel.example.com", "POST /applications/{uuid}/rollback",
    "RETURNING", "--cap-drop ALL", "max_connections", "synchronous_commit=on", "christmas2026", "{{ frist_name }}",
}  # fmt: skip
CONTAINER = ("/data/", "/tmp/")
PROGRAMS = {"make", "flask", "python", "docker", "pytest", "gunicorn", "pre-commit", "."}
FILE = re.compile(r"[\w./*-]+\.(?:py|md|toml|json|html|txt|in|example|yaml)|Dockerfile|Makefile")
HEADER = re.compile(r"[A-Z][\w-]+: ")
POINTER = re.compile(r"\bdocs/((?:decisions|monitoring)/[\w.-]+\.\w+|[\w-]+\.md)\b")
ADDRESS = re.compile(r"(?:(?:GET|POST) )?(/[\w/<>{}.-]*)")


@pytest.fixture(scope="module")
def shell():
    """What resolves the documents' commands."""
    return Shell()


@pytest.fixture(scope="module")
def addresses():
    """Every address of Funnel and of its stand-ins, in parts; a part that is left open is a star."""
    funnel = create_app(make_deps(open_engine("sqlite://")))
    rules = chain(funnel.url_map.iter_rules(), create_sandbox().url_map.iter_rules())
    return [re.sub(r"<[^>]+>", "*", rule.rule).strip("/").split("/") for rule in rules]


# The blocks of docs/website-integration.md are run, against real processes, by the test of that name.
@pytest.mark.parametrize("name", sorted({*TEXTS} - {"docs/website-integration.md"}))
def test_every_command_can_be_typed_as_it_stands(shell, name):
    told = ((line, shell.fault(line)) for line in shell_lines((ROOT / name).read_text()))
    assert [f"{line.strip()}: {fault}" for line, fault in told if fault] == []


@pytest.mark.parametrize("name", TEXTS)
def test_every_name_between_backticks_is_somewhere(shell, addresses, name):
    text = (ROOT / name).read_text()
    known = words_of_the_code() | words_of_blocks(text)
    told = ((span, _fault(shell, addresses, known, span)) for span in spans(text) if span not in OTHERS)
    assert [f"{span}: {fault}" for span, fault in told if fault] == []


def _fault(shell, addresses, known, span):
    """Return what is wrong with a span of code, by what its form says that it is; None where nothing is."""
    first = span.split()[0].removeprefix(".venv/bin/")
    if (first in PROGRAMS and " " in span) or first in shell.commands:
        return next(filter(None, (shell.fault(one, whole=False) for one in _each(shell, span))), None)
    if span.startswith("--"):
        return None if shell.has_option(first) else "no command has this option"
    if found := ADDRESS.fullmatch(span):
        kept = f"{found[1]}/".startswith(CONTAINER)
        return None if kept or _is_served(addresses, known, found[1]) else "nothing is served there"
    if FILE.fullmatch(span):
        wanted = re.compile(rf"(.*/)?{re.escape(span).replace(chr(92) + '*', '[^/]*')}")
        return None if any(wanted.fullmatch(path) for path in TRACKED) else "there is no such file"
    if (ROOT / span).exists():
        return None
    if (setting := NAME.fullmatch(span.split("=")[0])) and "_" in setting[0]:
        return shell.setting_fault(span)
    unknown = [word for word in re.findall(r"\w{3,}", span) if not {word, word.strip("_")} & known]
    return f"the code has no {', '.join(unknown)}" if unknown else None


def _each(shell, span):
    """Go through the commands of `flask notion check|init`, and put `flask` before what is named without it."""
    span = span if span.split()[0].removeprefix(".venv/bin/") in PROGRAMS else f"flask {span}"
    words = span.split()
    which = next((at for at, word in enumerate(words) if "|" in word), None)
    if which is None:
        return [span]
    return [" ".join([*words[:which], one, *words[which + 1 :]]) for one in words[which].split("|")]


def _is_served(addresses, known, path):
    """Say whether an address is one of these, or the beginning of some, and says only what there is."""
    if set(re.findall(r"\w+", re.sub(r"<[^>]+>|\{[^}]+\}", "", path))) - known:
        return False
    wanted = re.sub(r"<[^>]+>|\{[^}]+\}", "*", path).strip("/").split("/")
    return any(
        len(served) >= len(wanted) and all("*" in (a, b) or a == b for a, b in zip(wanted, served, strict=False))
        for served in addresses
    )


@pytest.mark.parametrize("name", ["README.md", "docs/new-campaign.md", "docs/testing.md"])
def test_every_call_in_a_document_is_answered_well(sqlite, name):
    (example,) = re.findall(r"(?s)```toml\n(.+?)```", (ROOT / "docs/new-campaign.md").read_text())
    deps = make_deps(sqlite)
    object.__setattr__(
        deps, "registry", Registry({**deps.registry.campaigns, **Registry.load({"spring.toml": example}).campaigns})
    )
    servers = {"$PUBLIC_URL": application(deps).test_client(), "$SANDBOX_URL": create_sandbox().test_client()}
    calls = [shlex.split(line) for line in shell_lines((ROOT / name).read_text()) if line.startswith("curl")]
    assert calls
    for call in calls:
        (url,) = [word for word in call if word.startswith("$")]
        headers = dict(word.replace("$HOOK_SECRET", HOOK_SECRET).split(": ") for word in call if HEADER.match(word))
        server, _, path = url.partition("/")
        answer = servers[server].post(f"/{path}", data=call[call.index("-d") + 1], headers=headers)
        assert answer.status_code in {200, 202}, (call, answer.text)


def rows_of(name, heading):
    """Return the first cells' names of the table under these words of its heading."""
    text = by_hand((ROOT / name).read_text())
    (table,) = re.findall(rf"(?m)^{re.escape(heading)}.*\n\|[-| ]+\n((?:\|.*\n)+)", text)
    return [line.split(" | ")[0].removeprefix("| ") for line in table.splitlines()]


def test_the_table_of_answers_has_every_answer():
    text = (ROOT / "ARCHITECTURE.md").read_text()
    (table,) = re.findall(r"(?s)\| Resend's answer \|.*?\n\n", text)
    assert set(re.findall(r"(?m)^\|[^|]+\| `(\w+)` \|", table)) == {kind.value for kind in AnswerKind}


def test_the_keys_of_a_campaign_are_those_that_are_read():
    text = (ROOT / "docs/new-campaign.md").read_text()
    named = set(re.findall(r"\w+", " ".join(spans(text)))) | set(re.findall(r"(?m)(\w+) = ", text))
    assert {*HOOKS, *(event.value for event in Event), *TOP, *SEQUENCE, *STEP} - named == set()


def test_every_button_of_the_table_is_in_the_console():
    pages = " ".join(path.read_text() for path in (ROOT / "funnel_app/web/console/pages").glob("*.html"))
    titles = {button.title for button in BUTTONS.values()}
    named = {label for cell in rows_of("docs/console.md", "| button |") for label in cell.split(", ")}
    assert [label for label in named if label not in titles and f">{label}<" not in pages] == []
    assert titles - named == set()


def test_every_room_is_in_the_house():
    (house,) = re.findall(r"(?s)## The house\n.*?```\n(.*?)```", (ROOT / "ARCHITECTURE.md").read_text())
    rooms = {"/".join(path.split("/")[:2]) for path in TRACKED if path.startswith("funnel_app/")}
    names = {room.split("/")[1] for room in rooms} - {"__init__.py"}
    assert [name for name in names if not re.search(rf"\b{re.escape(name)}\b", house)] == []
    folders = {path.split("/")[0] for path in TRACKED if "/" in path and not path.startswith(".")}
    assert [folder for folder in folders if f"{folder}/" not in house] == []


def test_every_folder_of_tests_is_on_the_page_about_testing():
    page = (ROOT / "docs/testing.md").read_text()
    folders = {path.split("/")[1] for path in TRACKED if path.startswith("tests/") and path.count("/") > 1}
    assert [folder for folder in folders if f"`tests/{folder}/`" not in page] == []


def test_every_document_can_be_reached_from_the_readme():
    links = set(re.findall(r"\]\(([^)#]+)\)", (ROOT / "README.md").read_text()))
    wanted = {name for name in TEXTS if not name.startswith("docs/decisions/")} - {"README.md"}
    assert wanted - links - {"docs/commands.md"} == set() and "docs/commands.md" in links
    assert set(DOCUMENTS) <= wanted | {"README.md"}


def test_every_document_that_the_code_or_another_document_points_to_is_there():
    told = ((name, said) for name in [*PYTHON, *TEXTS] for said in POINTER.findall((ROOT / name).read_text()))
    assert [(name, said) for name, said in told if f"docs/{said}" not in TRACKED] == []
