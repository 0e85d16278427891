"""Tests of templates go out as real letters do, marked, at the shared rate, once in ten minutes, and count nowhere."""

from dataclasses import replace

import pytest

from funnel_app.flows.templates import send_test
from funnel_app.flows.templates.populate import populate
from funnel_app.flows.templates.preview import CannotPreview
from funnel_app.flows.templates.send_test import send_tests
from funnel_app.gateways.redis.rate_limiter import Pause
from funnel_app.gateways.resend.answers import Answer, AnswerKind
from funnel_app.ledger import suppressions
from funnel_app.ledger.models import Scope, TemplateVersion
from tests.flows.leads import count_all

TO = "delivered+owner@resend.dev"


@pytest.fixture
def desk(deps):
    populate(deps)
    return deps


def sent(deps, *keys, to=TO, sample="critical"):
    return list(send_tests(deps, keys, to, sample))


def test_all_go_in_one_call_marked_and_by_the_renderer_of_real_letters(desk):
    desk.notebook.asked.clear()
    rows = sent(desk)
    assert [row.key for row in rows] == list(desk.registry.template_keys())
    assert all(row.sent for row in rows), rows
    assert desk.notebook.asked == ["all"]
    letters = desk.mailer.sent()
    assert {letter["to"][0] for letter in letters} == {TO}
    for letter, row in zip(letters, rows, strict=True):
        assert letter["subject"].startswith("[Test] ") and "{" not in letter["subject"] + letter["text"]
        assert {"name": "test", "value": "template"} in letter["tags"]
        assert {"name": "template", "value": row.key} in letter["tags"]
        assert "email" not in {tag["name"] for tag in letter["tags"]}
        assert letter["headers"]["List-Unsubscribe"] == "<https://funnel.example/u/sample>"


def test_the_ledger_knows_nothing_of_them(desk):
    sent(desk)
    counts = count_all(desk)
    counts.pop(TemplateVersion.__tablename__)
    assert set(counts.values()) == {0}


def test_the_same_letter_goes_once_in_ten_minutes_and_a_changed_one_at_once(desk):
    for _ in range(2):
        assert sent(desk, "christmas_email_1")[0].sent
    assert len(desk.mailer.sent()) == 1
    desk.notebook.write("christmas_email_1", "New", "<p>new</p>")
    sent(desk, "christmas_email_1")
    assert len(desk.mailer.sent()) == 2
    desk.now.forward(minutes=10)
    sent(desk, "christmas_email_1")
    assert len(desk.mailer.sent()) == 3


def test_it_keeps_to_the_rate_that_all_share(desk):
    desk.rate.waits = [3.0, 7.0]
    begun = desk.now()
    sent(desk, "christmas_email_1")
    assert (desk.now() - begun).total_seconds() == 8, "3 s, and of the 7 s five before it asks again"


@pytest.mark.parametrize("kind", [AnswerKind.RATE_LIMITED, AnswerKind.UNKNOWN, AnswerKind.UNREACHABLE])
def test_what_may_pass_is_tried_again_with_the_same_key(desk, kind):
    desk.mailer.script = [Answer(kind, detail="wait", retry_after=2.0)] * 3
    assert sent(desk, "christmas_email_1")[0].sent
    assert len({key for key, _ in desk.mailer.calls}) == 1 and len(desk.mailer.calls) == 4
    desk.mailer.script = [Answer(kind, detail="wait")] * 4
    (row,) = sent(desk, "christmas_email_2")
    assert (row.sent, row.detail) == (False, "Resend: wait")


def test_a_refusal_is_told_in_resend_s_words_and_the_others_go_on(desk):
    desk.mailer.script = [Answer(AnswerKind.INVALID, detail="422 validation_error: no")]
    rows = sent(desk, "christmas_email_1", "christmas_email_2")
    assert [row.sent for row in rows] == [False, True]
    assert rows[0].detail == "Resend: 422 validation_error: no"


def test_while_all_sending_is_paused_no_test_goes(desk):
    desk.pause.standing = Pause("config", "401 the key is wrong", desk.now())
    assert sent(desk, "christmas_email_1")[0].detail == "all sending is paused: 401 the key is wrong"
    assert desk.mailer.calls == []


def test_a_template_that_cannot_be_sent_is_named_and_the_others_go(desk):
    desk.notebook.write("christmas_email_2", "", "<p>hi</p>")
    rows = {row.key: row for row in sent(desk)}
    assert not rows["christmas_email_2"].sent and "subject" in rows["christmas_email_2"].detail
    assert sum(row.sent for row in rows.values()) == 21


def test_who_must_not_be_mailed_is_not(desk):
    with pytest.raises(CannotPreview, match="not in TEST_RECIPIENTS"):
        sent(desk, to="someone@client.example")
    with pytest.raises(CannotPreview, match="not an email address"):
        sent(desk, to="someone")
    with desk.sessions.begin() as session:
        pepper = desk.settings.secret_key
        suppressions.add(session, TO, pepper, scope=Scope.ALL, reason="it bounced", source="t", now=desk.now())
    with pytest.raises(CannotPreview, match="is not mailed: it bounced"):
        sent(desk)
    with pytest.raises(CannotPreview, match="did you mean"):
        sent(desk, "chrismas_email_1", to="delivered@resend.dev")
    assert desk.mailer.calls == []


def test_a_suppressed_address_with_letters_of_its_own_is_known_too(desk):
    """The ledger keeps the domain in ASCII; as it was typed it was found by nobody, and the letter went out."""
    wide = replace(desk, settings=replace(desk.settings, test_recipients=("*@xn--bcher-kva.example",)))
    with wide.sessions.begin() as session:
        who, pepper = "ana@xn--bcher-kva.example", wide.settings.secret_key
        suppressions.add(session, who, pepper, scope=Scope.ALL, reason="it bounced", source="t", now=wide.now())
    with pytest.raises(CannotPreview, match="is not mailed: it bounced"):
        sent(wide, to="Ana@Bücher.example")


def test_a_letter_in_which_something_would_be_missing_does_not_go(desk, monkeypatch):
    whole = send_test.sample
    monkeypatch.setattr(send_test, "sample", lambda *given: replace(whole(*given), hook={}))
    (row,) = sent(desk, "precall_prep_email_1")
    assert (row.sent, row.detail) == (False, "nothing provides call_time")
