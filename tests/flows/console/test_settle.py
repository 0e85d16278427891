"""Settle: what waits for a person's word is put aside, corrected, mailed again or settled at once, and written down."""

import pytest

from funnel_app.campaigns.model import Event
from funnel_app.campaigns.states import State
from funnel_app.flows.console import operate, settle
from funnel_app.flows.console.actions import list_actions
from funnel_app.flows.console.intervene import NotPossible
from funnel_app.flows.console.leads import find_lead
from funnel_app.flows.console.today import LISTED, look_at_today
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.intake.keep_refused import refuse
from funnel_app.flows.intake.manual import enrol_manually
from funnel_app.flows.intake.settle_refused import settle_refused
from funnel_app.flows.monitoring.notifications.notify import notify
from funnel_app.flows.monitoring.probes.undelivered import undelivered_lately
from funnel_app.flows.monitoring.probes.watch import watch
from funnel_app.flows.privacy.erase import erase
from funnel_app.flows.privacy.suppress import suppress
from funnel_app.flows.privacy.unsubscribe import find_standing, undo, unsubscribe
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.sending.record_event import record_event
from funnel_app.flows.tracing.trace import trace
from funnel_app.gateways.resend.answers import Answer, AnswerKind
from funnel_app.ledger import hook_events, incidents
from funnel_app.ledger.models import Scope
from funnel_app.ledger.queries import leads
from tests.factories import make_deps
from tests.flows.leads import call, email_ids, look, opt_in, states, write_templates
from tests.flows.monitoring.live import GOOD, LIVE
from tests.flows.sending.test_record_event import report

WHO = "Olga"
ANA = "ana@resend.dev"
CONFLICT = Answer(AnswerKind.CONFLICT, detail="409 invalid_idempotent_request")


@pytest.fixture
def ready(engine):
    deps = make_deps(engine, **LIVE)
    write_templates(deps, GOOD)
    return deps


def refused(deps, address=ANA, hook="signup"):
    return refuse(deps, campaign="christmas", hook=hook, payload={"email": address}, errors={"x": ["wrong"]})


def waiting(deps):
    return [row["email"] for row in look_at_today(deps).todo.refused]


def address_of(deps, receipt):
    with deps.reads() as session:
        return leads.get(session, receipt.contact_id).email


def bounced(deps, address=ANA):
    receipt = opt_in(deps, address)
    deliver(deps, email_ids(receipt)[:1])
    record_event(deps, report(deps, email_ids(receipt)[0], "email.bounced"))
    return receipt


def go_round(deps, **later):
    watch(deps)
    deps.now.forward(**later)
    watch(deps)
    notify(deps)


class TestRefusedCalls:
    """A refused call waits for a correction until somebody, or a later call, says that it need not."""

    def test_one_that_is_put_aside_waits_no_more_and_only_once(self, ready):
        hook_id = refused(ready)
        assert waiting(ready) == [ANA]
        settle.put_call_aside(ready, hook_id, WHO, "a test of ours, by ana@resend.dev")
        assert waiting(ready) == []
        with pytest.raises(NotPossible):
            settle.put_call_aside(ready, hook_id, WHO, "")
        (done,) = list_actions(ready.reads).rows
        assert done.detail.startswith("the call of 24 Nov 07:00 to christmas/signup: a test of ours")
        refused(ready)
        assert waiting(ready) == [ANA], "the same call is news again"

    @pytest.mark.both_databases
    def test_the_same_person_s_next_call_that_is_taken_puts_it_aside_and_nobody_else_s_does(self, ready):
        refused(ready), refused(ready, "bea@resend.dev"), refused(ready, hook="booking")
        ready.now.forward(minutes=1)
        opt_in(ready)
        assert settle_refused(ready) == 1 and settle_refused(ready) == 0
        assert sorted(waiting(ready)) == [ANA, "bea@resend.dev"], "the booking of Ana was not heard of"

    def test_one_that_came_after_the_taken_call_waits(self, ready):
        opt_in(ready)
        ready.now.forward(minutes=1)
        refused(ready)
        assert settle_refused(ready) == 0

    @pytest.mark.both_databases
    def test_one_that_comes_again_while_it_is_settled_waits(self, ready, monkeypatch):
        refused(ready)
        ready.now.forward(minutes=1)
        opt_in(ready)
        taken_from = hook_events.taken_from

        def and_once_more(*of):
            found = taken_from(*of)
            ready.now.forward(minutes=1)
            refused(ready)
            return found

        monkeypatch.setattr(hook_events, "taken_from", and_once_more)
        assert settle_refused(ready) == 0 and waiting(ready) == [ANA]

    def test_more_than_are_listed_are_counted(self, ready):
        for number in range(LISTED + 3):
            refused(ready, f"lead{number}@resend.dev")
        todo = look_at_today(ready).todo
        assert len(todo.refused) == LISTED and todo.more == {"refused": 3}


