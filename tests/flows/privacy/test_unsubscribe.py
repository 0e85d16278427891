"""Unsubscribe: marketing ends at once and for good, what a client needs goes on."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from funnel_app.campaigns.model import Event
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.privacy.unsubscribe import Standing, find_standing, unsubscribe
from funnel_app.flows.sending.deliver import Outcome, deliver
from funnel_app.ledger.models import Contact, Scope, Suppression
from tests.flows.leads import assess, call, email_ids, look, opt_in, states, write_templates


def token_of(deps) -> str:
    with deps.reads() as session:
        return session.scalars(select(Contact.unsubscribe_token)).one()


def test_it_ends_marketing_and_leaves_onboarding_alone(deps):
    marketing = opt_in(deps)
    client = enrol(deps, call(event=Event.BOOKING, call_at=deps.now() + timedelta(days=9), occurrence="event-1"))
    again = assess(deps, "bea@resend.dev")
    with deps.reads() as session:
        ana = session.scalars(select(Contact).where(Contact.email_norm == "ana@resend.dev")).one()
    assert unsubscribe(deps, ana.unsubscribe_token) is True
    assert set(states(deps, marketing)) == {"cancelled"}
    assert set(states(deps, client)) == {"planned"}
    assert set(states(deps, again)) == {"planned"}, "nobody else is touched"


def test_it_holds_for_what_is_enrolled_later(deps):
    write_templates(deps)
    opt_in(deps)
    unsubscribe(deps, token_of(deps))
    later = email_ids(assess(deps))[0]
    assert deliver(deps, [later]) is Outcome.NOTHING_TO_DO
    assert (look(deps, later).state, look(deps, later).reason) == (
        "suppressed",
        "unsubscribed on 24 November",
    )


def test_twice_is_once(deps):
    opt_in(deps)
    assert [unsubscribe(deps, token_of(deps)) for _ in range(2)] == [True, True]
    with deps.reads() as session:
        assert [s.scope for s in session.scalars(select(Suppression))] == ["marketing"]


def test_a_token_that_nobody_has_does_nothing(deps):
    assert unsubscribe(deps, "x" * 43) is False
    assert find_standing(deps, "x" * 43) is None


@pytest.mark.parametrize(
    ("scope", "standing"),
    [
        (None, Standing(marketing=True, nothing=False)),
        (Scope.MARKETING, Standing(marketing=False, nothing=False, may_undo=True)),
        (Scope.ALL, Standing(marketing=False, nothing=True, may_undo=True)),
    ],
)
def test_a_token_tells_what_its_owner_gets(deps, scope, standing):
    opt_in(deps)
    if scope is not None:
        unsubscribe(deps, token_of(deps), scope)
    assert find_standing(deps, token_of(deps)) == standing


def test_who_wants_nothing_at_all_gets_no_reminders_either(deps):
    marketing = opt_in(deps)
    client = enrol(deps, call(event=Event.ONBOARDING, call_at=deps.now()))
    unsubscribe(deps, token_of(deps), Scope.ALL)
    assert set(states(deps, marketing)) | set(states(deps, client)) == {"cancelled"}
    assert look(deps, email_ids(client)[0]).reason == "unsubscribed from all emails on 24 November"
