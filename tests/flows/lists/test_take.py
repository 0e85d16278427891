"""Take: a list comes in without doubles, wherever it was stopped, and nobody is mailed who left elsewhere."""

import io
from dataclasses import replace

import pytest
from sqlalchemy import select

from funnel_app.flows.lists import take
from funnel_app.flows.lists.import_settings import ImportSettings, NotPossible, first_guess, plan_of, with_columns
from funnel_app.flows.lists.take import take_list
from funnel_app.flows.pacing import LONGEST_PAUSE_S
from funnel_app.flows.privacy.erase import erase
from funnel_app.flows.privacy.suppress import suppress
from funnel_app.flows.tracing.trace import trace
from funnel_app.ledger import contacts
from funnel_app.ledger.models import Contact, Email, Enrolment, HookEvent, Scope, Suppression
from funnel_app.lists.row import SWALLOWED
from tests.flows.leads import count, opt_in

CONSENT = "form at the fair in Toronto, 3 May 2026"
NURTURE = "lead_nurture"


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch):
    monkeypatch.setattr(take, "ROWS_AT_ONCE", 3)


def listed(deps, text, *said, dry_run=False, **chosen):
    """Import a text and return the answers by address."""
    file = io.BytesIO(text.encode())
    form, guessed = first_guess(file)
    wanted = {"sequence": NURTURE, "consent": CONSENT, **chosen}
    plan = plan_of(deps.registry, file, ImportSettings(columns=with_columns(form, guessed, said), **wanted))
    steps = take_list(deps, file, plan, dry_run=dry_run)
    return {answer.address: answer for step in steps for answer in step.answers}


def answers(found):
    return {address.partition("@")[0]: answer.answer for address, answer in found.items()}


def many(number: int) -> str:
    return "Email,First Name\n" + "".join(f"lead{n}@resend.dev,Ana\n" for n in range(number))


def test_each_row_starts_its_sequence_once_and_is_answered(deps):
    first = listed(deps, many(7))
    assert {each.answer for each in first.values()} == {"enrolled"} and len(first) == 7
    assert (count(deps, Enrolment), count(deps, Email)) == (7, 35)
    deps.now.forward(days=40)
    assert listed(deps, many(7)) == first
    assert (count(deps, Enrolment), count(deps, HookEvent)) == (7, 7)


@pytest.mark.parametrize("died_after", [0, 1, 2])
def test_an_import_that_died_is_repeated_without_doubles(deps, died_after):
    file = io.BytesIO(many(7).encode())
    plan = plan_of(deps.registry, file, ImportSettings(columns=first_guess(file)[1], sequence=NURTURE, consent=CONSENT))
    steps = (step for step in take_list(deps, file, plan) if step.answers)
    begun = [answer for _, step in zip(range(died_after), steps, strict=False) for answer in step.answers]
    assert len(begun) == died_after * take.ROWS_AT_ONCE
    again = listed(deps, many(7))
    assert count(deps, Enrolment) == count(deps, HookEvent) == len(again) == 7
    assert all(again[answer.address] == answer for answer in begun)


def test_a_batch_that_fails_at_its_commit_leaves_nothing_of_it(deps, monkeypatch):
    real, calls = take.enrol_each, []

    def third_dies(deps, rows, require):
        calls.append(rows)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(deps, rows, require)

    monkeypatch.setattr(take, "enrol_each", third_dies)
    with pytest.raises(KeyboardInterrupt):
        listed(deps, many(8))
    assert count(deps, Enrolment) == 6
    monkeypatch.undo()
    assert {each.answer for each in listed(deps, many(8)).values()} == {"enrolled"}
    assert count(deps, Enrolment) == 8