class TestIncidents:
    """What happened can be put aside with a word; what lasts cannot, and what comes after it is told again."""

    def open_incident(self, deps):
        with deps.reads() as session:
            (found,) = incidents.current(session)
        return found

    @pytest.mark.both_databases
    def test_a_bounce_that_is_put_aside_is_over_and_stays_so(self, ready):
        bounced(ready)
        go_round(ready, minutes=2)
        settle.put_aside_incident(ready, self.open_incident(ready).id, WHO, "called her")
        go_round(ready, minutes=2)
        with ready.reads() as session:
            assert incidents.current(session) == []
        assert "🟢 Over: Emails bounced: called her (Olga)" in ready.alerts.posted[-1][1]
        bounced(ready, "bea@resend.dev")
        go_round(ready, minutes=2)
        assert "1 email to b***@resend.dev" in ready.alerts.posted[-1][1], "only what is new is counted"

    def test_what_lasts_is_not_put_aside(self, ready):
        ready.pause.pause("401 bad key", 600, "config")
        watch(ready)
        with pytest.raises(NotPossible):
            settle.put_aside_incident(ready, self.open_incident(ready).id, WHO, "never mind")

    def test_the_page_shows_whole_addresses_and_the_chat_none(self, ready):
        bounced(ready)
        go_round(ready, minutes=2)
        (wrong,) = look_at_today(ready).incidents.values()
        assert ANA in wrong.detail and wrong.passes
        assert ANA not in ready.alerts.posted[-1][1] and "a***@resend.dev" in ready.alerts.posted[-1][1]


class TestAddresses:
    """A mistyped address is corrected: what waits goes to the new one, and what went out did not."""

    @pytest.mark.both_databases
    def test_what_waits_goes_to_the_right_address(self, ready):
        receipt = opt_in(ready, "ana@resned.dev")
        deliver(ready, email_ids(receipt)[:1])
        told = settle.correct_address(ready, receipt.contact_id, " Ana@resend.dev ", WHO)
        assert told == "the address is corrected: 4 emails that wait go there, and 1 email went to the old one"
        record_event(ready, report(ready, email_ids(receipt)[0]))
        ready.now.forward(days=1)
        deliver(ready, email_ids(receipt)[1:2])
        assert ready.mailer.sent_to() == ["ana@resned.dev", "Ana@resend.dev"]

    @pytest.mark.both_databases
    def test_a_correction_stands_in_the_story_with_the_old_address_and_changes_the_lead(self, ready):
        receipt = opt_in(ready, "ana@resned.dev")
        for address in ("ana@resendd.dev", ANA):
            ready.now.forward(minutes=1)
            settle.correct_address(ready, receipt.contact_id, address, WHO)
        told = trace(ready, ANA)
        assert told["contact"]["updated_at"] == "2026-11-24T12:02:00Z"
        assert told["contact"]["earlier_addresses"] == ["ana@resned.dev", "ana@resendd.dev"]
        by_hand = [line["what"] for line in told["story"] if line["about"] == "by hand"]
        ends = ["; it was ana@resned.dev before", "; it was ana@resendd.dev before"]
        assert [what.endswith(end) for what, end in zip(by_hand, ends, strict=True)] == [True, True]
        ((_, moments),) = find_lead(ready, receipt.contact_id).days
        assert [moment.what for moment in moments if moment.kind == "by hand"] == by_hand[::-1]
        assert "resned" not in str([action.detail for action in list_actions(ready.reads).rows]), "it stays for good"
        erase(ready, ANA)
        assert "resned" not in str(find_lead(ready, receipt.contact_id))

    @pytest.mark.parametrize("address", ["ana", "ANA@resend.dev", "bea@resend.dev"])
    def test_one_that_is_none_or_the_same_or_another_lead_s_changes_nothing(self, ready, address):
        receipt, _ = opt_in(ready), opt_in(ready, "bea@resend.dev")
        with pytest.raises(NotPossible):
            settle.correct_address(ready, receipt.contact_id, address, WHO)
        assert address_of(ready, receipt) == ANA

    @pytest.mark.both_databases
    def test_what_comes_back_from_the_old_address_stops_nothing_at_the_new_one(self, ready):
        receipt = opt_in(ready, "ana@resned.dev")
        deliver(ready, email_ids(receipt)[:1])
        settle.correct_address(ready, receipt.contact_id, ANA, WHO)
        record_event(ready, report(ready, email_ids(receipt)[0], "email.bounced"))
        assert states(ready, receipt) == ["bounced", *["planned"] * 4]
        assert undelivered_lately(ready)["bounced"].startswith("1 email to ana@resned.dev: ")
        ready.now.forward(days=1)
        deliver(ready, email_ids(receipt)[1:2])
        assert ready.mailer.sent_to() == ["ana@resned.dev", ANA]
        record_event(ready, report(ready, email_ids(receipt)[1], "email.bounced"))
        assert set(states(ready, receipt)[2:]) == {"cancelled"}, "what comes back from the new one ends all"

    def test_a_lead_whose_first_email_came_back_gets_all_after_the_correction(self, ready):
        receipt = bounced(ready, "ana@resned.dev")
        told = settle.correct_address(ready, receipt.contact_id, ANA, WHO)
        assert told == "the address is corrected: no email waits for it; to go on, enrol the lead again"
        again = enrol_manually(ready, "lead_nurture", ANA, {})
        assert (again.status, len(again.emails)) == ("accepted", 5)
        deliver(ready, email_ids(again)[:1])
        assert ready.mailer.sent_to() == ["ana@resned.dev", ANA]
        assert enrol_manually(ready, "lead_nurture", ANA, {}).status == "duplicate"

    def test_an_address_to_which_nothing_goes_is_said_to_be_one(self, ready):
        receipt = opt_in(ready, "ana@resned.dev")
        suppress(ready, ANA, Scope.MARKETING)
        told = settle.correct_address(ready, receipt.contact_id, ANA, WHO)
        assert "; but no marketing goes to it: mail was stopped by a person" in told
        suppress(ready, "ana@resend.example", Scope.ALL)
        told = settle.correct_address(ready, receipt.contact_id, "ana@resend.example", WHO)
        assert "; but nothing goes to it: mail was stopped by a person" in told

    def test_a_suppression_is_released_and_what_ended_stays_ended(self, ready):
        receipt = opt_in(ready)
        operate.suppress(ready, receipt.contact_id, WHO)
        assert "mailed again" in settle.mail_again(ready, receipt.contact_id, WHO)
        assert set(states(ready, receipt)) == {"cancelled"}
        with pytest.raises(NotPossible):
            settle.mail_again(ready, receipt.contact_id, WHO)
        again = enrol(ready, call(ANA, Event.ASSESSMENT))
        deliver(ready, email_ids(again)[:1])
        assert ready.mailer.sent_to() == [ANA]


