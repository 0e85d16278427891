"""The console's buttons: each asks first, and what it does is done by the operator."""

import re

import pytest
from sqlalchemy import select

from funnel_app.flows.console.leads import find_leads
from funnel_app.gateways.errors import Unavailable
from funnel_app.ledger import operator_actions
from funnel_app.ledger.models import Enrolment, Suppression
from funnel_app.ledger.queries.leads import Wanted
from tests.console_world import enter_day, hold
from tests.flows.leads import assess, email_ids, look, opt_in, states, write_templates
from tests.web.callers import BEARER
from tests.web.console import Operator, did


@pytest.fixture
def olga(olga, deps) -> Operator:
    write_templates(deps)
    return olga


@pytest.fixture
def world(deps, olga):
    return enter_day(deps)


class TestButtons:
    @pytest.mark.parametrize(
        ("verb", "state"), [("pause", "active"), ("stop", "active"), ("send_next_now", "active"), ("resume", "paused")]
    )
    def test_each_says_what_will_happen_asks_and_changes_nothing_by_that(self, olga, deps, verb, state):
        receipt = opt_in(deps, "delivered+ana@resend.dev")
        if verb == "resume":
            olga.send(f"/console/do/pause/{receipt.enrolment_id}")
        before = did(deps)
        page = olga.get(f"/console/do/{verb}/{receipt.enrolment_id}")
        assert page.status_code == 200 and "Nurture for new opt-ins" in page.text and "done by Olga" in page.text
        assert did(deps) == before
        with deps.reads() as session:
            assert session.get(Enrolment, receipt.enrolment_id).state == state

    @pytest.mark.parametrize("verb", ["pause", "stop", "send_next_now"])
    def test_each_does_it_under_the_operator_s_name_and_says_so(self, olga, deps, verb):
        receipt = opt_in(deps)
        answer = olga.send(f"/console/do/{verb}/{receipt.enrolment_id}")
        assert (answer.status_code, answer.location) == (303, f"/console/leads/{receipt.contact_id}")
        page = olga.get(answer.location).text
        assert "Done: " in page and "Olga: " in page
        assert did(deps) == [("Olga", verb)]

    def test_resume_and_skip_and_suppress(self, olga, deps):
        receipt = opt_in(deps)
        olga.send(f"/console/do/pause/{receipt.enrolment_id}")
        olga.send(f"/console/do/resume/{receipt.enrolment_id}")
        olga.send(f"/console/do/skip_step/{email_ids(receipt)[1]}")
        olga.send(f"/console/do/suppress/{receipt.contact_id}", scope="marketing")
        assert states(deps, receipt) == ["cancelled", "skipped", "cancelled", "cancelled", "cancelled"]
        assert did(deps) == [("Olga", verb) for verb in ("pause", "resume", "skip_step", "suppress")]
        with deps.reads() as session:
            assert session.scalars(select(Suppression.scope)).all() == ["marketing"]

    def test_what_is_suppressed_without_a_choice_gets_nothing(self, olga, deps):
        receipt = opt_in(deps)
        olga.send(f"/console/do/suppress/{receipt.contact_id}")
        with deps.reads() as session:
            assert session.scalars(select(Suppression.scope)).all() == ["all"]
        assert "Nothing goes to this address" in olga.get(f"/console/leads/{receipt.contact_id}").text

    def test_who_gets_no_marketing_can_be_mailed_no_more_at_all(self, olga, deps):
        receipt = opt_in(deps)
        lead = f"/console/leads/{receipt.contact_id}"
        olga.send(f"/console/do/suppress/{receipt.contact_id}", scope="marketing")
        page = olga.get(lead).text
        assert "No marketing goes to this address" in page and ">Mail again<" in page and ">Mail no more<" in page
        olga.send(f"/console/do/suppress/{receipt.contact_id}", scope="all")
        page = olga.get(lead).text
        assert "Nothing goes to this address" in page and ">Mail again<" in page and ">Mail no more<" not in page

    def test_a_lead_is_erased_and_who_did_it_stays_written(self, olga, deps):
        receipt = opt_in(deps, "delivered+gone@resend.dev")
        answer = olga.send(f"/console/do/erase/{receipt.contact_id}")
        assert answer.status_code == 303
        assert "Done: the lead is forgotten" in olga.get(answer.location).text
        assert "gone@" not in olga.get("/console/leads").text
        assert did(deps) == [("Olga", "erase")]

    def test_nothing_more_is_done_to_an_erased_lead(self, olga, deps):
        receipt = opt_in(deps, "delivered+gone@resend.dev")
        lead = f"/console/leads/{receipt.contact_id}"
        ask = [f"/console/do/{verb}/{receipt.contact_id}" for verb in ("suppress", "erase")]
        olga.send(ask[1])
        with deps.reads() as session:
            before = session.scalars(select(Suppression.id)).all()
        for path in ask:
            answer = olga.send(path)
            assert answer.status_code == 409 and "was erased already" in answer.text
            assert path not in olga.get(lead).text, "nor is it offered"
        with deps.reads() as session:
            assert session.scalars(select(Suppression.id)).all() == before

    def test_what_is_not_possible_any_more_is_told_with_the_reason(self, olga, deps):
        receipt = opt_in(deps)
        olga.send(f"/console/do/stop/{receipt.enrolment_id}")
        answer = olga.send(f"/console/do/pause/{receipt.enrolment_id}")
        assert answer.status_code == 409 and "“Nurture for new opt-ins” is over" in answer.text

    def test_all_in_doubt_are_counted_before_they_are_settled_and_none_is_said_to_be_none(self, olga, world):
        asked = olga.get("/console/settle").text
        assert "1 email is in doubt." in asked and "It was delivered" in asked and "They were" not in asked
        olga.send("/console/settle", form="/console/settle", outcome="delivered")
        text = olga.get("/console/settle").text
        assert "No email is in doubt now" in text and "It was delivered" not in text

    def test_an_ambiguous_email_is_settled(self, olga, deps, world):
        email_id = email_ids(world["ambiguous"])[0]
        olga.send(f"/console/do/found_delivered/{email_id}")
        assert look(deps, email_id).state == "delivered"
        assert olga.send(f"/console/do/send_again/{email_id}").status_code == 409

    def test_a_held_email_is_tried_now_and_a_failed_one_again(self, olga, deps):
        held = hold(deps, 1)
        page = olga.get(f"/console/leads/{held.contact_id}").text
        assert "Try now" in page
        olga.send(f"/console/do/release/{email_ids(held)[0]}")
        assert look(deps, email_ids(held)[0]).state == "planned"
        assert olga.send(f"/console/do/retry/{email_ids(held)[0]}").status_code == 409
        assert did(deps) == [("Olga", "release")]

    def test_somebody_is_enrolled_manually(self, olga, deps):
        answer = olga.send(
            "/console/enrol", email="eva@resend.dev", sequence="christmas/lead_nurture", variables="first_name=Eva"
        )  # fmt: skip
        page = olga.get(answer.location).text
        assert "Eva" in page and "Done: “Nurture for new opt-ins” is started." in page
        assert did(deps) == [("Olga", "enrol")]
        again = olga.send("/console/enrol", email="eva@resend.dev", sequence="christmas/lead_nurture")
        assert "Nothing is started: “Nurture for new opt-ins” was already started" in olga.get(again.location).text

    def test_who_is_not_to_be_mailed_is_not_enrolled(self, olga, deps):
        receipt = opt_in(deps, "eva@resend.dev")
        olga.send(f"/console/do/suppress/{receipt.contact_id}", scope="marketing")
        answer = olga.send("/console/enrol", email="eva@resend.dev", sequence="christmas/lead_nurture")
        assert answer.status_code == 422 and "This address is not to be mailed: mail was stopped by Olga" in answer.text
        answer = olga.send("/console/enrol", email="eva@resend.dev", sequence="christmas/onboarding_phase1")
        assert answer.status_code == 303, "only marketing is stopped"

    @pytest.mark.parametrize(
        ("fields", "words"),
        [
            ({"email": "nonsense", "sequence": "christmas/lead_nurture"}, "is not an email address"),
            ({"email": "a@resend.dev", "sequence": "nothing"}, "There is no sequence nothing"),
            ({"email": "a@resend.dev", "sequence": "christmas/five_day", "variables": "hello"}, "name=value"),
            ({"email": "a@resend.dev", "sequence": "christmas/precall_prep", "variables": ""}, "is about a call"),
        ],
    )
    def test_what_cannot_be_enrolled_is_told_and_the_form_keeps_what_was_typed(self, olga, deps, fields, words):
        answer = olga.send("/console/enrol", **fields)
        assert answer.status_code == 422 and words in answer.text and fields["email"] in answer.text
        assert f">{fields.get('variables', '')}</textarea>" in answer.text
        assert "></textarea>" in olga.get("/console/enrol").text
        assert did(deps) == []

    def test_held_emails_are_looked_at_again(self, olga, deps):
        receipt = hold(deps, 2)
        answer = olga.send("/console/look-again", form="/console/", key="lead_nurture_email_1")
        assert answer.status_code == 303 and "2 held emails" in olga.get("/console/").text
        assert look(deps, email_ids(receipt)[0]).next_attempt_at == deps.now()
        assert olga.send("/console/look-again", form="/console/", key="nothing").status_code == 404

    def test_a_template_is_read_again(self, olga, deps):
        path = "/console/templates/christmas_email_1"
        assert olga.send(f"{path}/read", form=path).status_code == 303
        assert "Nothing to fix" in olga.get(path).text or "warning" in olga.get(path).text
        deps.notebook.fault = Unavailable("notion", "502")
        answer = olga.send(f"{path}/read", form=path)
        assert answer.status_code == 503 and "Notion cannot be asked now" in answer.text