def test_nobody_is_mailed_who_left_bounced_or_complained_elsewhere(deps):
    found = listed(
        deps,
        "Email,Status\nstays@resend.dev,Subscribed\nleft@resend.dev,Unsubscribed\ndead@resend.dev,Cleaned\n"
        "angry@resend.dev,Marked as spam\nnever@resend.dev,Unconfirmed\nodd@resend.dev,VIP\n"
        "twice@resend.dev,Subscribed\ntwice@resend.dev,Unsubscribed\n",
    )
    assert answers(found) == {
        "stays": "enrolled", "left": "not mailed", "dead": "not mailed", "angry": "not mailed", "never": "left out",
        "odd": "refused", "twice": "not mailed",
    }  # fmt: skip
    assert "VIP" in found["odd@resend.dev"].reason
    with deps.reads() as session:
        scopes = dict(session.execute(select(Suppression.email_norm, Suppression.scope)).all())
    assert scopes == {
        "left@resend.dev": "marketing", "dead@resend.dev": "all", "angry@resend.dev": "all",
        "twice@resend.dev": "marketing",
    }  # fmt: skip
    assert count(deps, Enrolment) == 1


def test_a_list_that_says_somebody_left_ends_what_runs_for_them_here(deps):
    opt_in(deps, "left@resend.dev")
    listed(deps, "Email,Unsubscribed at\nleft@resend.dev,2026-05-03\n", sequence="")
    story = trace(deps, "left@resend.dev")
    assert story["enrolments"][0]["state"] == "exited" and "as a list said" in story["enrolments"][0]["sentence"]


def test_who_left_here_or_was_erased_does_not_come_back_by_a_list(deps):
    suppress(deps, "left@resend.dev", Scope.MARKETING)
    opt_in(deps, "gone@resend.dev")
    erase(deps, "gone@resend.dev")
    found = listed(deps, "Email\nleft@resend.dev\ngone@resend.dev\n")
    assert set(answers(found).values()) == {"left out"}
    assert "mail was stopped by a person" in found["left@resend.dev"].reason
    assert count(deps, Contact) == 1


@pytest.mark.both_databases
def test_a_list_that_says_that_somebody_left_who_was_erased_here_brings_no_address_back(deps):
    opt_in(deps, "gone@resend.dev")
    erase(deps, "gone@resend.dev")
    found = listed(deps, "Email,Status\ngone@resend.dev,Unsubscribed\n")
    assert answers(found) == {"gone": "not mailed"}
    with deps.reads() as session:
        kept = session.execute(select(Suppression.email_norm, Suppression.scope)).all()
    assert sorted(kept, key=lambda each: each.scope) == [(None, "all"), (None, "marketing")]


def test_consent_is_a_column_or_a_stated_source(deps):
    with pytest.raises(NotPossible, match="agreed"):
        listed(deps, "Email\nana@resend.dev\n", consent="")
    rows = "Email,Consent,Consent date\nyes@resend.dev,yes,2026-05-03\nno@resend.dev,no,\nsilent@resend.dev,,\n"
    assert answers(listed(deps, rows, consent="")) == {"yes": "enrolled", "no": "left out", "silent": "left out"}
    assert answers(listed(deps, rows)) == {"yes": "enrolled", "no": "left out", "silent": "enrolled"}
    with deps.reads() as session:
        assert contacts.find(session, "yes@resend.dev").consent_at.day == 3
        assert contacts.find(session, "silent@resend.dev").consent_text == CONSENT


def test_rows_that_cannot_be_used_say_why_and_cost_the_others_nothing(deps):
    found = listed(
        deps,
        "Email,First Name,Lead score\nnobody,,\n,Ana,\nök@resend.dev,Ana,\n123@sms.cal.com,Ana,\nana@resend.dev,Ana,x\n"
        "bo@resend.dev,http://spam.example call 0800123456789,7\nBO@resend.dev,Bo,7\n",
        ("Lead score", "assessment_score"),
    )
    assert [each.answer for each in found.values()] == ["refused"] * 5 + ["enrolled", "repeated"]
    with deps.reads() as session:
        bo = contacts.find(session, "bo@resend.dev")
    assert (bo.first_name, bo.properties["assessment_score"]) == (None, 7)


