"""The console's pages of templates: what leads get, what waits, and the buttons on them."""

import re

import pytest

from funnel_app.flows.templates.serving import check_templates, ready_version
from funnel_app.gateways.errors import Unavailable
from tests.console_world import send
from tests.flows.leads import email_ids, opt_in, write_templates
from tests.web.console import Operator, did


@pytest.fixture
def olga(olga, deps) -> Operator:
    write_templates(deps)
    return olga


class TestTemplates:
    """What the template pages do with Notion and Resend."""

    PATH = "/console/templates/christmas_email_1"

    def test_all_are_audited_in_notion_now_with_what_to_do(self, olga, deps):
        deps.notebook.pages.pop("christmas_email_2")
        deps.notebook.write("Old thoughts")
        text = olga.get("/console/templates?audit=1").text
        for words in ("Some templates cannot be sent", "Make a page of that name", "Old thoughts"):
            assert words in text, words
        deps.notebook.fault = Unavailable("notion", "502")
        assert "Notion cannot be asked now" in olga.get("/console/templates?audit=1").text
        assert "Notion cannot be asked now" in olga.get(self.PATH).text

    def test_what_a_lead_lacks_is_said(self, olga, deps):
        write_templates(deps, html="<p>{{ portal_url }}</p>")
        opt_in(deps, "ana@resend.dev")
        assert "Nothing provides portal_url" in olga.get(f"{self.PATH}?lead=ana@resend.dev").text
        assert "Nothing provides" not in olga.get(f"{self.PATH}?sample=urgent").text

    def test_a_draft_is_held_and_not_good(self, olga, deps):
        check_templates(deps)
        deps.now.forward(seconds=1)
        deps.notebook.write("christmas_email_1", status="Draft")
        check_templates(deps)
        for path in ("/console/templates", self.PATH):
            assert "held" in olga.get(path).text and "Draft" in olga.get(path).text
        assert "leads get it" not in olga.get(self.PATH).text

    def test_an_earlier_text_is_shown_beside_and_chosen_again(self, olga, deps):
        ready_version(deps, "christmas_email_1")
        deps.now.forward(seconds=1)
        deps.notebook.write("christmas_email_1", subject="Half a sen", html="<p>Hi {{ first_name }}, half a sen</p>")
        check_templates(deps)
        text = olga.get(self.PATH).text
        assert "a newer text waits" in text and "Leads get this now" in text
        (waits,) = re.findall(rf'href="({self.PATH}/versions/[0-9a-f-]{{36}})">Half a sen</a>', text)
        shown = re.search(rf'"{waits}".*?<span class="soft">([0-9a-f]{{8}});', text, re.DOTALL)[1]
        assert f'href="{waits}">{shown} of ' in olga.get(f"/console/search?words={shown}").text
        assert "Serve this one again?" in olga.get(waits).text
        assert "half a sen" in olga.get(f"{waits}/preview?sample=urgent").text
        assert olga.send(f"{waits}/serve", form=waits).status_code == 303
        assert did(deps) == [("Olga", "serve_again")] and "Leads get it now" in olga.get(waits).text
        answer = olga.send(f"{waits}/serve", form=self.PATH)
        assert answer.status_code == 409 and "serves already" in answer.text
        elsewhere = waits.replace("christmas_email_1", "christmas_email_2")
        assert olga.get(elsewhere).status_code == 404

    def test_a_test_is_sent_and_written_down(self, olga, deps):
        answer = olga.send(f"{self.PATH}/test", form=self.PATH, to="delivered@resend.dev", sample="nonsense")
        assert answer.status_code == 303
        assert deps.mailer.sent_to() == ["delivered@resend.dev"]
        assert deps.mailer.sent()[0]["subject"].startswith("[Test] ")
        assert did(deps) == [("Olga", "send_test")]

    @pytest.mark.parametrize("to", ["nonsense", "somebody@elsewhere.example"])
    def test_a_test_that_may_not_be_sent_is_refused_with_the_reason(self, olga, deps, to):
        answer = olga.send(f"{self.PATH}/test", form=self.PATH, to=to)
        assert answer.status_code == 422 and "No test was sent" in answer.text and deps.mailer.sent() == []

    def test_a_test_of_what_cannot_be_made_is_told(self, olga, deps):
        deps.notebook.pages.clear()
        answer = olga.send(f"{self.PATH}/test", form=self.PATH, to="delivered@resend.dev")
        assert answer.status_code == 422 and "no page in the templates database" in answer.text


def test_a_template_s_html_is_framed_whatever_it_holds(olga, deps):
    write_templates(deps, html="<script>top.location='https://evil.example'</script><p>{{ first_name }}</p>")
    receipt = opt_in(deps)
    send(deps, receipt, 1)
    page = olga.get(f"/console/emails/{email_ids(receipt)[0]}").text
    assert "evil.example" not in page
