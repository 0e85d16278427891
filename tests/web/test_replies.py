"""What people wrote back, as an operator sees it: on the page, in the doctor, by alerts and by the command."""

import json
import re
from dataclasses import replace

import pytest

from funnel_app.flows.monitoring.check import title_of_check
from funnel_app.flows.monitoring.checks.resend import account, replies
from funnel_app.flows.monitoring.probes.watch import watch
from funnel_app.flows.replies.history import list_received
from funnel_app.flows.replies.keep import Arrival, keep_received
from funnel_app.flows.replies.work import answer_received
from funnel_app.gateways.errors import Rejected
from funnel_app.gateways.resend.account import EVENTS, Endpoint
from funnel_app.gateways.resend.inbox import IncomingEmail
from funnel_app.ledger import incidents
from tests.apps import application
from tests.factories import make_deps
from tests.flows.leads import opt_in
from tests.web.console import LOGGED_ID, Operator

SCRIPT = "<script>alert(1)</script> {{ 7 * 7 }}"
HOOK = "https://funnel.example/webhook/resend"


@pytest.fixture
def written(sqlite):
    """Two emails that came: a lead's, and one of a stranger whom testing mode keeps from being mailed."""
    deps = make_deps(sqlite, reply_forward_to="olga@owner.example")
    opt_in(deps)
    for number, sender in enumerate(("Ana <ana@resend.dev>", f"{SCRIPT} <bo@elsewhere.example>")):
        deps.inbox.letters[f"in-{number}"] = IncomingEmail({}, SCRIPT, SCRIPT)
        keep_received(deps, Arrival(resend_id=f"in-{number}", sender=sender, subject=SCRIPT, attachments=(SCRIPT,)))
    answer_received(deps)
    return deps


@pytest.fixture
def olga(written):
    operator = Operator(application(written).test_client())
    operator.log_in()
    return operator


def test_the_page_shows_words_and_runs_nothing_of_them(written, olga):
    page = olga.get("/console/replies").text
    assert "&lt;script&gt;alert(1)" in page and "<script>alert" not in page
    assert "nothing proves the sender" in page and "not a lead" in page
    lead = list_received(written.reads, None, 9)[-1]["contact_id"]
    assert "&lt;script&gt;alert(1)" in (story := olga.get(f"/console/leads/{lead}").text)
    assert "<script>alert" not in story
    assert "Nothing of that kind." in olga.get("/console/replies?kind=report").text


def test_what_a_lead_wrote_is_in_their_story_also_where_a_sentence_above_has_the_word(written, olga):
    opt_in(written, "cy@resend.dev")
    written.inbox.letters["in-9"] = IncomingEmail({"Auto-Submitted": "auto-replied"}, "emails", None)
    keep_received(written, Arrival(resend_id="in-9", sender="cy@resend.dev", subject="Away", attachments=()))
    answer_received(written)
    lead = list_received(written.reads, None, 1)[0]["contact_id"]
    story = olga.get(f"/console/leads/{lead}").text
    assert '<span class="soft small">emails</span>' in story


def test_what_stayed_here_goes_on_by_a_button_and_by_the_command_once(written, olga):
    one, other = (row["id"] for row in list_received(written.reads, None, 9))
    olga.send(f"/console/replies/{one}/forward", form="/console/replies")
    assert "TESTING_MODE is on" in olga.get("/console/replies").text
    object.__setattr__(written, "settings", replace(written.settings, test_recipients=("olga@owner.example",)))
    assert olga.send(f"/console/replies/{one}/forward", form="/console/replies").status_code == 303
    assert LOGGED_ID.search(olga.get("/console/log").text) is None
    olga.send(f"/console/replies/{one}/forward", form="/console/replies")
    assert "It goes on to your mailbox already" in olga.get("/console/replies").text
    run = application(written).test_cli_runner().invoke
    assert run(args=["replies", "forward", other]).exit_code == 0
    assert len(re.findall("sent the reply of 24 Nov [0-9:]+ on<", olga.get("/console/log").text)) == 2
    again = run(args=["replies", "forward", other])
    assert (again.exit_code, "nothing goes twice" in again.output) == (1, True)
    rows = json.loads(run(args=["replies", "list", "--json"]).stdout)
    assert {row["forward"] for row in rows} == {"due"}
    assert "goes on to your mailbox" in run(args=["replies", "list"]).output


def test_replies_that_wait_and_that_stayed_here_are_told(written):
    watch(written)
    written.now.forward(minutes=2)
    watch(written)
    keep_received(written, Arrival(resend_id="in-9", sender="ana@resend.dev", subject="?"))
    written.inbox.fault = Rejected("resend", "This API key is restricted", code="restricted_api_key")
    answer_received(written)
    written.now.forward(minutes=11)
    watch(written)
    with written.reads() as session:
        told = {each.kind: each.detail for each in incidents.current(session)}
    assert "2 emails that people wrote did not go on" in told["replies_kept"]
    assert "This API key is restricted" in told["replies_waiting"]


OWNER, DOMAIN = "olga@owner.example", "mail.businessx.example"


@pytest.mark.parametrize(
    ("to", "reply_to", "receiving", "told", "status", "words"),
    [
        (None, None, set(), EVENTS, "ok", "not used"),
        (OWNER, None, set(), (), "warning", "takes no mail in"),
        (OWNER, None, {DOMAIN}, EVENTS, "warning", "not told of email.received"),
        (f"olga@{DOMAIN}", None, {DOMAIN}, (), "fault", "whose mail Resend takes in"),
        (OWNER, "hi@x1.resend.app", set(), (), "ok", "they go on to your mailbox"),
    ],
)
def test_the_doctor_says_whether_replies_come(sqlite, to, reply_to, receiving, told, status, words):
    deps = make_deps(sqlite, reply_forward_to=to, reply_to=reply_to)
    found = list(replies(deps, [Endpoint("1", HOOK, "enabled", told)], receiving))
    assert [each.status for each in found] == [status]
    assert words in found[0].detail


@pytest.mark.parametrize(("to", "own"), [(None, [("replies", "ok")]), (OWNER, [])])
def test_a_key_that_may_only_send_is_no_fault_of_replies_that_nobody_uses(sqlite, to, own):
    deps = make_deps(sqlite, reply_forward_to=to)
    deps.account.fault = Rejected("resend", "restricted", code="restricted_api_key")
    of_the_key, *others = account(deps)
    assert (of_the_key.status, [(check.name, check.status) for check in others]) == ("warning", own)
    assert (title_of_check("replies") in of_the_key.detail.partition("not looked at meanwhile: ")[2]) is bool(to)
