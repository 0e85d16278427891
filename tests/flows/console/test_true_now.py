"""What is true of a lead now, in one line."""

import pytest

from funnel_app.campaigns.model import Event
from funnel_app.flows.console import operate
from funnel_app.flows.console.leads import find_lead
from tests.console_world import go_whole_way, send, sign_up
from tests.flows.leads import opt_in, write_templates


@pytest.fixture
def ready(deps):
    write_templates(deps)
    return deps


def told(deps, receipt) -> str:
    return find_lead(deps, receipt.contact_id).true_now


def test_where_a_lead_is_and_how_its_emails_fared(ready):
    receipt = sign_up(ready, 0)
    send(ready, receipt, 2)
    assert told(ready, receipt) == "In “Nurture for new opt-ins”. Emails: 2 delivered, 3 to come."
    operate.pause(ready, receipt.enrolment_id, "Olga")
    assert told(ready, receipt).startswith("Paused in “Nurture for new opt-ins”.")


def test_who_is_in_no_sequence_is_told_how_the_last_one_ended(ready):
    receipt = sign_up(ready, 1)
    send(ready, receipt, 1, "email.bounced", "the mailbox does not exist")
    assert told(ready, receipt) == (
        "In no sequence now; the last, “Nurture for new opt-ins”: bounced. Emails: 1 bounced."
    )


def test_who_was_never_in_one_is_said(ready):
    opt_in(ready)
    receipt = sign_up(ready, 3, Event.ONBOARDING)
    later = sign_up(ready, 3, Event.ASSESSMENT)
    assert later.enrolment_id is None and told(ready, receipt).startswith("In “Welcome for new clients”.")


def test_of_several_sequences_all_are_told(ready):
    line = told(ready, go_whole_way(ready))
    assert "“Welcome for new clients”" in line and " delivered" in line


def test_a_client_is_said_to_be_one_since_when_and_nobody_else(ready):
    client, lead = go_whole_way(ready), sign_up(ready, 3)
    said = [find_lead(ready, each.contact_id).client for each in (client, lead)]
    assert said[0].startswith("became a client on ") and said[1] is None