class TestReplay:
    @pytest.fixture
    def refused(self, olga, deps) -> str:
        payload = {"email": "delivered+nadia@resend.dev", "assessment_score": 380}
        assert olga.client.post("/webhook/christmas/signup", json=payload, headers=BEARER).status_code == 422
        page = olga.get("/console/hooks?outcome=refused").text
        return re.search(r'href="(/console/hooks/[0-9a-f-]{36})"', page)[1]

    def test_a_refused_call_is_fixed_and_sent_again(self, olga, deps, refused):
        assert "assessment_score" in olga.get(refused).text
        answer = olga.send(f"{refused}/replay", form=refused, **{"set-assessment_score": "38"})
        assert answer.status_code == 303
        page = olga.get(refused).text
        assert "Done: accepted, 5 emails." in page and "It was taken as" in page and "Replay</button>" not in page
        assert did(deps) == [("Olga", "replay")]
        assert "replay" not in olga.get("/console/").text.lower(), "it needs nobody any more"

    def test_one_that_is_refused_again_says_why(self, olga, refused):
        for value in ("", "lots"):
            answer = olga.send(f"{refused}/replay", form=refused, **{"set-assessment_score": value})
            assert answer.status_code == 422 and "Refused again" in answer.text

    def test_only_refused_calls_are_replayed(self, olga, deps, refused):
        accepted = opt_in(deps).hook_id
        answer = olga.send(f"/console/hooks/{accepted}/replay", form=refused)
        assert answer.status_code == 409 and "only refused calls are replayed" in answer.text


