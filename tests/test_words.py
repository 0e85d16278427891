"""Words given up for the field's own do not come back in names, log events or pages; CONTRIBUTING lists them."""

import ast
import re

import pytest

from funnel_app.flows.lists import judge
from funnel_app.flows.monitoring.alerts.alarms import ALARMS
from funnel_app.flows.monitoring.alerts.invariants import INVARIANTS
from funnel_app.flows.monitoring.check import TITLES, title_of_check
from funnel_app.flows.monitoring.doctor import CHECKS
from funnel_app.web.console.buttons import BUTTONS
from funnel_app.web.console.shared.frame import PAGES
from sandbox.processes import ROOT
from tests.test_guards import TRACKED

# In two patterns: one that looked at each place for both would take four times as long.
GIVEN_UP = (
    re.compile(
        r"\b(?:disarm|[Mm]end(?:s|ed|ing|able)?\b|anew\b|in hand\b|barred\b|[Aa]rm(?:s|ed|ing)?\b|is_told\b"
        r"|wait_for_turn\b|handed_over\b|hand_over\b|beat\(|vitals\b|flies\b)"
    ),
    re.compile(
        r"begun_again|mind_manners|keepable|why_waiting|wind_up|wound up|unsaid_|add_console|swift_client"
        r"|patient_client|What needs a person|Mend and replay|What the gate says|Examine everything|What we answered"
        r"|_mend|insert_once|tell_receivers|_by_hand\b|arm_horizon|is_proved|place_of|note_unproven|FakeVitals"
        r"|FakeFetches|taken back|begun again|_rounds\("
    ),
)
# These say what the words were.
ABOUT_WORDS = {"funnel_app/logs.py", "CONTRIBUTING.md", "CHANGELOG.md", "tests/test_words.py"}
OWNERS_LETTERS = "migrations/notion/"
READ = [
    name
    for name in TRACKED
    if name.endswith((".py", ".html", ".md")) and name not in ABOUT_WORDS and not name.startswith(OWNERS_LETTERS)
]


def test_words_that_were_given_up_stay_away():
    texts = {name: (ROOT / name).read_text() for name in READ}
    found = {name: [word for words in GIVEN_UP for word in words.findall(text)] for name, text in texts.items()}
    assert {name: words for name, words in found.items() if words} == {}


# The owner's words stand in docs/console.md, under “Words”, each with the one that is said in its place.
NOT_THE_OWNERS = re.compile(
    r"\b(?:gates?|hooks?|webhooks?|queues?|canary|canaries|proved|p\d\d|exited|unexplained|suppress(?:ed|es)?|complained|enrolments?|idempoten\w+)\b"
    r"|counted nowhere",
    re.IGNORECASE,
)
# What a template computes and what only a browser reads; names of commands and settings; what stands in code.
UNSEEN = re.compile(r"{%.*?%}|{{.*?}}|{#.*?#}|<[^>]*>|flask [\w -]+|\b[A-Z]+_[A-Z_]+\b|`[^`]*`", re.DOTALL)


def said_in(path):
    """Return the texts of a module that are more than a name: its docstrings are not among them."""
    tree = ast.parse(path.read_text())
    unsaid = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node)
    }
    texts = [each for each in ast.walk(tree) if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    return [text.value for text in texts if " " in text.value and id(text) not in unsaid]


# Where the reasons are made that stand beside an email, a call or a lead.
REASONS = (
    *(("rules/calls", name) for name in ("begin", "decide")),
    *(("rules/sequences", name) for name in ("exit", "exit_words", "plan")),
    *(("flows/privacy", name) for name in ("suppress", "unsubscribe")),
    *(("flows/lists", name) for name in ("judge", "take")),
    *(("flows/sending", name) for name in ("apply_response", "eligibility", "freeze", "reconcile", "sending_status")),
    *(("flows/templates", name) for name in ("compose", "serving")),
    ("campaigns", "reasons"),
)


def read_by_owners():
    for path in sorted((ROOT / "funnel_app/web/console/pages").glob("*.html")):
        if not path.name.startswith("rq_"):
            yield path.name, path.read_text()
    for kind, alarm in ALARMS.items():
        yield f"alert {kind}", f"{alarm.title} {alarm.meaning} {alarm.fix}"
    for name, broken in INVARIANTS.items():
        yield f"invariant {name}", f"{broken.title} {broken.broken}"
    for verb, button in BUTTONS.items():
        yield f"button {verb}", f"{button.title} {button.happens}"
    for name in ("summaries", "timeline", "unknown_addresses"):
        yield f"trace: {name}", "\n".join(said_in(ROOT / f"funnel_app/flows/tracing/{name}.py"))
    monitoring = ROOT / "funnel_app/flows/monitoring"
    for path in (*sorted((monitoring / "checks").glob("*.py")), monitoring / "check.py", monitoring / "probes/disk.py"):
        names = "|".join(map(re.escape, TITLES))
        said = "\n".join(text for text in said_in(path) if text not in TITLES)
        yield f"checks: {path.stem}", re.sub(rf"^(?:{names})$", " ", said, flags=re.MULTILINE)
    yield "doctor", " ".join(title_of_check(name) for names in CHECKS for name in names.split(", "))
    for room, name in REASONS:
        yield f"reasons: {name}", "\n".join(said_in(ROOT / f"funnel_app/{room}/{name}.py"))
    # A heading that is the name of an alert is where its link leads.
    yield "docs/operations.md", re.sub(r"^### \w+$", "", (ROOT / "docs/operations.md").read_text(), flags=re.MULTILINE)
    yield "docs/lists.md", (ROOT / "docs/lists.md").read_text()
    yield "answers to a list's rows", " ".join(value for value in vars(judge).values() if isinstance(value, str))
    yield "navigation", " ".join(name for _, name in PAGES)
    yield "docs/console.md", (ROOT / "docs/console.md").read_text().partition("## Words")[0]


@pytest.mark.parametrize(("place", "text"), [pytest.param(*each, id=each[0]) for each in read_by_owners()])
def test_owners_read_no_word_that_needs_a_programmer(place, text):
    assert NOT_THE_OWNERS.findall(UNSEEN.sub(" ", text)) == []
