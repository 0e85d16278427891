"""How an enrolment ended early is told in a word or two."""

import pytest

from funnel_app.campaigns.model import Event
from funnel_app.rules.sequences.exit_words import ended_as


@pytest.mark.parametrize(
    ("event", "reason", "told"),
    [
        (Event.BOOKING, "booked a call on 3 December", "booked"),
        (Event.ONBOARDING, "became a client on 3 December", "became a client"),
        (None, "unsubscribed on 3 December", "unsubscribed"),
        (None, "unsubscribed from all emails on 3 December", "unsubscribed"),
        (None, "the address bounced: mailbox does not exist", "bounced"),
        (None, "its reader marked it as spam", "marked as spam"),
        (None, "stopped by Olga", "stopped by hand"),
        (None, "mail was stopped by a person on 3 December", "not mailed any more"),
        (None, "suppressed by a person on 3 December", "not mailed any more"),
        (None, None, "ended"),
        ("an event of old", "whatever", "ended"),
    ],
)
def test_it_says_how(event, reason, told):
    assert ended_as(event, reason) == told


@pytest.mark.parametrize("event", Event)
def test_whatever_may_end_a_sequence_has_a_word_of_its_own(event):
    assert ended_as(event, None) != "ended"
