"""Day counts: what is kept of each day adds up by day, template and state, and says how long emails took."""

from funnel_app.campaigns.states import State
from funnel_app.rules.day_counts import TO_COME, by_day, waits

DAYS = [
    {("a", State.DELIVERED): {"12": 2, TO_COME: 1}, ("b", State.BOUNCED): {TO_COME: 4}},
    {("a", State.DELIVERED): {"5": 3, "12": 1}, ("b", State.DELIVERED): {"7": 1}},
]


def test_each_day_has_its_emails_by_template_and_state():
    assert by_day(DAYS) == [
        (0, "a", State.DELIVERED, 3),
        (0, "b", State.BOUNCED, 4),
        (1, "a", State.DELIVERED, 4),
        (1, "b", State.DELIVERED, 1),
    ]


def test_how_long_emails_took_is_told_in_seconds_the_shortest_first():
    assert waits(DAYS, None) == [(0.5, 3), (0.7, 1), (1.2, 3)]
    assert waits(DAYS, {"a"}) == [(0.5, 3), (1.2, 3)] and waits(DAYS, ()) == []
