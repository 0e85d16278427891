"""One lead, from the public hook through gunicorn, worker and scheduler to proof of delivery."""

import json

import pytest

from sandbox.stack import running_stack
from tests.postgres_server import PostgresServer
from tests.process.starting import start_funnel
from tests.process.watching import delivered, inbox, nothing_twice, opt_in, wait_until

pytestmark = pytest.mark.process(lasts_s=15)
ADDRESS = "delivered+ana@resend.dev"


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request):
    if request.param == "sqlite":
        yield {}
        return
    server = PostgresServer().start()
    yield {"DATABASE_URL": server.url}
    server.stop()


def test_a_signup_becomes_five_delivered_emails_and_the_processes_stop_with_0_when_asked(settings):
    with running_stack(2, **settings) as funnel:
        start_funnel(funnel)
        answer = opt_in(funnel, ADDRESS)
        assert (answer["status"], len(answer["emails"])) == ("accepted", 5)
        wait_until("all emails are delivered", delivered(funnel, 5))
        assert nothing_twice(funnel) and len(inbox(funnel)) == 5
        story = wait_until("the enrolment completes", lambda: completed(funnel))
        (enrolment,) = story["enrolments"]
        assert enrolment["sentence"] == "5 of 5 emails delivered."
        for email in enrolment["emails"]:
            happened = [event["kind"] for event in email["events"]]
            assert [kind for kind in happened if not kind.startswith("email.")][:2] == ["planned", "sending"]
            assert "delivered" in happened and email["resend_id"]
        stops_with_0(funnel)


def completed(funnel):
    story = json.loads(funnel.flask("trace", ADDRESS, "--json"))
    return story if story["enrolments"][0]["state"] == "completed" else None


def stops_with_0(funnel):
    processes = dict(funnel.processes.running)
    funnel.processes.stop()
    ended = {name: process.returncode for name, process in processes.items() if name != "sandbox"}
    assert ended == {"web": 0, "worker": 0, "scheduler": 0}