def test_rows_that_a_quotation_mark_swallowed_are_told_also_where_the_address_went_with_them(deps):
    rows = "".join(f"Bo,bo{number}@resend.dev\n" for number in range(3))
    (answer,) = listed(deps, f'Name,Email\n"Ana,ana@resend.dev\n{rows}').values()
    assert (answer.answer, answer.reason) == ("refused", SWALLOWED)


def test_what_the_hooks_told_is_newer_than_a_list(deps):
    opt_in(deps)
    found = listed(
        deps, "Email,First Name,Company,Column of secrets\nana@resend.dev,Old,Salon Ana,hunter2\n", sequence=""
    )
    assert answers(found) == {"ana": "kept"} and found["ana@resend.dev"].reason == "known already"
    with deps.reads() as session:
        ana = contacts.find(session, "ana@resend.dev")
    assert (ana.first_name, ana.business_name, ana.consent_text) == ("Ana", "Salon Ana", CONSENT)
    assert "hunter2" not in str(ana.properties)
    again = listed(deps, "Email,First Name,Company\nana@resend.dev,Old,Salon Ana\n", sequence="")
    assert answers(again) == {"ana": "already"}


def test_only_mapped_columns_are_kept_of_a_row(deps):
    listed(deps, "Email,Password,First Name\nana@resend.dev,hunter2,Ana\n")
    with deps.reads() as session:
        kept = session.scalars(select(HookEvent)).one()
    assert (kept.source, kept.mailbox, kept.caller) == ("import", None, None)
    assert kept.payload == {"email": "ana@resend.dev", "first_name": "Ana", "name": "Ana", "consent_text": CONSENT,
                            "consent_source": "import"}  # fmt: skip


def test_no_cap_of_forms_holds_for_a_list(deps):
    rows = "Email,OPTIN_IP\n" + "".join(f"ana+{n}@resend.dev,203.0.113.7\n" for n in range(40))
    assert set(answers(listed(deps, rows)).values()) == {"enrolled"}
    assert opt_in(deps, "ana+form@resend.dev").status == "accepted"


@pytest.mark.parametrize("sequence", ["", NURTURE])
def test_a_dry_run_says_the_same_and_changes_nothing(deps, sequence):
    suppress(deps, "left@resend.dev", Scope.ALL)
    rows = "Email,Status\nnew@resend.dev,\nleft@resend.dev,\nout@resend.dev,Unsubscribed\nout@resend.dev,\n"
    foreseen = listed(deps, rows, dry_run=True, sequence=sequence)
    assert (count(deps, Contact), count(deps, Suppression), count(deps, Enrolment)) == (0, 1, 0)
    assert answers(listed(deps, rows, sequence=sequence)) == answers(foreseen)


@pytest.mark.parametrize(
    ("chosen", "word"),
    [
        ({"sequence": "nothing"}, "There is no sequence"),
        ({"sequence": "precall_prep"}, "is about one call"),
        ({"sequence": "five_day"}, "assessment_score"),
        ({"columns": {"email": (0,), "shoe_size": (1,)}}, "There is no field shoe_size"),
        ({"columns": {"name": (0,)}}, "say which one does"),
        ({"means": {"VIP": "great"}}, "means subscribed"),
    ],
)
def test_what_cannot_be_wanted_of_a_list_says_what_can(deps, chosen, word):
    file = io.BytesIO(b"Email,Size\nana@resend.dev,38\n")
    with pytest.raises(NotPossible, match=word):
        plan_of(deps.registry, file, ImportSettings(**{"columns": {"email": (0,)}, "consent": CONSENT, **chosen}))


def test_the_ledger_is_left_to_others_between_two_transactions(deps):
    slept = []
    listed(replace(deps, sleep=slept.append), many(7))
    assert len(slept) == 6 and all(0 <= each <= LONGEST_PAUSE_S for each in slept)
