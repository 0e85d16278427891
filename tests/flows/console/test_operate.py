"""Operate: what a person does is done under their name, wins until the freeze, and is refused when too late."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from funnel_app.campaigns.model import Event
from funnel_app.campaigns.states import State
from funnel_app.flows.console import operate
from funnel_app.flows.console.operate import NotPossible
from funnel_app.flows.maintenance.sweep import sweep
from funnel_app.flows.sending.deliver import deliver
from funnel_app.gateways.resend.answers import Answer, AnswerKind
from funnel_app.ledger import emails, operator_actions
from funnel_app.ledger.models import EmailEvent, Enrolment, Suppression
from funnel_app.ledger.models.base import Scope
from tests.console_world import catch_up, hold, sign_up
from tests.flows.leads import email_ids, look, opt_in, states

WHO = "Olga"


def state_of(deps, receipt) -> str:
    with deps.reads() as session:
        return session.scalars(select(Enrolment.state).where(Enrolment.id == receipt.enrolment_id)).one()


def actions(deps, receipt) -> list[tuple[str, str]]:
    with deps.reads() as session:
        return [(row.operator, row.action) for row in operator_actions.of_contact(session, receipt.contact_id)]


def test_a_pause_stops_everything_and_a_resume_lets_it_go_on(ready):
    receipt = opt_in(ready)
    assert operate.pause(ready, receipt.enrolment_id, WHO) == "“Nurture for new opt-ins” is paused"
    ready.now.forward(minutes=10)
    catch_up(ready)
    sweep(ready)
    assert state_of(ready, receipt) == "paused" and ready.mailer.sent() == []
    operate.resume(ready, receipt.enrolment_id, WHO)
    catch_up(ready)
    assert len(ready.mailer.sent()) == 1, "not a pile at once"
    later = [look(ready, email_id).due_at for email_id in email_ids(receipt)[1:]]
    assert later[0] == ready.now() + timedelta(minutes=1), "the steps behind it move by its lateness"
    assert actions(ready, receipt) == [(WHO, "pause"), (WHO, "resume")]


@pytest.mark.both_databases
def test_what_a_person_changes_is_shown_in_notion(ready):
    receipt = opt_in(ready)
    for change in (operate.pause, operate.resume, operate.stop):
        with ready.sessions.begin() as session:
            session.get(Enrolment, receipt.enrolment_id).mirror_stale_since = None
        ready.now.forward(seconds=5)
        change(ready, receipt.enrolment_id, WHO)
        with ready.reads() as session:
            assert session.get(Enrolment, receipt.enrolment_id).mirror_stale_since == ready.now()


def test_a_resume_arms_what_it_sets_going(ready):
    receipt = opt_in(ready)
    operate.pause(ready, receipt.enrolment_id, WHO)
    ready.queues.clock.clear()
    ready.queues.queued.clear()
    operate.resume(ready, receipt.enrolment_id, WHO)
    assert ready.queues.emails() == email_ids(receipt)[:1] and set(ready.queues.clock) == set(email_ids(receipt)[1:])


def test_a_pause_that_commits_before_the_freeze_wins(ready, monkeypatch):
    receipt = opt_in(ready)
    read = ready.notebook.find_templates

    def pause_meanwhile(*asked):
        operate.pause(ready, receipt.enrolment_id, WHO)
        return read(*asked)

    monkeypatch.setattr(ready.notebook, "find_templates", pause_meanwhile)
    deliver(ready, email_ids(receipt)[:1])
    assert ready.mailer.sent() == []
    assert states(ready, receipt)[0] == "planned"


def test_a_pause_after_the_freeze_leaves_that_email_its_way(ready):
    receipt = opt_in(ready)
    ready.mailer.script = [Answer(AnswerKind.RATE_LIMITED, detail="429", retry_after=3.0)]
    deliver(ready, email_ids(receipt)[:1])
    operate.pause(ready, receipt.enrolment_id, WHO)
    assert states(ready, receipt) == ["sending", "planned", "planned", "planned", "planned"]


@pytest.mark.both_databases
def test_a_stop_cancels_what_has_not_gone_with_the_name_as_the_reason(ready):
    receipt = opt_in(ready)
    deliver(ready, email_ids(receipt)[:1])
    operate.stop(ready, receipt.enrolment_id, WHO)
    assert states(ready, receipt) == ["sent", *["cancelled"] * 4]
    assert look(ready, email_ids(receipt)[1]).reason == "stopped by Olga"
    assert state_of(ready, receipt) == "exited"


@pytest.mark.both_databases
def test_the_next_email_goes_now_and_the_others_keep_their_times(ready):
    receipt = opt_in(ready)
    catch_up(ready)
    before = [look(ready, email_id).due_at for email_id in email_ids(receipt)[2:]]
    told = operate.send_next_now(ready, receipt.enrolment_id, WHO)
    assert told == "“Day 2: five windows of the year” goes now"
    assert ready.queues.emails()[-1] == email_ids(receipt)[1]
    catch_up(ready)
    assert states(ready, receipt)[:3] == ["delivered", "delivered", "planned"]
    assert [look(ready, email_id).due_at for email_id in email_ids(receipt)[2:]] == before
    with ready.reads() as session:
        by_hand = session.scalars(select(EmailEvent.detail).where(EmailEvent.kind == "by hand")).all()
    assert len(by_hand) == 1 and by_hand[0].startswith("Olga sends it now; it was due ")


def test_nothing_overtakes_an_email_that_comes_first(ready):
    held = hold(ready, 1)
    with pytest.raises(NotPossible, match="Email 1 comes first, and it is held: template lead_nurture_email_1"):
        operate.send_next_now(ready, held.enrolment_id, WHO)


def test_there_is_nothing_to_send_when_all_is_through(ready):
    receipt = opt_in(ready)
    for email_id in email_ids(receipt):
        operate.skip_step(ready, email_id, WHO)
    with pytest.raises(NotPossible, match="No email of this sequence is left"):
        operate.send_next_now(ready, receipt.enrolment_id, WHO)


def test_one_step_is_left_out_and_the_others_go(ready):
    receipt = opt_in(ready)
    operate.skip_step(ready, email_ids(receipt)[0], WHO)
    assert states(ready, receipt) == ["skipped", *["planned"] * 4]
    assert look(ready, email_ids(receipt)[0]).reason == "skipped by Olga"
    ready.now.forward(minutes=1)
    catch_up(ready)
    assert states(ready, receipt)[1] == "delivered"


@pytest.mark.both_databases
def test_a_held_step_can_be_skipped_too(ready):
    held = hold(ready, 1)
    operate.skip_step(ready, email_ids(held)[0], WHO)
    assert states(ready, held)[0] == "skipped"


@pytest.mark.parametrize(
    ("before", "then", "words"),
    [
        (operate.pause, operate.pause, "“Nurture for new opt-ins” is paused"),
        (operate.stop, operate.pause, "“Nurture for new opt-ins” is over"),
        (operate.stop, operate.stop, "“Nurture for new opt-ins” is over"),
        (operate.stop, operate.resume, "“Nurture for new opt-ins” is over"),
        (operate.pause, operate.send_next_now, "“Nurture for new opt-ins” is paused"),
    ],
)
def test_what_comes_too_late_is_refused_with_the_reason_and_changes_nothing(ready, before, then, words):
    receipt = opt_in(ready)
    before(ready, receipt.enrolment_id, WHO)
    found = states(ready, receipt)
    with pytest.raises(NotPossible, match=words):
        then(ready, receipt.enrolment_id, WHO)
    assert states(ready, receipt) == found and len(actions(ready, receipt)) == 1


def test_what_has_gone_cannot_be_skipped_any_more(ready):
    receipt = opt_in(ready)
    deliver(ready, email_ids(receipt)[:1])
    with pytest.raises(NotPossible, match="Email 1 is sent already"):
        operate.skip_step(ready, email_ids(receipt)[0], WHO)


def test_an_email_that_is_not_there_is_told(ready):
    with pytest.raises(NotPossible, match="not there"):
        operate.skip_step(ready, opt_in(ready).enrolment_id, WHO)


@pytest.mark.parametrize(("scope", "ended"), [(Scope.ALL, 2), (Scope.MARKETING, 1)])
def test_a_suppressed_address_gets_nothing_or_no_marketing(ready, scope, ended):
    receipt = sign_up(ready, 0)
    booked = sign_up(ready, 0, Event.NO_SHOW, occurrence="a", call_at=ready.now())
    onboarded = sign_up(ready, 1, Event.ONBOARDING)
    both = sign_up(ready, 1)
    assert both.status == "ignored" and booked.emails
    told = operate.suppress(ready, onboarded.contact_id, WHO, scope)
    assert told.endswith("goes to this address any more")
    assert operate.suppress(ready, receipt.contact_id, WHO, scope).startswith(
        "nothing" if scope is Scope.ALL else "no marketing"
    )
    assert set(states(ready, receipt)) == set(states(ready, booked)) == {"cancelled"}
    assert set(states(ready, onboarded)) == ({"cancelled"} if ended == 2 else {"planned"})
    with ready.reads() as session:
        assert {(row.scope, row.reason) for row in session.scalars(select(Suppression))} == {
            (scope, "mail was stopped by Olga")
        }
    operate.suppress(ready, receipt.contact_id, WHO, scope)
    assert actions(ready, receipt) == [(WHO, "suppress")] * 2


@pytest.mark.both_databases
def test_held_emails_are_looked_at_again_at_once(ready):
    receipt = hold(ready, 1)
    first = email_ids(receipt)[0]
    assert look(ready, first).next_attempt_at > ready.now()
    told = operate.look_again(ready, "lead_nurture_email_1", WHO)
    assert told == "1 held emails of “Day 1: your holiday playbook” are looked at again within seconds"
    assert look(ready, first).next_attempt_at == ready.now()


def ambiguous(deps):
    receipt = opt_in(deps)
    deps.mailer.script = [Answer(AnswerKind.CONFLICT, detail="409 invalid_idempotent_request")]
    deliver(deps, email_ids(receipt)[:1])
    assert states(deps, receipt)[0] == "ambiguous"
    return receipt


def test_an_ambiguous_email_that_was_found_delivered_counts_so(ready):
    receipt = ambiguous(ready)
    operate.found_delivered(ready, email_ids(receipt)[0], WHO)
    email = look(ready, email_ids(receipt)[0])
    assert (email.state, email.reason) == (State.DELIVERED, "it arrived, as found by a person")
    assert actions(ready, receipt) == [(WHO, "found_delivered")]
    ready.now.forward(minutes=1)
    catch_up(ready)
    assert states(ready, receipt)[1] == "delivered", "the sequence goes on"


def test_an_ambiguous_email_that_never_went_out_goes_under_another_key(ready):
    receipt = ambiguous(ready)
    operate.send_again(ready, email_ids(receipt)[0], WHO)
    catch_up(ready)
    keys = [key for key, _ in ready.mailer.calls]
    assert states(ready, receipt)[0] == "delivered" and len(set(keys)) == 2


def test_a_failed_email_is_tried_again_and_a_held_one_now(ready):
    receipt = opt_in(ready)
    ready.mailer.script = [Answer(AnswerKind.INVALID, detail="422 validation_error")]
    deliver(ready, email_ids(receipt)[:1])
    operate.retry(ready, email_ids(receipt)[0], WHO)
    catch_up(ready)
    assert states(ready, receipt)[0] == "delivered" and actions(ready, receipt) == [(WHO, "retry")]
    held = hold(ready, 1)
    operate.release(ready, email_ids(held)[0], WHO)
    assert states(ready, held)[0] == "planned" and actions(ready, held) == [(WHO, "release")]


@pytest.mark.parametrize("settle_manually", [operate.found_delivered, operate.send_again])
def test_what_is_settled_by_now_is_not_settled_manually(ready, settle_manually):
    receipt = opt_in(ready)
    with pytest.raises(NotPossible, match="This email is planned; only one that is ambiguous"):
        settle_manually(ready, email_ids(receipt)[0], WHO)


def test_what_is_done_by_another_flow_is_written_down_too(ready):
    receipt = opt_in(ready)
    operate.note(ready, WHO, "enrol", receipt.contact_id, "christmas/lead_nurture: accepted")
    assert actions(ready, receipt) == [(WHO, "enrol")]


def test_two_operators_at_once_do_it_once(ready):
    receipt = opt_in(ready)
    with ready.sessions.begin() as session:
        assert len(emails.load(session, email_ids(receipt))) == 5
    operate.stop(ready, receipt.enrolment_id, "Olga")
    with pytest.raises(NotPossible):
        operate.stop(ready, receipt.enrolment_id, "Otto")
    assert actions(ready, receipt) == [("Olga", "stop")]
