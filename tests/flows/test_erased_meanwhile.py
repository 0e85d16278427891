"""Erased meanwhile: of a person who is erased nothing comes back by who read of them before, or writes just then."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.lists import take, uploads
from funnel_app.flows.lists.judge import ENROLLED, KEPT, LEFT_OUT
from funnel_app.flows.privacy.erase import erase
from funnel_app.flows.sending.record_event import record_event
from funnel_app.ledger import contacts, imports, outgoing_events, pii, suppressions, writing
from funnel_app.ledger.models import Contact, EmailEvent, HookEvent
from tests.flows.leads import call, opt_in
from tests.flows.lists.test_take import NURTURE, listed
from tests.flows.outbox.test_publish import listening, tell_all
from tests.flows.privacy.test_erase import NAMED
from tests.flows.sending.test_record_event import report
from tests.flows.test_overtaken import ANA, all_of, overtaken
from tests.in_line import until


@pytest.mark.both_databases
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("sequence", ["", NURTURE])
def test_who_is_erased_does_not_come_back_by_a_list_that_looked_just_before(deps, monkeypatch, sequence, known):
    bea = "bea@resend.dev"
    if known:
        opt_in(deps)
    usual, came = suppressions.of_addresses, iter([ANA])

    def erased_after(*given):
        found = usual(*given)
        for address in came:
            erase(deps, address)
        return found

    monkeypatch.setattr(suppressions, "of_addresses", erased_after)
    found = listed(deps, f"Email,First Name\n{ANA},Ana\n{bea},Bea\n", sequence=sequence)
    again = listed(deps, f"Email,First Name\n{ANA},Ana\n{bea},Bea\n", sequence=sequence)
    assert (found[ANA], found[bea].answer) == (again[ANA], ENROLLED if sequence else KEPT)
    assert found[ANA].answer == LEFT_OUT
    assert [each for each in all_of(deps, Contact.email_norm) if not each.startswith(contacts.ERASED)] == [bea]
    assert ANA not in str(all_of(deps, HookEvent.payload))


@pytest.mark.both_databases
@pytest.mark.parametrize("sequence", ["", NURTURE])
def test_a_list_that_waits_for_an_erasure_takes_everybody_else(deps, monkeypatch, sequence):
    opt_in(deps)
    rows = f"Email,First Name\n{ANA},Ana\nbea@resend.dev,Bea\n"
    with overtaken(deps, monkeypatch, pii, "erase", lambda: listed(deps, rows, sequence=sequence)) as other:
        erase(deps, ANA)
    found = other[0].result()
    assert [found[ANA].answer, found["bea@resend.dev"].answer] == [LEFT_OUT, ENROLLED if sequence else KEPT]
    assert sorted(all_of(deps, Contact.first_name), key=str) == ["Bea", None]


@pytest.mark.both_databases
@pytest.mark.parametrize("sequence", ["", NURTURE])
def test_who_is_erased_while_a_list_makes_them_a_lead_is_none(deps, monkeypatch, sequence):
    usual, looked = take._require_free, SimpleNamespace(at=lambda: None)
    monkeypatch.setattr(take, "_require_free", lambda *given: (usual(*given), looked.at()))
    with overtaken(deps, monkeypatch, looked, "at", lambda: erase(deps, ANA)) as other:
        listed(deps, f"Email,First Name\n{ANA},Ana\n", sequence=sequence)
    assert other[0].result().known
    assert all_of(deps, Contact.first_name) == [None]


@pytest.mark.both_databases
def test_of_two_who_erase_the_same_person_at_once_the_first_does_and_tells_it_once(engine, monkeypatch):
    deps = listening(engine)
    opt_in(deps)
    usual, told = outgoing_events.forget, list[str]()

    def told_before(*given):
        if all_of(deps, Contact.email) == ["erased"]:
            told.extend(tell_all(deps))
        usual(*given)

    monkeypatch.setattr(outgoing_events, "forget", told_before)
    with overtaken(deps, monkeypatch, pii, "erase", lambda: erase(deps, ANA)) as other:
        first = erase(deps, ANA)
    # Whether the ledger's file has old pages is another matter: each reads while the other tidies up.
    second = replace(other[0].result(), traces_left=False)
    assert first.known and second == erase(deps, ANA)
    assert [*told, *tell_all(deps)] == ["lead.erased"]


@pytest.mark.both_databases
def test_a_guest_who_is_erased_while_the_call_that_names_them_is_committed_does_not_stay_in_it(deps, monkeypatch):
    usual, waits, erasing = writing.Differences.write, Event(), list[Future[Any]]()
    patient = replace(deps, sleep=lambda seconds: (waits.set(), time.sleep(seconds)))

    def erase_before_the_commit(*given):
        usual(*given)
        erasing.append(pool.submit(erase, patient, ANA))
        if deps.engine.dialect.name == "postgresql":
            until(lambda: waits.is_set() or erasing[0].done())

    monkeypatch.setattr(writing.Differences, "write", erase_before_the_commit)
    with ThreadPoolExecutor(1) as pool:
        enrol(deps, call("bea@resend.dev", contact={"answers": f"with {ANA}"}, payload={"guests": [ANA]}))
    assert erasing[0].result().known
    assert all_of(deps, Contact.properties) == [{"answers": "erased"}]
    assert all_of(deps, HookEvent.payload) == [{"guests": ["erased"]}]


@pytest.mark.both_databases
def test_a_report_and_a_list_that_come_while_somebody_is_erased_name_them_no_more(deps, monkeypatch):
    claim, came = contacts.claim, iter([1])

    def claimed_after_both(*given):
        for _ in came:
            uploads.keep_list(deps, "old.csv", f"Email\n{ANA}\n".encode(), "olga")
            record_event(deps, report(deps, None, "email.bounced", resend_id="resend-7", detail=NAMED))
        return claim(*given)

    monkeypatch.setattr(contacts, "claim", claimed_after_both)
    erase(deps, ANA)
    assert all_of(deps, imports.Import.file) == [None]
    assert "ana" not in str(all_of(deps, EmailEvent.detail))
