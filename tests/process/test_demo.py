"""`make demo ONCE=1`: the demo ends by itself, with 0 only if every email was delivered or stopped as expected."""

import os
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from sandbox.play import Play
from sandbox.processes import NotStarted, Processes
from sandbox.scenario import SCENARIO, Expected, Observation, Scene
from sandbox.stack import Stack
from sandbox.steering import DEEDS
from sandbox.verdict import faults_of
from tests.pace import patient

pytestmark = pytest.mark.process(lasts_s=10)
# A reminder that comes after its time, since the machine stood still, is a fault: the slower that is, the longer the
# demo's own day. But all fourteen must go into the time that a test has.
DAY_S, LONGEST_DAY_S = 4, 10


def test_the_demo_plays_the_whole_journey_and_tells_what_became_of_everybody(tmp_path):
    demo = Processes(tmp_path, {**os.environ, "COLUMNS": "200"})
    times = patient(1)
    day = str(min(round(DAY_S * times), LONGEST_DAY_S))
    said = demo.run("-m", "tests.process.patient_demo", str(times), "--once", "--day", day)
    played, _, told = said.partition("What became of everybody:")
    for lead in SCENARIO:
        assert all(f"{lead.name} {move.words}: 202 accepted" in played for move in lead.moves)
    assert all(f"The owner {deed.words}:" in played for deed in DEEDS)
    assert "no more than 1 marketing" in played and "max@resend.dev: not mailed unsubscribed" in played
    assert "the difference says nothing yet" in played and "4 emails move and 4 emails come" in played
    assert re.search(r"What the CRM was told: .*\d+ email.delivered.*\d+ lead.enrolled", played)
    assert told.count("as expected") == len(SCENARIO)
    assert "five_day          4 of 5 emails delivered; email 1 skipped: sent by the website." in told
    assert "; the sequence ended: replied on " in told
    assert "precall_prep      3 of 3 emails delivered." in told
    assert re.search(
        rf"\n(\d+) of \1 emails delivered, \d+ stopped with a reason, {len(SCENARIO)} people$", told.strip()
    )


def test_who_is_signed_up_by_hand_meanwhile_is_told_of_and_counted_nowhere(tmp_path, monkeypatch, capsys):
    rows = [
        ("1", SCENARIO[0].address, "lead_nurture", "", 1, "sent", ""),
        ("2", "you@resend.dev", "spring", "", 1, "sent", ""),
    ]
    monkeypatch.setattr("sandbox.play._rows", lambda ledger: rows)
    stack = Stack(Processes(tmp_path, {}), None, "", "")
    found = Play(Scene(stack, timedelta(seconds=1))).emails()
    assert set(found) == {lead.address for lead in SCENARIO} and len(found[SCENARIO[0].address]) == 1
    assert "you@resend.dev" in capsys.readouterr().out


def test_what_a_visitor_changes_is_told_and_ends_nothing(tmp_path, capsys):
    lead = next(lead for lead in SCENARIO if lead.moves)

    def refused(scene, address):
        return 200, {"status": "ignored", "reason": "the address is suppressed"}

    play = Play(Scene(Stack(Processes(tmp_path, {}), None, "", ""), timedelta(seconds=1)), judged=False)
    play._act(lead, replace(lead.moves[0], act=refused))
    assert "200 the address is suppressed" in capsys.readouterr().out
    with pytest.raises(NotStarted, match="the hook answered 200"):
        replace(play, judged=True)._act(lead, replace(lead.moves[0], act=refused))


def seen(state: str, reason: str = "", step: int = 2) -> Observation:
    return Observation("five_day", "", step, state, reason)


class TestExpected:
    """What the demo calls as expected, so that its 0 says something."""

    @pytest.mark.parametrize("email", [seen("delivered"), seen("cancelled", "booked a call on 24 November")])
    def test_delivered_or_stopped_for_the_right_reason(self, email):
        assert Expected("five_day", ended="booked a call").fault(email) is None

    @pytest.mark.parametrize(
        "email", [seen("cancelled", "became a client"), seen("held", "no template"), seen("sent"), seen("bounced")]
    )
    def test_everything_else_is_a_fault(self, email):
        assert Expected("five_day", ended="booked a call").fault(email).startswith(f"email 2 is {email.state}")

    def test_an_email_that_was_not_to_be_stopped_must_be_delivered(self):
        assert Expected("five_day").fault(seen("cancelled", "booked a call")) == "email 2 is cancelled: booked a call"

    def test_who_sends_email_1_is_looked_at_too(self):
        by_website = Expected("five_day", skipped={1: "sent by the website"})
        assert by_website.fault(seen("skipped", "sent by the website", step=1)) is None
        assert by_website.fault(seen("delivered", step=1)) == "email 1 is delivered"
        assert by_website.fault(seen("skipped", "too late", step=1)) == "email 1 is skipped: too late"

    def test_a_sequence_that_never_began_or_should_not_have_is_told(self):
        (lead,) = (lead for lead in SCENARIO if lead.name == "Ana")
        assert list(faults_of(lead, [seen("delivered")])) == ["five_day began", "lead_nurture never began"]
