"""An erasure that broke off half-way is completed by the watch: nobody could repeat it from the console."""

import pytest

from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.intake.keep_refused import refuse
from funnel_app.flows.lists.uploads import keep_list
from funnel_app.flows.privacy import erase as erasing
from funnel_app.flows.privacy.erase import BROKEN_OFF_AFTER, erase, finish
from funnel_app.flows.privacy.suppress import suppress
from funnel_app.flows.sending.record_event import record_event
from funnel_app.ledger import suppressions
from funnel_app.ledger.models import EmailEvent, HookEvent, Scope, Suppression
from sandbox.notion.state import CONTACTS_DATABASE_ID
from tests.flows.leads import call, opt_in
from tests.flows.mirror.workspaces import contacts, mirror_all, sequences, write_row
from tests.flows.privacy.test_erase import NAMED, in_notion
from tests.flows.privacy.test_privacy import everything
from tests.flows.sending.test_record_event import report
from tests.flows.test_overtaken import ANA, all_of


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def broken_off(deps, notion, monkeypatch):
    """An erasure whose process died after the person themselves was forgotten."""
    deps = in_notion(deps, notion)
    write_row(notion, CONTACTS_DATABASE_ID, Name="Ana", Email=ANA)
    opt_in(deps)
    enrol(deps, call("bea@resend.dev", payload={"guests": [ANA]}))
    refuse(deps, campaign="christmas", hook="signup", payload={"email": ANA}, errors={"x": ["y"]})
    record_event(deps, report(deps, None, "email.bounced", resend_id="resend-7", detail=NAMED))
    keep_list(deps, "old.csv", f"Email\n{ANA}\n".encode(), "olga")

    def killed(*_):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(erasing, "_forget_reports_and_lists", killed)
        with pytest.raises(Killed):
            erase(deps, ANA)
    return deps


@pytest.mark.both_databases
def test_what_an_erasure_that_broke_off_left_to_do_is_done_later(broken_off, notion):
    finish(broken_off)
    assert ANA in everything(broken_off), "it may be under way yet"
    broken_off.now.forward(seconds=BROKEN_OFF_AFTER.total_seconds())
    finish(broken_off)
    assert "ana@resend" not in everything(broken_off)
    assert contacts(notion) == []
    assert all_of(broken_off, Suppression.source) == ["erase"]
    assert not suppress(broken_off, ANA, Scope.ALL), "the hash still forbids it"


@pytest.mark.both_databases
def test_while_notion_cannot_be_asked_it_stays_to_be_done(broken_off, notion):
    broken_off.now.forward(seconds=BROKEN_OFF_AFTER.total_seconds())
    notion.sandbox.settings.merge({"notion.fail_always": {"status": 503, "code": "service_unavailable"}})
    finish(broken_off)
    notion.sandbox.settings.merge({"notion.fail_always": None})
    assert len(contacts(notion)) == 1
    broken_off.now.forward(minutes=5)
    finish(broken_off)
    assert contacts(notion) == [] and "ana@resend" not in everything(broken_off)


@pytest.mark.both_databases
def test_who_came_again_meanwhile_keeps_what_they_say_of_themselves(broken_off):
    enrol(broken_off, call(ANA, payload={"email": ANA}))
    broken_off.now.forward(seconds=BROKEN_OFF_AFTER.total_seconds())
    finish(broken_off)
    assert {"email": ANA} in all_of(broken_off, HookEvent.payload)
    assert {"guests": ["erased"]} in all_of(broken_off, HookEvent.payload)
    assert all_of(broken_off, EmailEvent.detail).count("erased") == 1


@pytest.mark.both_databases
def test_only_addresses_of_this_source_that_are_old_enough_and_still_written_are_left(deps):
    with deps.sessions.begin() as session:
        for address, source in ((ANA, "erase"), ("bea@resend.dev", "erase"), ("cleo@resend.dev", "keyboard")):
            told = {"scope": Scope.ALL, "reason": "x", "source": source, "now": deps.now()}
            suppressions.add(session, address, deps.settings.secret_key, **told)
        suppressions.forget_address(session, "bea@resend.dev")
    with deps.reads() as session:
        assert suppressions.addresses_of(session, "erase", deps.now()) == [ANA]
        assert suppressions.addresses_of(session, "erase", deps.now() - BROKEN_OFF_AFTER) == []


@pytest.mark.both_databases
def test_the_rows_of_who_came_again_meanwhile_stay(broken_off, notion):
    enrol(broken_off, call(ANA))
    mirror_all(broken_off)
    theirs = [row["Email"] for row in contacts(notion)].count(ANA), len(sequences(notion))
    assert theirs[0] and theirs[1]
    write_row(notion, CONTACTS_DATABASE_ID, Name="Ana by hand", Email=ANA)
    broken_off.now.forward(seconds=BROKEN_OFF_AFTER.total_seconds())
    finish(broken_off)
    assert ([row["Email"] for row in contacts(notion)].count(ANA), len(sequences(notion))) == (1, theirs[1])
