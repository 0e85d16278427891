"""Trace: a contact's whole story in the ledger's own words, with one plain sentence for each sequence."""

import pytest

from funnel_app.campaigns.states import State
from funnel_app.flows.console.intervene import cancel, release
from funnel_app.flows.intake.keep_refused import refuse
from funnel_app.flows.maintenance.sweep import sweep
from funnel_app.flows.privacy.suppress import suppress
from funnel_app.flows.privacy.unsubscribe import unsubscribe
from funnel_app.flows.sending.deliver import deliver
from funnel_app.flows.sending.record_event import record_event
from funnel_app.flows.tracing.trace import trace
from funnel_app.gateways.resend.answers import Answer, AnswerKind
from funnel_app.ledger import contacts
from funnel_app.ledger.models import Email, Enrolment, EnrolmentState, Scope
from tests.factories import make_deps
from tests.flows.leads import assess, email_ids, opt_in, write_templates
from tests.flows.monitoring.live import silent
from tests.flows.sending.test_record_event import report

ANOTHER = " (ask for another address; if this one is right: flask contacts release)"


def sentence(deps) -> str:
    return trace(deps, "ana@resend.dev")["enrolments"][0]["sentence"]


class TestStrangers:
    """Of an address that the ledger does not know it is said what can be known, and what to do."""

    def test_a_stranger_has_no_story_and_it_is_said_where_to_look(self, deps):
        told = trace(deps, "nobody@resend.dev")
        assert (told["contact"], told["hooks"], told["enrolments"], told["similar"]) == (None, [], [], [])
        assert told["sentence"].startswith("Nobody with the address nobody@resend.dev ever came in; no ")
        assert "flask hooks list" in told["sentence"]

    def test_one_whose_address_is_not_mailed_has_that(self, deps):
        suppress(deps, "nobody@resend.dev", Scope.ALL)
        told = {"scope": "all", "reason": "mail was stopped by a person on 24 November", "at": "2026-11-24T12:00:00Z"}
        assert trace(deps, "nobody@resend.dev")["suppressions"] == [told]

    def test_a_refused_call_that_names_it_is_shown_with_its_fix(self, deps):
        errors = {"meeting_time": ["Not a valid datetime."]}
        refuse(deps, campaign="christmas", hook="booking", payload={"email": "joana@resend.dev"}, errors=errors)
        mine = refuse(deps, campaign="christmas", hook="booking", payload={"email": "Ana@Resend.dev"}, errors=errors)
        told = trace(deps, "ana@resend.dev")
        assert [hook["id"] for hook in told["hooks"]] == [str(mine)], "another's address that ends so is another's"
        assert "a call that named it was refused (meeting_time: Not a valid datetime.)" in told["sentence"]
        assert f"flask hooks replay {mine} --set" in told["sentence"]

    def test_addresses_like_it_are_named(self, deps):
        for address in ("maria.santos@gmail.com", "bea@resend.dev", "delivered+canary-1@resend.dev"):
            opt_in(deps, address)
        for typed in ("maria.santos@gmial.com", "naria.santos@gmail.com", "maria.santo@gmail.com"):
            told = trace(deps, typed)
            assert told["similar"] == ["maria.santos@gmail.com"]
            assert told["sentence"].endswith("; did you mean maria.santos@gmail.com?")
        for typed in ("%@gmail.com", "delivered+canary-2@resend.dev", "", "maria"):
            assert trace(deps, typed)["similar"] == []


def test_a_refused_call_of_somebody_known_is_part_of_the_story(deps):
    opt_in(deps)
    deps.now.forward(minutes=5)
    call = {"email": "ana@resend.dev", "meeting_time": "soon"}
    errors = {"meeting_time": ["Not a valid datetime."]}
    hook_id = refuse(deps, campaign="christmas", hook="booking", payload=call, errors=errors)
    told = trace(deps, "ana@resend.dev")
    assert [hook["outcome"] for hook in told["hooks"]] == ["accepted", "refused"]
    what = f"by the website, refused: meeting_time: Not a valid datetime.; flask hooks show {hook_id}"
    assert told["story"][-1] == {"at": "2026-11-24T12:05:00Z", "about": "Booking", "what": what}


