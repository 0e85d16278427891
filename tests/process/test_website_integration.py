"""Every example of docs/website-integration.md does what the page says, against a real web process."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from sandbox.processes import ROOT, Processes
from tests.pace import patient

pytestmark = pytest.mark.process(lasts_s=1)

PAGE = (ROOT / "docs/website-integration.md").read_text("utf-8")
WRITTEN_ON = date(2026, 11, 24)
SIGNUP, BOOKING = "christmas-signup-handler", "christmas-precall-prep-handler"
HANDLERS = {
    "Opt-in": SIGNUP,
    "Assessment": SIGNUP,
    "Booking": BOOKING,
    "No-show": "christmas-noshow-recovery-handler",
    "Maybe": "christmas-postcall-maybe-handler",
    "Onboarding": "christmas-onboarding-handler",
    "Calendars": BOOKING,
    "A signature instead of the secret": SIGNUP,
    "Repeating a call": SIGNUP,
}
LEAD = {"email": "delivered+ana@resend.dev", "firstName": "Ana", "name": "Ana Roy"}
CALL = {"startsAt": "2026-11-24T10:00:00-05:00", "uri": "https://api.calendly.com/scheduled_events/E1"}
RESULTS = {"score": 38, "red": 2, "orange": 3, "yellow": 2, "green": 1, "weakest": ["Money", "Sales"], "leak": 48500}
CLIENT = {**LEAD, "package": "BusOS", "portalUrl": "https://portal.businessx.example/ana"}
PAYMENT = {"status": "succeeded", "paidAt": "2026-11-24T10:00:00-05:00", "amount": 2997}
ARGUMENTS = {
    "opt-in": 'form({"email": "delivered+ana@resend.dev", "first_name": "Ana"})',
    "finish-assessment": f"{json.dumps(LEAD)}, {json.dumps(RESULTS)}",
    "book-call": f"{json.dumps(LEAD)}, {json.dumps(CALL)}",
    "mark-no-show": f"{json.dumps(LEAD)}, {json.dumps({**CALL, 'rescheduleUrl': 'https://calendly.com/r/E1'})}",
    "need-to-think": f"{json.dumps(LEAD)}, {json.dumps({**CALL, 'objections': ['price']})}",
    "start-onboarding": f"{json.dumps(CLIENT)}, {json.dumps(PAYMENT)}",
}
# What Next.js gives a server action; the rest of the example is the website's own file.
NEXT_HEADERS = 'export const headers = async () => new Headers({ "x-forwarded-for": "203.0.113.9, 10.0.0.1" });\n'


@dataclass(frozen=True)
class Example:
    """One block of code of the page."""

    number: int
    section: str
    language: str
    code: str

    @property
    def file(self) -> str | None:
        found = re.match(r"// (\S+\.js)\n", self.code)
        return found[1] if found else None


def examples() -> Iterator[Example]:
    """Go through the page's blocks, with today for the day on which it was written and an address for each block."""
    shift = datetime.now(UTC).date() - WRITTEN_ON
    heading, block = r"^## (?P<section>[^\n]+)$", r"^```(?P<language>\w+)\n(?P<code>.*?)^```$"
    blocks = re.finditer(f"{heading}|{block}", PAGE, re.MULTILINE | re.DOTALL)
    section = ""
    for number, block in enumerate(blocks):
        section = block["section"] or section
        if block["code"]:
            code = re.sub(r"20\d\d-\d\d-\d\d", lambda day: str(date.fromisoformat(day[0]) + shift), block["code"])
            yield Example(number, section, block["language"], for_lead(code, number))


def for_lead(code: str, number: int) -> str:
    """Return code about a lead of its own, and a call of its own."""
    return code.replace("delivered+ana@", f"delivered+ana{number}@").replace("E1", f"E{number}")


ALL = list(examples())
HELPER = next(example for example in ALL if example.file == "lib/funnel.js")
ACTIONS = [example for example in ALL if example.file and example is not HELPER]
SCRIPTS = [example for example in ALL if not example.file]
CALLS = [example for example in SCRIPTS if example.section.partition(":")[0] in HANDLERS]


@pytest.fixture(scope="module")
def node() -> str:
    """Node.js, which `make test` brings; a person who runs single tests may do without it, CI may not."""
    found = shutil.which("node")
    if found is None and not os.environ.get("CI"):
        pytest.skip("node is not installed, so the JavaScript examples are not run: make servers brings it")
    assert found, "CI runs every example: install nodejs (make servers does, where apt may)"
    return found


def run(web: Processes, *command: str, cwd: Path = ROOT) -> str:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = {**web.env, "PATH": path, "COLUMNS": "200"}
    done = subprocess.run(command, cwd=cwd, env=env, check=False, capture_output=True, text=True, timeout=patient(20))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def outcome(web, node, example: Example, folder: Path) -> str:
    if example.code.startswith("flask "):
        # A command of ours is forked, as `python -m flask`.
        return Processes(folder, {**web.env, "COLUMNS": "200"}).run("-m", *shlex.split(example.code))
    if example.language == "sh":
        return run(web, "bash", "-euo", "pipefail", "-c", example.code)
    script = folder / f"example-{example.number}.mjs"
    script.write_text(example.code)
    return run(web, node, str(script))