class TestPauses:
    """All sending, and one sequence, paused from the console."""

    def test_what_it_means_is_said_first_and_it_stands_on_every_page_that_tells_how_all_is(self, olga, deps):
        opt_in(deps)
        wish = {"what": "all", "reason": "moving <b>house</b>", "until": "Monday 09:00"}
        said = olga.send("/console/pauses", **wish)
        assert said.status_code == 200 and "5 emails are due before that" in said.text
        assert "All sending would be paused until Monday" in said.text and "All sending is paused" not in said.text
        assert "Nothing is paused" in olga.get("/console/pauses").text, "nothing changed yet"
        assert olga.send("/console/pauses", **wish, sure="yes").status_code == 303
        for path in ("/console/", "/console/pauses", "/console/doctor"):
            page = olga.get(path).text
            assert "by Olga: moving &lt;b&gt;house" in page and "<b>house" not in page, path
        asked = olga.get("/console/pauses/resume?what=all")
        assert "Resume it now?" in asked.text and "No email waits for it." in asked.text
        assert "by Olga" in olga.get("/console/pauses").text, "to ask resumes nothing"
        assert olga.send("/console/pauses/resume", form="/console/pauses", what="all").status_code == 303
        assert olga.get("/console/pauses/resume?what=all").location == "/console/pauses", "nothing to ask any more"
        assert "Nothing is paused" in olga.get("/console/pauses").text
        log = olga.get("/console/log").text
        assert log.index("Resume") < log.index("moving &lt;b&gt;house") and "console" in log

    @pytest.mark.parametrize("what", ["all", "five_day"])
    def test_a_sequence_whose_emails_a_pause_keeps_is_called_paused(self, what, olga, deps):
        assess(deps)
        (lead,) = find_leads(deps, Wanted()).rows
        pages = ("/console/leads", f"/console/leads/{lead.contact.id}")
        for path in pages:
            assert 'wait">paused' not in olga.get(path).text, path
        olga.send("/console/pauses", what=what, reason="moving house", sure="yes")
        for path in pages:
            assert '<span class="pill wait">paused</span>' in olga.get(path).text, path
        olga.send("/console/pauses/resume", form="/console/pauses", what=what)
        for path in pages:
            assert 'wait">paused' not in olga.get(path).text, path

    def test_a_wish_that_cannot_be_met_is_answered_with_its_words_kept(self, olga):
        answer = olga.send("/console/pauses", what="all", reason="x", until="soon")
        assert answer.status_code == 409 and "“soon” is no time" in answer.text and 'value="soon"' in answer.text


def test_the_operator_s_words_outlive_the_lead_s_address(olga, deps):
    receipt = opt_in(deps, "delivered+secret@resend.dev")
    olga.send(f"/console/do/pause/{receipt.enrolment_id}")
    with deps.reads() as session:
        rows = operator_actions.of_contact(session, receipt.contact_id)
    assert all("secret" not in (row.detail or "") for row in rows)