def test_the_story_names_hooks_sequences_emails_and_events(deps):
    write_templates(deps)
    first = email_ids(opt_in(deps))[0]
    deliver(deps, [first])
    record_event(deps, report(deps, first, detail="250 ok"))
    story = trace(deps, " ANA@resend.dev ")
    assert story["contact"]["email"] == "ana@resend.dev"
    assert [(h["hook"], h["outcome"], h["status"]) for h in story["hooks"]] == [("signup", "accepted", 202)]
    assert story["enrolments"][0]["hook_id"] == story["hooks"][0]["id"]
    assert (story["contact"]["updated_at"], story["contact"]["notion_refused"]) == (
        story["contact"]["created_at"],
        None,
    )
    (enrolment,) = story["enrolments"]
    assert (enrolment["campaign"], enrolment["sequence"], enrolment["state"]) == ("christmas", "lead_nurture", "active")
    email = enrolment["emails"][0]
    assert (email["step"], email["template"], email["state"]) == (1, "lead_nurture_email_1", "delivered")
    assert [event["kind"] for event in email["events"]] == [
        "planned",
        "sending",
        "sent",
        "email.delivered",
        "delivered",
    ]
    assert email["events"][-1] == {"at": "2026-11-24T12:00:00Z", "kind": "delivered", "detail": "250 ok"}


def test_the_story_tells_each_thing_once_in_time_order(deps):
    write_templates(deps)
    first, *_, last = email_ids(opt_in(deps))
    deliver(deps, [first])
    for seconds, kind in ((1, "email.sent"), (2, "email.delivered")):
        deps.now.forward(seconds=seconds)
        record_event(deps, report(deps, first, kind))
    cancel(deps, last)
    deps.now.forward(seconds=1)
    assess(deps)
    suppress(deps, "ana@resend.dev", Scope.MARKETING)
    lines = [(line["at"][14:19], line["about"], line["what"]) for line in trace(deps, "ana@resend.dev")["story"]]
    assert lines == [
        ("00:00", "Sign-up", "by the website, accepted"),
        ("00:00", "Nurture for new opt-ins", "started with 5 emails"),
        ("00:00", "Day 1: your holiday playbook", "handed to Resend"),
        ("00:01", "Day 1: your holiday playbook", "Resend reports: sent"),
        ("00:03", "Day 1: your holiday playbook", "Resend reports: delivered"),
        ("00:03", "Day 5: one last note", "cancelled: withdrawn by a person"),
        ("00:04", "Assessment", "by the website, accepted"),
        ("00:04", "Nurture for new opt-ins", "ended: took the assessment on 24 November"),
        ("00:04", "Five-day follow-up", "started with 5 emails"),
        ("00:04", "Five-day follow-up", "ended: mail was stopped by a person on 24 November"),
        ("00:04", "contact", "not mailed (marketing): mail was stopped by a person on 24 November"),
    ]


def test_what_the_funnel_itself_found_is_told_too(deps):
    receipt = opt_in(deps)
    first = email_ids(receipt)[0]
    deliver(deps, [first])
    release(deps, first)
    write_templates(deps)
    deps.now.forward(minutes=2)
    deliver(deps, [first])
    record_event(deps, report(deps, first, resend_id="resend-0-0"))
    record_event(deps, report(deps, first, resend_id="another"))
    for email_id in email_ids(receipt)[1:]:
        cancel(deps, email_id)
    sweep(deps)
    told = [line["what"] for line in trace(deps, "ana@resend.dev")["story"]]
    assert told[2:6] == [
        (
            "held: template lead_nurture_email_1 in Notion: no page in the templates database is named "
            "lead_nurture_email_1"
        ),
        "planned again: released by a person",
        "handed to Resend",
        "Resend reports: delivered",
    ]
    assert told[-1] == "completed"


def test_the_sentence_of_a_sequence_on_its_way(deps):
    opt_in(deps)
    assert sentence(deps) == "0 of 5 emails delivered; email 1 is due and goes within seconds."
    write_templates(deps)
    deliver(deps, [first_id(deps)])
    assert sentence(deps) == (
        "0 of 5 emails delivered; email 1 was taken by Resend just now and waits for proof of delivery; "
        "email 2 goes today at 07:01."
    )
    record_event(deps, report(deps, first_id(deps)))
    assert sentence(deps) == "1 of 5 emails delivered; email 2 goes today at 07:01."


