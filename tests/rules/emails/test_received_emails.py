"""What an incoming email is: its headers say it, its subject hints at it."""

import pytest

from funnel_app.rules.emails.received_emails import ReceivedKind, bare_id, kind_of, references_of

OWN, MARK = {"olga@owner.example"}, "funnel@funnel.example"


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ({}, "reply"),
        ({"auto-submitted": "no"}, "reply"),
        ({"auto-submitted": "No (a person)"}, "reply"),
        ({"precedence": "first-class"}, "reply"),
        # Outlook writes it on what people send, too.
        ({"x-auto-response-suppress": "OOF"}, "reply"),
        ({"return-path": "<ana@salon.example>"}, "reply"),
        ({"auto-submitted": "auto-replied"}, "automatic"),
        ({"auto-submitted": "Auto-Generated; reason=away"}, "automatic"),
        ({"auto-submitted": "auto-replied", "return-path": "<>"}, "automatic"),
        ({"x-autoreply": "yes"}, "automatic"),
        ({"precedence": "Auto_Reply"}, "automatic"),
        ({"precedence": "bulk"}, "automatic"),
        ({"auto-submitted": "no\nauto-replied"}, "automatic"),
        ({"precedence": "first-class\nlist"}, "automatic"),
        ({"list-id": "<news.example>"}, "automatic"),
        ({"x-loop": "somebody@else.example"}, "automatic"),
        ({"x-loop": "somebody@else.example funnel@funnel.example"}, "own"),
        ({"content-type": "Multipart/Report; report-type=delivery-status"}, "report"),
        ({"content-type": "multipart/report; report-type=disposition-notification"}, "report"),
        ({"x-failed-recipients": "ana@salon.example"}, "report"),
        ({"return-path": "<>"}, "report"),
        ({"content-type": "multipart/alternative; boundary=report"}, "reply"),
    ],
)
def test_what_headers_say(headers, kind):
    assert kind_of(headers, "ana@salon.example", "Re: Hello", OWN, MARK) == kind


@pytest.mark.parametrize(
    ("sender", "kind"),
    [("mailer-daemon@mx.example", "report"), ("postmaster@mx.example", "report"), ("olga@owner.example", "own")],
)
def test_what_senders_say(sender, kind):
    assert kind_of({}, sender, "Undelivered", OWN, MARK) == kind


@pytest.mark.parametrize(
    ("subject", "kind"),
    [
        ("Automatic reply: Your results", "maybe_automatic"),
        ("  OUT OF OFFICE", "maybe_automatic"),
        ("Abwesenheitsnotiz: Ihre Ergebnisse", "maybe_automatic"),
        ("Réponse automatique : bonjour", "maybe_automatic"),
        ("自動応答: メール", "maybe_automatic"),
        # A person answers what we wrote of offices.
        ("Re: Out of office hours?", "reply"),
        ("", "reply"),
    ],
)
def test_a_subject_is_a_sign_and_no_proof(subject, kind):
    assert kind_of({}, "ana@salon.example", subject, OWN, MARK) == ReceivedKind(kind)


def test_what_is_answered_comes_first_then_the_thread_from_its_end():
    headers = {"in-reply-to": "<c@x>", "references": "<a@x>\r\n <b@x> <c@x>"}
    assert references_of(headers) == ["c@x", "b@x", "a@x"]
    assert references_of({"in-reply-to": "your mail of Monday", "references": ""}) == []
    assert references_of({"in-reply-to": "<c@x>"}) == ["c@x"] and references_of({}) == []
    flood = references_of({"references": " ".join(f"<{n}@x>" for n in range(5000))})
    assert (len(flood), flood[0]) == (50, "4999@x")


@pytest.mark.parametrize(
    ("given", "bare"), [("<a@x>", "a@x"), ("a@x", "a@x"), ("", None), (None, None), ("<a x>", None), ("<>", None)]
)
def test_a_message_id_is_known_without_its_brackets(given, bare):
    assert bare_id(given) == bare
