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


def test_it_ends_marketing_and_leaves_onboarding_alone(both_deps):
    marketing = opt_in(both_deps)
    client = enrol(
        both_deps, call(event=Event.BOOKING, call_at=both_deps.now() + timedelta(days=9), occurrence="event-1")
    )
    again = assess(both_deps, "bea@resend.dev")
    with both_deps.reads() as session:
        ana = session.scalars(select(Contact).where(Contact.email_norm == "ana@resend.dev")).one()
    assert unsubscribe(both_deps, ana.unsubscribe_token) is True
    assert set(states(both_deps, marketing)) == {"cancelled"}
    assert set(states(both_deps, client)) == {"planned"}
    assert set(states(both_deps, again)) == {"planned"}, "nobody else is touched"


def test_it_holds_for_what_is_enrolled_later(both_deps):
    write_templates(both_deps)
    opt_in(both_deps)
    unsubscribe(both_deps, token_of(both_deps))
    later = email_ids(assess(both_deps))[0]
    assert deliver(both_deps, [later]) is Outcome.NOTHING_TO_DO
    assert (look(both_deps, later).state, look(both_deps, later).reason) == (
        "suppressed",
        "unsubscribed on 24 November",
    )


def test_twice_is_once(both_deps):
    opt_in(both_deps)
    assert [unsubscribe(both_deps, token_of(both_deps)) for _ in range(2)] == [True, True]
    with both_deps.reads() as session:
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
def test_a_token_tells_what_its_owner_gets(both_deps, scope, standing):
    opt_in(both_deps)
    if scope is not None:
        unsubscribe(both_deps, token_of(both_deps), scope)
    assert find_standing(both_deps, token_of(both_deps)) == standing


def test_who_wants_nothing_at_all_gets_no_reminders_either(both_deps):
    marketing = opt_in(both_deps)
    client = enrol(both_deps, call(event=Event.ONBOARDING, call_at=both_deps.now()))
    unsubscribe(both_deps, token_of(both_deps), Scope.ALL)
    assert set(states(both_deps, marketing)) | set(states(both_deps, client)) == {"cancelled"}
    assert look(both_deps, email_ids(client)[0]).reason == "unsubscribed from all emails on 24 November"
