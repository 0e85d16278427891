"""A chat that takes long over each message gets each notification once, whoever else looks meanwhile."""

import pytest
from sqlalchemy import select

from funnel_app.flows.monitoring.notifications.notify import LEASE, MOST_TOGETHER, notify, undelivered_notifications
from funnel_app.gateways.errors import Rejected
from funnel_app.ledger import notices
from funnel_app.ledger.models.watch import Notice
from tests.factories import make_deps

CHAT = "https://hooks.slack.com/services/T000/B000/secret"
KEYS = [f"lead {number:02}" for number in range(MOST_TOGETHER)]
SECONDS = 4


class Slow:
    """A chat that takes seconds to answer, and refuses one word; `meanwhile` is what others do until then."""

    def __init__(self, clock):
        self.posted, self.clock, self.meanwhile = [], clock, []

    def post(self, url, text):
        self.clock.forward(seconds=SECONDS)
        for each in self.meanwhile:
            each()
        if KEYS[-1] in text:
            raise Rejected("hooks.slack.com", "answered 400: it does not know this address any more", "400")
        self.posted.append(text)


@pytest.fixture
def deps(engine):
    deps = make_deps(engine, leads_webhook_url=CHAT)
    object.__setattr__(deps, "alerts", Slow(deps.now))
    with deps.sessions.begin() as session:
        for key in KEYS:
            notices.add(session, key, "leads", key, deps.now())
    return deps


@pytest.mark.both_databases
def test_while_a_refused_one_is_looked_for_no_other_process_posts_what_was_posted(deps):
    looks, other = [], make_deps(deps.engine, leads_webhook_url=CHAT)
    object.__setattr__(other, "now", deps.now)
    deps.alerts.meanwhile = [lambda: looks.append(notify(other))]
    began = deps.now()
    assert notify(deps) == MOST_TOGETHER
    assert deps.now() - began > LEASE and set(looks) == {0}
    told = "\n".join(deps.alerts.posted)
    assert [told.count(key) for key in KEYS[:-1]] == [1] * (MOST_TOGETHER - 1)
    assert told.count("read it at") == 1 and undelivered_notifications(deps.reads) == []


@pytest.mark.both_databases
def test_what_is_forgotten_or_taken_over_meanwhile_is_left_to_that(deps):
    def meanwhile():
        del deps.alerts.meanwhile[:]
        deps.now.forward(seconds=LEASE.total_seconds())
        with deps.sessions.begin() as session:
            notices.forget(session, KEYS[0])
            taken.extend(notices.take(session, "leads", deps.now(), LEASE, 5))

    taken = []
    deps.alerts.meanwhile = [meanwhile]
    notify(deps)
    told = "\n".join(deps.alerts.posted)
    assert [each.text for each in taken] == KEYS[1:6]
    assert [told.count(key) for key in KEYS[:-1]] == [0] * 6 + [1] * (MOST_TOGETHER - 7)
    with deps.reads() as session:
        left = session.scalars(select(Notice).where(Notice.sent_at.is_(None))).all()
    assert {(each.text, each.lease_until, each.attempts) for each in left} == {
        (each.text, each.lease_until, 2) for each in taken
    }
