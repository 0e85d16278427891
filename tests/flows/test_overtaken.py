"""Overtaken: what somebody read may be otherwise by the time they write, since another came between."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from funnel_app.campaigns.model import Event
from funnel_app.deps import Deps
from funnel_app.flows.console.intervene import NotPossible
from funnel_app.flows.console.pausing import PauseRequest, pause_sending
from funnel_app.flows.console.settle import correct_address, mail_again
from funnel_app.flows.intake import settle_refused
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.intake.received_calls import waits_for_fix
from funnel_app.flows.lists import import_settings, uploads
from funnel_app.flows.monitoring.statistics.count_days import count_days
from funnel_app.flows.privacy.erase import erase
from funnel_app.flows.privacy.suppress import suppress
from funnel_app.flows.privacy.unsubscribe import unsubscribe
from funnel_app.flows.templates import serve_again
from funnel_app.ledger import (
    contacts,
    counted_days,
    enrolments,
    hook_events,
    imports,
    operator_actions,
    suppressions,
    template_versions,
    writing,
)
from funnel_app.ledger.models import Contact, Enrolment, Scope, Suppression
from funnel_app.ledger.pauses import Pause
from tests.factories import one_sequence
from tests.flows.console.test_settle import refused
from tests.flows.leads import call, opt_in
from tests.flows.lists.test_take import listed
from tests.flows.outbox.test_publish import listening, tell_all, token_of
from tests.flows.templates.test_serve_again import KEY, choose, look_for, serves, version
from tests.in_line import until
from tests.ledger.test_observe import waiting

ANA = "ana@resend.dev"


@contextmanager
def overtaken(
    deps: Deps, patch: pytest.MonkeyPatch, where: Any, name: str, other: Callable[[], Any]
) -> Iterator[list[Future[Any]]]:
    """Just before the first call of this, let another run as far as the ledger lets it: in SQLite it waits for us."""
    usual, came, ran = getattr(where, name), iter([other]), list[Future[Any]]()

    def after_the_other(*args: Any, **more: Any) -> Any:
        for each in came:
            ran.append(pool.submit(each))
            if deps.engine.dialect.name == "postgresql":
                until(lambda: ran[0].done() or waiting(deps.reads) > 0)
        return usual(*args, **more)

    with ThreadPoolExecutor(1) as pool:
        patch.setattr(where, name, after_the_other)
        yield ran
    assert ran[0].done()


def all_of(deps, column):
    with deps.reads() as session:
        return session.scalars(select(column)).all()


@pytest.mark.both_databases
def test_an_address_that_is_erased_is_kept_by_no_unsubscribe_beside_it(engine, monkeypatch):
    deps = listening(engine)
    opt_in(deps)
    token = token_of(deps)
    with overtaken(deps, monkeypatch, contacts, "lock", lambda: erase(deps, ANA)):
        assert unsubscribe(deps, token)
    assert all_of(deps, Suppression.email_norm) == [None]
    assert tell_all(deps) == ["lead.erased"]


@pytest.mark.both_databases
def test_what_keeps_an_erased_address_is_not_lifted_by_who_still_saw_the_lead(deps, monkeypatch):
    receipt = opt_in(deps)
    suppress(deps, ANA, Scope.ALL)
    with overtaken(deps, monkeypatch, suppressions, "remove", lambda: erase(deps, ANA)) as other:
        mail_again(deps, receipt.contact_id, "olga")
    assert other[0].result().known
    assert all_of(deps, Suppression.source) == ["erase"]


@pytest.mark.both_databases
def test_an_address_that_is_to_get_nothing_is_kept_though_its_lead_is_given_another_just_then(deps, monkeypatch):
    contact_id = opt_in(deps).contact_id
    corrected = partial(correct_address, deps, contact_id, "anna@resend.dev", "olga")
    with overtaken(deps, monkeypatch, contacts, "lock", corrected) as other:
        assert suppress(deps, ANA, Scope.ALL)
    other[0].result()
    assert all_of(deps, Suppression.email_norm) == [ANA]


@pytest.mark.both_databases
def test_a_list_writes_over_nothing_that_a_hook_tells_meanwhile(deps, monkeypatch):
    opt_in(deps)
    told = call(contact={"first_name": "Ana", "timezone": "Europe/Berlin"})
    with overtaken(deps, monkeypatch, contacts, "upsert", lambda: enrol(deps, told)):
        listed(deps, f"Email,Timezone\n{ANA},Asia/Tokyo\n", sequence="")
    assert all_of(deps, Contact.timezone) == ["Europe/Berlin"]


@pytest.mark.both_databases
def test_a_guest_who_is_erased_does_not_come_back_by_a_call_of_who_invited_them(deps, monkeypatch):
    at = deps.now() + timedelta(days=4)
    booked = call("bea@resend.dev", event=Event.BOOKING, occurrence="e1", call_at=at)
    enrol(deps, replace(booked, variables={"answers": f"with {ANA}"}))
    moved = replace(booked, call_at=at + timedelta(days=1))
    deps.now.forward(minutes=1)
    with overtaken(deps, monkeypatch, writing, "differences", lambda: erase(deps, ANA)) as other:
        enrol(deps, moved)
    assert other[0].result().known
    assert [told["answers"] for told in all_of(deps, Enrolment.variables)] == ["erased"]


@pytest.mark.both_databases
def test_an_earlier_text_that_somebody_chooses_serves_though_a_new_one_is_taken_over_just_then(deps, monkeypatch):
    deps = replace(deps, registry=one_sequence("five_day"))
    for html in ("<p>first</p>", "<p>second</p>"):
        deps.notebook.write(KEY, html=html)
        look_for(deps, minutes=3)
    deps.notebook.write(KEY, html="<p>third</p>")
    look_for(deps, minutes=1)
    third = version(deps, "<p>third</p>")

    def take_over():
        deps.now.forward(seconds=1)
        with deps.sessions.begin() as session:
            template_versions.adopt(session, third, deps.now())

    with overtaken(deps, monkeypatch, serve_again, "_servable", take_over) as other:
        choose(deps, "<p>first</p>")
    other[0].result()
    assert serves(deps) == "<p>first</p>"


@pytest.mark.both_databases
def test_a_refused_call_that_comes_once_more_while_it_is_put_aside_waits(deps, monkeypatch):
    refused(deps)
    deps.now.forward(minutes=1)
    opt_in(deps)
    deps.now.forward(minutes=1)
    with overtaken(deps, monkeypatch, settle_refused, "put_aside", lambda: refused(deps)) as other:
        settle_refused.settle_refused(deps)
    other[0].result()
    with deps.reads() as session:
        assert any(waits_for_fix(call) for call in hook_events.newest_refused(session, None, 9))


@pytest.mark.both_databases
def test_two_pauses_at_once_are_both_begun_and_one_stands(deps, monkeypatch):
    asked = PauseRequest("all", "a holiday")
    with overtaken(deps, monkeypatch, operator_actions, "add", lambda: pause_sending(deps, asked, "otto")) as other:
        pause_sending(deps, asked, "olga")
    other[0].result()
    assert {each.operator for each in all_of(deps, Pause)} == {"olga", "otto"}
    assert len([each for each in all_of(deps, Pause) if each.ended_at is None]) == 1


@pytest.mark.both_databases
def test_an_address_that_a_lead_takes_meanwhile_is_nobody_elses_correction(deps, monkeypatch):
    receipt = opt_in(deps, "ann@resend.dev")
    with overtaken(deps, monkeypatch, enrolments, "of_contact", lambda: opt_in(deps, ANA)):
        try:
            correct_address(deps, receipt.contact_id, ANA, "olga")
        except NotPossible as why:
            assert "is a lead of its own already" in str(why)
    assert all_of(deps, Contact.email_norm).count(ANA) == 1


@pytest.mark.both_databases
def test_two_schedulers_count_the_same_days(deps, monkeypatch):
    opt_in(deps)
    deps.now.forward(days=5)
    with overtaken(deps, monkeypatch, counted_days, "count", lambda: count_days(deps)) as other:
        assert count_days(deps) > 0
    other[0].result()
    assert len(all_of(deps, counted_days.CountedDay.ends_at)) > 0


@pytest.mark.both_databases
def test_a_list_that_is_begun_is_not_forgotten(deps, monkeypatch):
    kept = uploads.keep_list(deps, "old.csv", f"Email\n{ANA}\n".encode(), "olga")
    uploads.look(deps, kept, import_settings.ImportSettings(columns={"email": (0,)}, consent="at the fair"))
    deps.now.forward(days=2)
    with overtaken(deps, monkeypatch, imports, "delete", lambda: uploads.start(deps, kept, "olga")) as other:
        uploads.forget_lists(deps)
    began = other[0].exception() is None
    assert (uploads.find_import(deps.reads, kept) is not None) is began