@pytest.mark.parametrize(
    ("outcome", "state", "told"),
    [
        ("delivered", State.DELIVERED, "recorded as delivered"),
        ("not-sent", State.PLANNED, "recorded as never sent, to go again now"),
    ],
)
def test_all_that_are_in_doubt_are_settled_at_once(ready, outcome, state, told):
    first = [email_ids(opt_in(ready, f"{name}@resend.dev"))[0] for name in ("ana", "bea", "cy")]
    ready.mailer.script = [CONFLICT] * 3
    for email_id in first:
        deliver(ready, [email_id])
    assert len(look_at_today(ready).todo.ambiguous) == 3
    assert settle.settle_all(ready, outcome, WHO) == f"3 emails {told}"
    assert {look(ready, email_id).state for email_id in first} == {state}


class TestUnsubscribedByMistake:
    """For a day a reader may take it back; what somebody else forbade stays forbidden."""

    def token(self, deps):
        receipt = opt_in(deps)
        with deps.reads() as session:
            return receipt, leads.get(session, receipt.contact_id).unsubscribe_token

    def test_it_is_taken_back_within_a_day_and_not_later(self, ready):
        receipt, token = self.token(ready)
        unsubscribe(ready, token)
        assert find_standing(ready, token).may_undo
        assert undo(ready, token) and find_standing(ready, token).marketing
        assert set(states(ready, receipt)) == {"cancelled"}, "the sequence has ended"
        unsubscribe(ready, token)
        ready.now.forward(hours=25)
        assert undo(ready, token)
        assert not find_standing(ready, token).may_undo and not find_standing(ready, token).marketing
        (done,) = list_actions(ready.reads).rows
        assert (done.operator, done.source, done.whom) == ("the reader", "unsubscribe page", ANA)
        days = find_lead(ready, receipt.contact_id).days
        told = [moment.what for _, moments in days for moment in moments]
        assert told.count("the reader: took back an unsubscribe that was pressed by mistake") == 1

    @pytest.mark.both_databases
    def test_what_a_person_forbade_is_not_taken_back(self, ready):
        receipt, token = self.token(ready)
        operate.suppress(ready, receipt.contact_id, WHO)
        unsubscribe(ready, token)
        undo(ready, token)
        assert find_standing(ready, token).nothing
        assert not undo(ready, "nobody's")
