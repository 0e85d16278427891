"""One lead, from the public hook through gunicorn, worker and scheduler to proof of delivery."""

import json

from sandbox.stack import Stack
from tests.process.watching import emails, inbox, opt_in, wait_until

ADDRESS = "delivered+one@resend.dev"


def gets_five_emails(funnel: Stack) -> None:
    """Let a lead sign up, and see that five emails are delivered, each with its events, and the enrolment completes."""
    answer = opt_in(funnel, ADDRESS)
    assert (answer["status"], len(answer["emails"])) == ("accepted", 5)
    wait_until("all emails are delivered", lambda: states_of(funnel, ADDRESS) == ["delivered"] * 5)
    assert [count for (to, _), count in inbox(funnel).items() if to == ADDRESS] == [1] * 5
    wait_until("the enrolment completes", lambda: _enrolments(funnel) == {"completed"})
    (enrolment,) = json.loads(funnel.flask("trace", ADDRESS, "--json"))["enrolments"]
    assert (enrolment["state"], enrolment["sentence"]) == ("completed", "5 of 5 emails delivered.")
    for email in enrolment["emails"]:
        happened = [event["kind"] for event in email["events"]]
        assert [kind for kind in happened if not kind.startswith("email.")][:2] == ["planned", "sending"]
        assert "delivered" in happened and email["resend_id"]


def states_of(funnel: Stack, address: str) -> list[str]:
    """Return the state of each email to an address."""
    return [row["state"] for row in emails(funnel) if row["address"] == address]


def stop_with_0(funnel: Stack) -> None:
    """Ask all processes to stop, and see that each part of Funnel ends with 0."""
    processes = dict(funnel.processes.running)
    funnel.processes.stop()
    ended = {name: process.returncode for name, process in processes.items() if name != "sandbox"}
    assert ended == {"web": 0, "worker": 0, "scheduler": 0}


def _enrolments(funnel: Stack) -> set[str]:
    return {row["enrolment"] for row in emails(funnel) if row["address"] == ADDRESS}
