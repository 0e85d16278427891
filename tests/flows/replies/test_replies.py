"""Replies: kept first, read once, whoever wrote them; what proves itself ends sequences, and people hear of it."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from funnel_app.campaigns.model import Event
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.monitoring.notifications.notify import notify
from funnel_app.flows.outbox.publish import publish_events
from funnel_app.flows.privacy.erase import erase
from funnel_app.flows.privacy.export import export
from funnel_app.flows.replies.forward import refuse_forwarded
from funnel_app.flows.replies.history import NotForwardable, forward_again, list_received
from funnel_app.flows.replies.keep import Arrival, keep_received
from funnel_app.flows.replies.standing import kept_lately, waiting_long
from funnel_app.flows.replies.work import answer_received, forget_received
from funnel_app.flows.sending.record_event import record_event
from funnel_app.flows.tracing.trace import trace
from funnel_app.gateways.errors import Rejected, Unavailable
from funnel_app.gateways.resend.answers import Answer, AnswerKind
from funnel_app.gateways.resend.inbox import IncomingEmail
from funnel_app.ledger import received_emails
from funnel_app.ledger.models.received_emails import ReceivedEmail
from funnel_app.ledger.models.watch import Notice
from funnel_app.rules.emails.reports import Report
from tests.factories import make_deps
from tests.flows.leads import WorkerDied, call, die, email_ids, opt_in, states

MESSAGE_ID, OWNER, CHAT = "0100abc@email.example", "Olga <delivered+olga@resend.dev>", "https://chat.example/leads"
ANA = "ana@resend.dev"
SETTINGS = {
    "reply_forward_to": OWNER,
    "leads_webhook_url": CHAT,
    "events_webhook_urls": ("https://crm.example/in",),
    "events_webhook_secrets": ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",),
}


@pytest.fixture
def mailed(engine):
    """A lead whose first email arrived under a Message-ID that we were told."""
    return with_lead(make_deps(engine, **SETTINGS))


def with_lead(deps, message_id=MESSAGE_ID):
    first = email_ids(opt_in(deps))[0]
    values = {"at": deps.now(), "resend_id": "resend-0-0", "detail": None, "email_id": first}
    report = Report(provider_event_id="msg_1", kind="email.delivered", message_id=message_id, **values)
    record_event(deps, report)
    return deps


def write(deps, sender=f"Ana Silva <{ANA}>", to=MESSAGE_ID, subject="Re: Hello", number=1, **headers):
    """Let an email come, which answers one of ours where `to` is its Message-ID."""
    resend_id = f"in-{number}"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answers = {"in-reply-to": f"<{to}>"} if to else {}
    deps.inbox.letters[resend_id] = IncomingEmail({**answers, **named}, "Yes, call me.", None)
    return keep_received(deps, Arrival(resend_id=resend_id, sender=sender, subject=subject))


def answer(deps, **written):
    write(deps, **written)
    answer_received(deps)
    return list_received(deps.reads, None, 1)[0]


def running(deps):
    return [each["sequence"] for each in trace(deps, ANA)["enrolments"] if each["state"] == "active"]


def forwarded(deps):
    return [payload for payload in deps.mailer.sent() if payload["to"] == [OWNER]]


def test_a_reply_ends_marketing_stands_in_the_story_and_goes_on_to_the_owner(mailed):
    row = answer(mailed)
    assert (row["kind"], row["proof"], row["forward"]) == ("reply", "references", "sent")
    assert row["ended"] == [{"campaign": "christmas", "sequence": "lead_nurture"}]
    told = trace(mailed, ANA)
    assert [(each["state"], each["sentence"].rpartition("; ")[2]) for each in told["enrolments"]] == [
        ("exited", "the sequence ended: replied on 24 November.")
    ]
    assert "wrote back: Re: Hello; it ended lead_nurture" in [line["what"] for line in told["story"]]
    letter = forwarded(mailed)[0]
    assert (letter["reply_to"], letter["subject"]) == (ANA, "Re: Hello")
    assert letter["headers"] == {"Auto-Submitted": "auto-generated", "X-Loop": "funnel@funnel.example"}
    assert "Yes, call me." in letter["text"]
    assert "html" not in letter


def test_whoever_listens_hears_of_a_reply_once(mailed):
    answer(mailed)
    answer_received(mailed)
    while publish_events(mailed):
        pass
    notify(mailed)
    events = [event for _, event, _ in mailed.receivers.taken]
    assert [event["type"] for event in events][-2:] == ["sequence.ended", "lead.replied"]
    assert (events[-2]["data"]["event"], events[-1]["data"]["proof"]) == ("reply", "references")
    assert [text.count("Ana replied; “Nurture for new opt-ins” ended → ") for _, text in mailed.alerts.posted] == [1]


def test_one_told_twice_or_read_by_two_at_once_is_one(mailed):
    assert [write(mailed), write(mailed)] == [True, False]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: answer_received(mailed), range(8)))
    assert len(forwarded(mailed)) == 1
    assert len(list_received(mailed.reads, None, 9)) == 1


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("written", "kind", "proof"),
    [
        ({"to": None}, "reply", "address"),
        ({"to": "invented@x"}, "reply", "address"),
        ({"subject": "Out of office"}, "maybe_automatic", "references"),
        ({"sender": "Ana+shop@resend.dev", "to": None}, "reply", "address"),
    ],
)
def test_what_proves_nothing_ends_nothing_and_is_told_all_the_same(mailed, written, kind, proof):
    row = answer(mailed, **written)
    assert (row["kind"], row["proof"], row["ended"], row["forward"]) == (kind, proof, [], "sent")
    assert running(mailed) == ["lead_nurture"]
    notify(mailed)
    assert "nothing ended, since" in mailed.alerts.posted[0][1]


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ({"auto_submitted": "auto-replied"}, "automatic"),
        ({"content_type": "multipart/report; report-type=delivery-status"}, "report"),
        ({"x_loop": "funnel@funnel.example"}, "own"),
    ],
)
def test_what_no_person_wrote_ends_nothing_and_goes_nowhere_but_stands_in_the_story(mailed, written, kind):
    row = answer(mailed, **written)
    assert (row["kind"], row["ended"], row["forward"]) == (kind, [], "none")
    assert running(mailed) == ["lead_nurture"]
    assert [line["what"] for line in trace(mailed, ANA)["story"] if line["about"] == "reply"]
    assert notify(mailed) == 0
    assert forwarded(mailed) == []


def test_a_lead_who_answers_from_another_address_is_known_by_what_is_answered(mailed):
    row = answer(mailed, sender="ana.private@mail.example")
    assert row["ended"] == [{"campaign": "christmas", "sequence": "lead_nurture"}]
    assert forwarded(mailed)[0]["reply_to"] == "ana.private@mail.example"


def test_a_stranger_is_only_forwarded(mailed):
    row = answer(mailed, sender="Bo <bo@elsewhere.example>", to=None, list_unsubscribe="<https://x>")
    assert (row["contact_id"], row["proof"], row["forward"]) == (None, None, "sent")
    assert notify(mailed) == 0
    assert "Not a lead" in forwarded(mailed)[0]["text"]


@pytest.mark.parametrize(
    ("sender", "name", "address"),
    [
        ("=?utf-8?b?QW5hIFPDrWx2YQ==?= <ana@x.example>", "Ana Sílva", "ana@x.example"),
        ("Ana @ Home <ana@x.example>", "Ana @ Home", "ana@x.example"),
        ('"<bo@x.example>" <ana@x.example>', "<bo@x.example>", "ana@x.example"),
        ("ana@x.example (Ana)", "Ana", "ana@x.example"),
        ("Ana <ana@x.example>, Bo <bo@x.example>", "Ana", "ana@x.example"),
        ("nobody", None, "nobody"),
    ],
)
def test_who_wrote_is_read_however_it_is_written(deps, sender, name, address):
    write(deps, sender=sender, to=None)
    row = list_received(deps.reads, None, 1)[0]
    assert (row["name"], row["from"]) == (name, address)


def test_the_owners_own_mail_goes_nowhere_unless_they_are_their_own_first_lead(mailed):
    assert answer(mailed, sender="olga <delivered+OLGA@resend.dev>", to=None)["kind"] == "own"
    assert answer(mailed, sender=OWNER, number=2)["kind"] == "reply"
    assert len(forwarded(mailed)) == 1


def test_onboarding_goes_on_where_a_client_replies_and_a_reply_keeps_nothing_from_starting(mailed):
    enrol(mailed, call(ANA, Event.ONBOARDING))
    answer(mailed)
    assert running(mailed) == ["onboarding_phase1"]
    opt_in(mailed, "bo@resend.dev")
    answer(mailed, sender="bo@resend.dev", to=None, number=2)
    assert enrol(mailed, call("bo@resend.dev", Event.ASSESSMENT, contact={"assessment_score": 9})).enrolment_id


@pytest.mark.both_databases
def test_a_message_id_that_no_event_told_is_asked_for(engine):
    deps = with_lead(make_deps(engine, **SETTINGS), message_id=None)
    deps.inbox.message_ids["resend-0-0"] = f"<{MESSAGE_ID}>"
    assert answer(deps)["proof"] == "references"
    assert running(deps) == []


@pytest.mark.both_databases
def test_while_resend_is_away_a_reply_waits_and_is_told_of(mailed):
    mailed.inbox.fault = Unavailable("resend", "no connection: refused")
    write(mailed)
    assert answer_received(mailed) == 0
    mailed.now.forward(minutes=11)
    assert "its text cannot be fetched: no connection" in waiting_long(mailed)
    mailed.inbox.fault = None
    assert answer_received(mailed) == 2
    assert (running(mailed), waiting_long(mailed)) == ([], None)


@pytest.mark.parametrize("fault", [Rejected("resend", "gone", code="not_found"), Unavailable("resend", "away")])
def test_one_that_resend_never_gives_out_goes_on_with_what_is_known(mailed, fault):
    mailed.inbox.fault = fault
    write(mailed)
    for _ in range(20):
        answer_received(mailed)
        mailed.now.forward(hours=4)
    row = list_received(mailed.reads, None, 1)[0]
    assert (row["read"], row["text"], row["proof"], row["forward"]) == (True, None, "address", "sent")
    assert "could not be fetched" in forwarded(mailed)[0]["text"]
    assert running(mailed) == ["lead_nurture"]


def test_one_that_resend_tells_of_before_it_gives_it_out_is_asked_for_again(mailed):
    mailed.inbox.fault = Rejected("resend", "not yet", code="not_found")
    write(mailed)
    assert answer_received(mailed) == 0
    mailed.inbox.fault = None
    mailed.now.forward(seconds=30)
    answer_received(mailed)
    assert running(mailed) == []


@pytest.mark.parametrize("place", ["read", "settled", "forward"])
def test_a_process_killed_at_any_point_leaves_a_reply_that_is_done_once(mailed, monkeypatch, place):
    write(mailed)
    if place == "forward":
        # Resend took it, and the answer was never written down.
        mailed.mailer.script.append(die)
    else:
        target = "read.settle" if place == "settled" else "read._conclude"
        monkeypatch.setattr(f"funnel_app.flows.replies.{target}", die)
    with pytest.raises(WorkerDied):
        answer_received(mailed)
    monkeypatch.undo()
    mailed.now.forward(minutes=3)
    answer_received(mailed)
    while publish_events(mailed):
        pass
    notify(mailed)
    assert len(forwarded(mailed)) == 1
    assert [event["type"] for _, event, _ in mailed.receivers.taken].count("lead.replied") == 1
    assert "".join(text for _, text in mailed.alerts.posted).count("replied") == 1
    assert running(mailed) == []


@pytest.mark.both_databases
def test_an_answer_that_was_lost_is_asked_again_under_the_same_key_for_a_day_and_no_longer(mailed):
    mailed.mailer.script.append(("taken", Answer(AnswerKind.UNKNOWN, detail="the answer was lost")))
    assert answer(mailed)["forward"] == "due"
    mailed.now.forward(hours=24)
    answer_received(mailed)
    assert list_received(mailed.reads, None, 1)[0]["forward"] == "unsure"
    assert len(forwarded(mailed)) == 1
    with pytest.raises(NotForwardable, match="nothing goes twice"):
        forward_again(mailed, received_id(mailed))


def received_id(deps):
    with deps.reads() as session:
        return session.scalars(select(ReceivedEmail.id).order_by(ReceivedEmail.id.desc())).first()


def test_what_the_owners_mailbox_refuses_is_told_and_goes_again_under_another_key(mailed):
    answer(mailed)
    refuse_forwarded(mailed.sessions, received_id(mailed), "mailbox full", "msg_2")
    assert "1 email that people wrote did not go on" in kept_lately(mailed)
    assert forward_again(mailed, received_id(mailed)) == ANA
    answer_received(mailed)
    assert len({key for key, _ in mailed.mailer.calls if key.startswith("reply-")}) == 2


@pytest.mark.both_databases
def test_a_refusal_that_is_told_twice_keeps_nothing_back_that_goes_again(mailed):
    answer(mailed)
    row = received_id(mailed)
    values = {"at": mailed.now(), "resend_id": "r", "email_id": None, "detail": None}
    told = Report(provider_event_id="msg_2", kind="email.bounced", **values)
    refuse_forwarded(mailed.sessions, row, "mailbox full", told.provider_event_id)
    record_event(mailed, told)
    forward_again(mailed, row)
    refuse_forwarded(mailed.sessions, row, "mailbox full", told.provider_event_id)
    answer_received(mailed)
    assert list_received(mailed.reads, None, 1)[0]["forward"] == "sent"


def test_a_flood_of_one_sender_or_of_strangers_keeps_no_lead_waiting_and_fills_no_mailbox(mailed, monkeypatch):
    monkeypatch.setattr("funnel_app.flows.replies.settle.MOST_UNVERIFIED", 5)
    monkeypatch.setattr("funnel_app.flows.replies.settle.MOST_OF_ONE", 3)
    for number in range(3):
        write(mailed, sender=f"s{number}@flood.example", to=None, number=number)
    for number in range(100, 105):
        write(mailed, sender="one@flood.example", to=None, number=number)
    write(mailed, number=200)
    assert received_of_next(mailed).sender == ANA
    mailed.now.forward(minutes=3)
    answer_received(mailed)
    assert Counter(payload["reply_to"] for payload in forwarded(mailed)) == {
        ANA: 1, "one@flood.example": 2, **{f"s{number}@flood.example": 1 for number in range(3)},
    }  # fmt: skip
    assert running(mailed) == []
    assert "people wrote did not go on" in kept_lately(mailed)


def test_what_others_write_in_a_leads_name_keeps_no_answer_of_theirs_here(mailed):
    for number in range(11):
        answer(mailed, to=None, number=number)
    assert answer(mailed, number=20)["forward"] == "sent"
    assert answer(mailed, to=None, number=21)["forward"] == "kept"


def received_of_next(deps):
    with deps.sessions.begin() as session:
        return received_emails.take(session, deps.now(), timedelta(minutes=2), 1)[0]


def test_in_testing_mode_nothing_goes_to_who_may_not_be_mailed(sqlite):
    deps = with_lead(make_deps(sqlite, **{**SETTINGS, "reply_forward_to": "olga@owner.example"}))
    row = answer(deps)
    assert (row["forward"], "TESTING_MODE" in row["note"]) == ("kept", True)
    with pytest.raises(NotForwardable, match="TESTING_MODE"):
        forward_again(deps, received_id(deps))


@pytest.mark.parametrize(("mailbox", "why"), [("olga@owner.example", "TESTING_MODE"), (None, "is not set")])
def test_what_waits_stays_here_where_the_settings_were_changed_meanwhile(mailed, mailbox, why):
    mailed.mailer.script.append(Answer(AnswerKind.RATE_LIMITED, retry_after=1.0))
    assert answer(mailed)["forward"] == "due"
    mailed.now.forward(minutes=1)
    answer_received(replace(mailed, settings=replace(mailed.settings, reply_forward_to=mailbox)))
    row = list_received(mailed.reads, None, 1)[0]
    assert (row["forward"], why in row["note"], forwarded(mailed)) == ("kept", True, [])


def test_without_a_mailbox_of_the_owner_replies_stay_in_the_console(sqlite):
    deps = with_lead(make_deps(sqlite))
    assert answer(deps)["forward"] == "none"
    assert running(deps) == []


def test_an_erasure_reaches_what_a_person_wrote_and_what_is_still_to_be_read(mailed):
    answer(mailed)
    write(mailed, sender="ana.private@mail.example", number=2)
    answer_received(mailed)
    write(mailed, number=3)
    assert [row["subject"] for row in export(mailed, ANA)["written_by_them"]] == ["Re: Hello"] * 3
    erase(mailed, ANA)
    rows = list_received(mailed.reads, None, 9)
    assert {(row["from"], row["subject"], row["text"], row["read"]) for row in rows} == {
        ("erased", "erased", None, True)
    }
    assert answer_received(mailed) == 0


def test_who_was_erased_and_writes_again_is_a_stranger(mailed):
    erase(mailed, ANA)
    row = answer(mailed)
    assert (row["contact_id"], row["proof"], row["forward"]) == (None, None, "sent")


@pytest.mark.both_databases
def test_after_a_month_texts_are_forgotten_and_strangers_altogether(mailed):
    answer(mailed)
    answer(mailed, sender="bo@elsewhere.example", to=None, number=2)
    mailed.now.forward(days=31)
    assert forget_received(mailed) == 2
    assert [(row["from"], row["text"]) for row in list_received(mailed.reads, None, 9)] == [(ANA, None)]


def test_on_postgresql_too(postgres):
    deps = with_lead(make_deps(postgres, **SETTINGS))
    row = answer(deps)
    assert (row["proof"], row["forward"], states(deps, opt_in(deps))[0]) == ("references", "sent", "delivered")


def test_without_a_chat_of_leads_that_of_alerts_is_told_and_an_erasure_reaches_its_words(sqlite):
    deps = with_lead(make_deps(sqlite, alert_webhook_url="https://chat.example/alerts"))
    answer(deps)
    notify(deps)
    assert "Ana replied; “Nurture for new opt-ins” ended" in deps.alerts.posted[0][1]
    erase(deps, ANA)
    with deps.reads() as session:
        assert session.scalars(select(Notice.text)).all() == [""]