def test_an_email_that_did_not_go_in_time_is_not_promised(deps):
    opt_in(deps)
    deps.now.forward(minutes=5)
    assert sentence(deps) == (
        "0 of 5 emails delivered; email 1 was due today at 07:00 and has not gone yet; flask doctor says what to do."
    )
    silent(deps, "worker")
    assert sentence(deps) == (
        "0 of 5 emails delivered; email 1 is due and waits: no worker has been heard of lately "
        "(flask doctor says what to do); it goes by itself after that."
    )


@pytest.mark.parametrize(("step", "when"), [(2, "tomorrow at 07:00"), (3, "on Thursday 26 November at 07:00")])
def test_times_are_told_as_the_business_tells_them(sqlite, step, when):
    deps = make_deps(sqlite, testing_mode=False)
    receipt = opt_in(deps)
    with deps.sessions.begin() as session:
        for email_id in email_ids(receipt)[: step - 1]:
            session.get(Email, email_id).state = State.DELIVERED
    assert sentence(deps) == f"{step - 1} of 5 emails delivered; email {step} goes {when}."


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("quota", "the quota of the Resend account is used up (429 said Resend)"),
        ("clock", "429 said Resend"),
    ],
)
def test_the_sentence_names_the_pause_that_an_email_waits_for(deps, kind, why):
    opt_in(deps)
    deps.pause.pause("429 said Resend", 3600, kind)
    assert sentence(deps) == (
        "0 of 5 emails delivered; email 1 is due and waits: all sending is paused until 08:00 on 24 November, "
        f"since {why}; it goes by itself after that."
    )


def test_the_sentence_tells_resends_last_words_of_an_email_on_its_way(deps):
    write_templates(deps)
    deps.mailer.script = [Answer(AnswerKind.RATE_LIMITED, detail="429 too many", retry_after=60.0)]
    deliver(deps, email_ids(opt_in(deps))[:1])
    assert sentence(deps) == (
        "0 of 5 emails delivered; email 1 is on its way to Resend: the Resend team makes more calls than it may; "
        "the same request goes again today at 07:01; email 2 waits until email 1 is settled."
    )


def first_id(deps):
    with deps.reads() as session:
        return session.query(Email.id).filter(Email.step == 1).scalar()


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (State.SENDING, "email 1 is being handed to Resend; email 2 waits until email 1 is settled."),
        (
            State.HELD,
            (
                "email 1 is held: why; fix that, and it goes by itself within two minutes; "
                "email 2 waits until email 1 is settled."
            ),
        ),
        (
            State.AMBIGUOUS,
            (
                "email 1 why; look it up in Resend, then run flask emails resolve ID delivered, failed or not-sent; "
                "email 2 waits until email 1 is settled."
            ),
        ),
        (State.DELAYED, "email 1 is delayed: why; nothing to do, Resend tries again; email 2 goes today at 07:01."),
        (
            State.BOUNCED,
            f"email 1 bounced: why{ANOTHER}; email 2 goes today at 07:01.",
        ),
        (State.SUPPRESSED, "email 1 was not sent: why; email 2 goes today at 07:01."),
        (
            State.FAILED,
            "email 1 failed: why (once that is fixed: flask emails retry ID); email 2 goes today at 07:01.",
        ),
    ],
)
def test_the_sentence_names_what_an_email_waits_for_and_what_to_do(deps, state, words):
    opt_in(deps)
    with deps.sessions.begin() as session:
        email = session.get(Email, first_id(deps))
        email.state, email.reason = state, "why"
    assert sentence(deps) == f"0 of 5 emails delivered; {words}".replace("ID", str(first_id(deps)))
    coming = trace(deps, "ana@resend.dev")["enrolments"][0]["next"]
    waits = "email 2 waits until email 1 is settled"
    assert coming["waits"] == (waits if waits in words else None), "what goes next says the same as the sentence"


def test_the_sentence_of_a_sequence_that_ended_early_says_why(deps):
    opt_in(deps)
    assess(deps)
    assert sentence(deps) == "0 of 5 emails delivered; the sequence ended: took the assessment on 24 November."


def test_the_sentence_of_a_paused_sequence(deps):
    receipt = opt_in(deps)
    with deps.sessions.begin() as session:
        session.get(Enrolment, receipt.enrolment_id).state = EnrolmentState.PAUSED
    assert sentence(deps) == (
        "0 of 5 emails delivered; the sequence is paused by a person, and goes on when a person resumes it."
    )