def test_the_page_has_for_each_hook_a_curl_a_fetch_and_a_server_action():
    for name in list(HANDLERS)[:6]:
        mine = [example for example in ALL if example.section.startswith(f"{name}:")]
        assert [example.language for example in mine] == ["sh", "js", "js"], name
        assert "fetch(" in mine[1].code and '"use server"' in mine[2].code, name
    assert {example.language for example in ALL} == {"sh", "js"}, "a block that nobody runs"
    assert {Path(action.file or "").stem for action in ACTIONS} == set(ARGUMENTS)


@pytest.mark.parametrize("example", CALLS, ids=lambda e: f"{e.section.partition(':')[0]}-{e.language}-{e.number}")
def test_a_call_is_accepted_by_the_hook_that_it_is_about(web, request, example, tmp_path):
    node = request.getfixturevalue("node") if example.language == "js" else ""
    answer = json.loads(outcome(web, node, example, tmp_path))
    assert (answer["status"], answer["handler"]) == ("accepted", HANDLERS[example.section.partition(":")[0]])
    assert len(answer["emails"]) in {3, 5}
    skipped = [email["reason"] for email in answer["emails"] if email["state"] == "skipped"]
    assert skipped == (["sent by the website"] if "email_1_sent_at" in example.code else [])


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: Path(action.file).stem)
def test_a_server_action_does_what_its_hook_does(web, node, action, tmp_path):
    printed = run_action(web, node, action, for_lead(ARGUMENTS[Path(action.file).stem], action.number), tmp_path)
    answer = json.loads(printed)
    assert (answer["status"], answer["handler"]) == ("accepted", HANDLERS[action.section.partition(":")[0]])


def test_a_server_action_shows_the_faults_at_the_form(web, node, tmp_path):
    opt_in = next(action for action in ACTIONS if action.file == "app/actions/opt-in.js")
    faults = json.loads(run_action(web, node, opt_in, 'form({"email": "ana@", "first_name": "Ana"})', tmp_path))
    assert faults["ok"] is False and faults["errors"]["email"][0].startswith("Not an email address")


def test_the_helper_tries_again_and_gives_up_with_what_was_said(web, node, tmp_path):
    (tmp_path / "funnel.mjs").write_text(HELPER.code)
    script = f"""
      import {{ callFunnel }} from "{tmp_path}/funnel.mjs";
      const real = globalThis.fetch;
      let calls = 0;
      globalThis.fetch = (...call) => (++calls < 3 ? Promise.reject(new Error("lost")) : real(...call));
      const told = await callFunnel("signup", {{ email: "delivered+again@resend.dev" }});
      process.env.HOOK_SECRET = "wrong";
      const refused = await callFunnel("signup", {{}}).catch((fault) => fault);
      console.log(JSON.stringify([told.status, refused.status, calls]));
    """
    (tmp_path / "drive.mjs").write_text(script)
    assert json.loads(run(web, node, str(tmp_path / "drive.mjs"))) == ["accepted", 401, 4]


def run_action(web, node, action: Example, arguments: str, folder: Path) -> str:
    """Lay the website's files out as the page names them, and call the action as Next.js would."""
    files = {
        "package.json": '{"type": "module"}',
        HELPER.file: HELPER.code,
        action.file: action.code,
        "node_modules/next/package.json": '{"name": "next", "exports": {"./headers": "./headers.mjs"}}',
        "node_modules/next/headers.mjs": NEXT_HEADERS,
        "drive.js": f"""
          import * as actions from "./{action.file}";
          const form = (fields) => Object.entries(fields).reduce((f, [k, v]) => (f.set(k, v), f), new FormData());
          const [action] = Object.values(actions);
          console.log(JSON.stringify(await action({shifted(arguments)})));
        """,
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return run(web, node, "drive.js", cwd=folder)


def shifted(text: str) -> str:
    """Return a text with today for the day on which the page was written."""
    return text.replace(str(WRITTEN_ON), str(datetime.now(UTC).date()))


class TestTheOthers:
    """The examples that start nothing, or answer in another form."""

    @staticmethod
    def of(section: str, words: str = "") -> Example:
        (found,) = [e for e in SCRIPTS if e.section == section and words in e.code]
        return found

    def test_the_old_website_gets_a_run(self, web, tmp_path):
        run_ = json.loads(outcome(web, "", self.of("The old website's calls"), tmp_path))
        assert (run_["state"]["type"], run_["deployment_id"]) == ("SCHEDULED", "1ae3a3b3-e076-49c5-9b08-9c176aa47aa0")

    def test_a_refusal_names_its_fields_and_is_listed(self, web, tmp_path):
        refused = json.loads(outcome(web, "", self.of("How to test", "evil"), tmp_path))
        assert (refused["status"], set(refused["errors"])) == (422, {"email", "first_name"})
        assert "Not an email address" in outcome(web, "", self.of("How to test", "hooks list"), tmp_path)

    def test_a_trace_tells_the_story(self, web, tmp_path):
        trace = self.of("How to test", "trace")
        body = json.dumps({"email": f"delivered+ana{trace.number}@resend.dev"})
        call = f"""curl -sS "$FUNNEL_URL/webhook/christmas/signup" -H "Authorization: Bearer $HOOK_SECRET" \
          -H "Content-Type: application/json" -d '{body}'"""
        run(web, "bash", "-c", call)
        assert "lead_nurture" in outcome(web, "", trace, tmp_path)

    def test_no_example_is_left_out(self):
        others = [self.of("The old website's calls"), *(self.of("How to test", w) for w in ("evil", "hooks", "trace"))]
        assert set(SCRIPTS) == {*CALLS, *others}
