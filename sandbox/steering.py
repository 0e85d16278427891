"""The owner's actions in the demo, and where to see them."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sandbox.processes import ROOT
from sandbox.scenario import Observation
from sandbox.stack import Stack

Emails = Mapping[str, Iterable[Observation]]
FILES, SHIPPED = ROOT / "sandbox/campaigns", ROOT / "funnel_app/campaigns/christmas.toml"
CAMPAIGN, LIST = "workshop.toml", "fair.csv"
CAP = 'at_most = "1 per 20h"'
LETTERS = {
    "workshop_question": ("What would you ask?", "Which question about your salon would you bring to a workshop?"),
    "workshop_promise": ("One day, one plan", "You come with a worry, and you leave with a plan for three months."),
    "workshop_place": ("A place is kept for you", "A place is kept for you until Friday."),
    "workshop_last": ("The last word on it", "This is our last letter about the workshop."),
}
BODY = """<p>Hi {{{{ first_name }}}},</p><p>{words} <a href="{{{{ calendly_link }}}}">Choose your place</a>.</p>
<p><a href="{{{{ unsubscribe_url }}}}">Unsubscribe</a> · {{{{ company_name }}}}, {{{{ company_address }}}}</p>"""
# The second email comes sooner than the file said, and a third one behind it.
BEFORE = 'after = "30d", test_after = 30 },'
AFTER = """after = "3d", test_after = 3 },
  { title = "The last word", template = "workshop_last", after = "4d", test_after = 4 },"""


@dataclass(frozen=True)
class Deed:
    """One action of the owner, after somebody's email was delivered, and where its result is shown."""

    words: str
    act: Callable[[Stack], str]
    after: tuple[str, str, int]
    at: str

    def may_come(self, emails: Emails) -> bool:
        """Return whether it is time."""
        address, sequence, step = self.after
        return any((e.sequence, e.step) == (sequence, step) and e.delivered for e in emails[address])


@contextmanager
def owners_files() -> Iterator[Path]:
    """Keep a folder with the owner's campaign files and list: one campaign of their own, and Christmas with a limit."""
    with TemporaryDirectory(prefix="funnel-campaigns-") as name:
        folder = Path(name)
        (folder / CAMPAIGN).write_text((FILES / CAMPAIGN).read_text())
        (folder / "christmas.toml").write_text(SHIPPED.read_text("utf-8").replace(f"# {CAP}", CAP))
        (folder / LIST).write_text((FILES / LIST).read_text())
        yield folder


def write_letters(stack: Stack) -> None:
    """Write the campaign's letters on the owner's desk."""
    for name, (subject, words) in LETTERS.items():
        body = BODY.format(words=words)
        page = {"Template Name": name, "Subject Line": subject, "Email Body HTML": body, "Status": "Active"}
        stack.fill_in("/desk/templates/new", page)


def _simulate(stack: Stack) -> str:
    return stack.flask("simulate", "lead_nurture", "--then", "maybe +2h")


def _import(stack: Stack) -> str:
    file = _folder(stack) / LIST
    consent = "Paper form at the spring fair in Toronto"
    stack.flask("leads", "import", str(file), "--sequence", "workshop_invite", "--consent", consent, "--yes")
    with file.with_name(f"{LIST}.result.csv").open(encoding="utf-8", newline="") as answers:
        return "\n".join(f"{row['email']}: {row['answer']} {row['reason']}" for row in csv.DictReader(answers))


def _wish(stack: Stack) -> str:
    page = stack.page_of("Contacts", "delivered+bea@resend.dev")
    stack.fill_in(f"/desk/rows/{page}", {"Start sequence": "All year: after the assessment"})
    return "Granted within a minute, and answered in her row."


def _edit(stack: Stack) -> str:
    file = _folder(stack) / CAMPAIGN
    before = file.read_text()
    if BEFORE not in before:
        return f"{CAMPAIGN} is not as it was: somebody else has changed it, so it is left alone."
    file.write_text(before.replace(BEFORE, AFTER))
    # Before the restart: with a file that cannot be used nothing would start again.
    planned = stack.flask("campaigns", "plan")
    away_s = stack.restart_parts()
    applied = stack.flask("campaigns", "apply", "--yes")
    back = f"Funnel was started again, and answered nobody for {away_s:.0f} s."
    return f"{planned}\n{back}\n$ flask campaigns apply --yes\n{applied}"


def _compare(stack: Stack) -> str:
    return stack.flask("campaigns", "experiments")


def _folder(stack: Stack) -> Path:
    return Path(stack.processes.env["CAMPAIGNS_DIR"])


BEA, DANA, IDA = (f"delivered+{name}@resend.dev" for name in ("bea", "dana", "ida"))
DEEDS = (
    Deed(
        "asks what a lead would get who opts in and needs to think, with one marketing email in 20 hours at most",
        _simulate,
        (DANA, "precall_prep", 1),
        "/console/simulate",
    ),
    Deed("wishes in Notion that Bea gets the letters of all year too", _wish, (BEA, "five_day", 5), "/console/log"),
    Deed("imports the list of a fair", _import, (DANA, "noshow_recovery", 1), "/console/leads?campaign=workshop"),
    Deed(
        "changes the workshop's file, asks whom it changes, starts Funnel again to have it read (the console and the "
        "hooks do not answer meanwhile, for up to half a minute), and applies it",
        _edit,
        (DANA, "onboarding_phase1", 1),
        "/console/sequences",
    ),
    Deed(
        "asks which of two texts does better",
        _compare,
        (IDA, "workshop_invite", 1),
        "/console/figures?campaign=workshop",
    ),
)