def test_the_sentence_of_a_finished_sequence_names_what_did_not_arrive(deps):
    receipt = opt_in(deps)
    ends = {4: (State.CANCELLED, "withdrawn by a person"), 5: (State.BOUNCED, "mailbox does not exist")}
    with deps.sessions.begin() as session:
        for email_id in email_ids(receipt):
            email = session.get(Email, email_id)
            email.state, email.reason = ends.get(email.step, (State.DELIVERED, None))
    assert sentence(deps) == (
        f"3 of 5 emails delivered; email 5 bounced: mailbox does not exist{ANOTHER}; "
        "email 4 cancelled: withdrawn by a person."
    )


class TestBars:
    """What keeps every email from a person is said of those to come too, with what a person can do about it."""

    def test_a_suppressed_address_that_comes_again_is_promised_nothing(self, deps):
        suppress(deps, "ana@resend.dev", Scope.MARKETING)
        receipt = opt_in(deps)
        why = "mail was stopped by a person on 24 November"
        cure = "flask contacts release lets it be mailed again"
        assert sentence(deps) == f"0 of 5 emails delivered; nothing more goes: {why} ({cure})."
        assert trace(deps, "ana@resend.dev")["enrolments"][0]["next"] is None
        deliver(deps, email_ids(receipt)[:1])
        assert sentence(deps) == (
            f"0 of 5 emails delivered; email 1 was not sent: {why}; nothing more goes, for that reason ({cure})."
        )

    def test_one_who_unsubscribed_is_left_alone(self, deps):
        opt_in(deps)
        with deps.reads() as session:
            token = contacts.find(session, "ana@resend.dev").unsubscribe_token
        unsubscribe(deps, token, Scope.ALL)
        opt_in(deps)
        assert "release" not in sentence(deps)

    def test_a_stranger_in_testing_mode_is_promised_nothing_and_told_once(self, engine):
        deps = make_deps(engine, testing_mode=True)
        receipt = opt_in(deps, "ana@client.example")
        ids = email_ids(receipt)
        told = lambda: trace(deps, "ana@client.example")["enrolments"][0]["sentence"]  # noqa: E731
        why = "testing mode: the address is not in TEST_RECIPIENTS"
        cure = "(add it there, or set TESTING_MODE=false for those who come from then on)"
        assert told() == f"0 of 5 emails delivered; nothing more goes: {why} {cure}."
        write_templates(deps)
        deps.now.forward(minutes=2)
        deliver(deps, ids[:1])
        deliver(deps, ids[1:2])
        assert told() == (
            f"0 of 5 emails delivered; each of emails 1 and 2 skipped: {why}; "
            f"nothing more goes, for that reason {cure}."
        )

    def test_a_live_lead_waits_while_this_funnel_is_in_testing_mode(self, engine):
        opt_in(make_deps(engine, testing_mode=False))
        deps = make_deps(engine, testing_mode=True)
        assert sentence(deps) == "0 of 5 emails delivered; email 1 is live and waits: TESTING_MODE is true here."


def test_the_same_of_several_emails_in_a_row_is_said_once(deps):
    receipt = opt_in(deps)
    with deps.sessions.begin() as session:
        for step, email_id in enumerate(email_ids(receipt), 1):
            email = session.get(Email, email_id)
            email.state, email.reason = (State.DELIVERED, None) if step == 3 else (State.SKIPPED, "too late")
    assert sentence(deps) == (
        "1 of 5 emails delivered; each of emails 1 and 2 skipped: too late; each of emails 4 and 5 skipped: too late."
    )


def test_what_happened_in_one_second_stands_in_the_order_in_which_it_can_happen(deps):
    write_templates(deps)
    first = email_ids(opt_in(deps))[0]
    at = deps.now().replace(microsecond=0)
    deps.now.forward(microseconds=900_000)  # Resend's own time of an email is before that of its answer
    deliver(deps, [first])
    for kind in ("email.clicked", "email.opened", "email.delivered", "email.sent"):
        record_event(deps, report(deps, first, kind, at=at))
    told = [line["what"] for line in trace(deps, "ana@resend.dev")["story"] if line["about"].startswith("Day 1")]
    reported = [words.partition("Resend reports: ")[2] for words in told if words.startswith("Resend reports: ")]
    assert reported == ["sent", "delivered", "opened", "clicked"]
    assert told.index("handed to Resend") < told.index("Resend reports: sent")
