"""What the console's pages show: today, leads, figures, sequences, previews.

One world is filled once and only looked at; the last test fills PostgreSQL with the same and compares.
"""

from dataclasses import dataclass
from datetime import date

import pytest
from sqlalchemy import event

from funnel_app.campaigns.model import Event
from funnel_app.campaigns.states import STOPPED, State
from funnel_app.deps import Deps
from funnel_app.flows.console.figures import count_figures, last_days
from funnel_app.flows.console.hook_pages import find_hooks
from funnel_app.flows.console.leads import find_lead, find_leads
from funnel_app.flows.console.sequences import draw_sequences
from funnel_app.flows.console.template_pages import (
    find_version,
    list_templates,
    read_again,
    stand_of,
    versions_of,
)
from funnel_app.flows.console.today import look_at_today
from funnel_app.flows.monitoring.statistics.day import bounds, local_day
from funnel_app.flows.receipt import Receipt
from funnel_app.flows.templates.serving import ready_version
from funnel_app.flows.tracing.trace import trace
from funnel_app.gateways.errors import Unavailable
from funnel_app.ledger.queries.leads import Wanted
from tests.console_world import enter_day, report, send, sign_up
from tests.factories import make_deps
from tests.flows.leads import email_ids, opt_in, write_templates
from tests.sqlite_files import open_copy


@pytest.fixture
def ready(deps):
    write_templates(deps)
    return deps


@dataclass(frozen=True)
class World:
    """A filled ledger, and who is in it by what happened to them."""

    deps: Deps
    leads: dict[str, Receipt]


@pytest.fixture(scope="module")
def world(migrated_sqlite, tmp_path_factory):
    engine = open_copy(migrated_sqlite, tmp_path_factory.mktemp("world") / "funnel.db")
    yield filled(engine)
    engine.dispose()


def figures_of(deps, days):
    return count_figures(deps, last_days(deps, days))


def filled(engine) -> World:
    deps = make_deps(engine)
    return World(deps, enter_day(deps))


def queries_of(deps, what) -> int:
    """Count the statements that something sends to the ledger."""
    sent = []

    def note(*given):
        sent.append(given[2])

    event.listen(deps.engine, "before_cursor_execute", note)
    what()
    event.remove(deps.engine, "before_cursor_execute", note)
    return len([statement for statement in sent if not statement.startswith("BEGIN")])


class TestToday:
    def test_an_empty_ledger_is_calm(self, ready):
        seen = look_at_today(ready)
        assert (
            seen.headline.state == "well"
            and seen.headline.day.due == seen.unexplained == 0
            and len(seen.ahead.hours) == 24
        )

    def test_all_that_needs_a_person_is_there_with_its_reason(self, world):
        seen = look_at_today(world.deps)
        (held,) = (need.about for need in seen.headline.needs if need.kind == "held")
        assert (held.key, held.count) == ("lead_nurture_email_1", 3)
        assert "no page in the templates database" in held.reason
        assert [email.id for email in seen.todo.ambiguous] == email_ids(world.leads["ambiguous"])[:1]
        assert [run.id for run in seen.todo.paused] == [world.leads["paused"].enrolment_id]
        assert [row["email"] for row in seen.todo.refused] == ["delivered+nadia@resend.dev"]
        assert (seen.held, seen.unexplained) == (3, 0)
        assert seen.headline.day.due >= seen.headline.day.delivered == 19
        assert sum(count for _, count in seen.ahead.hours) == len(seen.ahead.first) + seen.ahead.more > 0
        assert all(email.enrolment.contact.email for email in seen.ahead.first)

    def test_its_tiles_add_up_to_what_the_figures_have_of_the_day(self, world):
        seen, told = look_at_today(world.deps).headline.day, figures_of(world.deps, 1).by_day
        assert seen.due == sum(number for (number,) in told.values())
        assert seen.stopped == sum(told[state][0] for state in STOPPED & told.keys())
        assert told[State.CANCELLED] > [0], "who booked, or became a client, gets the rest of the day's no more"

    def test_what_is_late_for_no_reason_is_unexplained(self, ready):
        opt_in(ready)
        ready.now.forward(seconds=61)
        seen = look_at_today(ready)
        assert (seen.overdue, seen.unexplained) == (1, 1), "the next step waits for this one"

    def test_what_is_late_while_sending_pauses_is_overdue_and_the_reason_is_said(self, ready):
        opt_in(ready)
        ready.now.forward(seconds=61)
        ready.pause.pause("401 missing_api_key", 300, "config")
        seen = look_at_today(ready)
        assert (seen.overdue, seen.unexplained) == (1, 0) and seen.headline.state == "stopped"
        assert "401 missing_api_key" in seen.pause_reason

    def test_what_is_late_while_redis_is_away_is_overdue_and_the_reason_is_said(self, ready, monkeypatch):
        def away():
            raise Unavailable("redis", "away")

        opt_in(ready)
        ready.now.forward(seconds=61)
        ready.queues.away = True
        monkeypatch.setattr(ready.pause, "current", away)
        seen = look_at_today(ready)
        assert (seen.overdue, seen.unexplained) == (1, 0) and seen.headline.state == "stopped"
        assert [stop.words for stop in seen.stops] == ["Redis cannot be reached"]

    def test_without_proof_for_a_quarter_of_an_hour_an_email_is_unexplained(self, ready):
        receipt = opt_in(ready)
        send(ready, receipt, 1, kind=None)
        ready.now.forward(minutes=16)
        assert look_at_today(ready).unexplained == 1 + look_at_today(ready).overdue
        report(ready, email_ids(receipt)[0])
        assert look_at_today(ready).unexplained == look_at_today(ready).overdue

    def test_it_takes_as_many_queries_for_many_leads_as_for_few(self, ready):
        sign_up(ready, 0)
        look_at_today(ready)  # the first look writes what later ones find
        few = queries_of(ready, lambda: look_at_today(ready))
        for number in range(1, 15):
            sign_up(ready, number)
        assert queries_of(ready, lambda: look_at_today(ready)) == few

    @pytest.mark.parametrize(
        ("day", "hours"), [(date(2026, 11, 24), 24), (date(2026, 11, 1), 25), (date(2026, 3, 8), 23)]
    )
    def test_a_day_is_the_business_s_day_also_when_the_clocks_change(self, ready, day, hours):
        noon = ready.now().replace(year=day.year, month=day.month, day=day.day, hour=17)
        start, end = bounds(local_day(noon, "America/Toronto"), "America/Toronto")
        assert local_day(start, "America/Toronto") == day and (end.timestamp() - start.timestamp()) / 3600 == hours


class TestLeads:
    @pytest.mark.parametrize(
        ("words", "found"),
        [
            ("ana", 2),
            ("ANA0@", 1),
            ("salon ana", 1),
            ("haarwerk", 1),
            ("béla", 1),
            ("nobody", 0),
            ("100%", 0),
            ("_", 0),
        ],
    )
    def test_they_are_found_by_a_part_of_address_name_or_business(self, world, words, found):
        rows = find_leads(world.deps, Wanted(words=words)).rows
        assert len(rows) == found, [row.contact.email for row in rows]

    @pytest.mark.parametrize(
        ("wanted", "who"),
        [
            (Wanted(state="paused"), "paused"),
            (Wanted(trouble="bounced"), "bounced"),
            (Wanted(trouble="ambiguous"), "ambiguous"),
            (Wanted(sequence="precall_prep"), "booked"),
            (Wanted(sequence="five_day", state="exited"), "client"),
        ],
    )
    def test_filters(self, world, wanted, who):
        assert [row.contact.id for row in find_leads(world.deps, wanted).rows] == [world.leads[who].contact_id]

    def test_pages_follow_each_other_without_gap_or_double(self, ready):
        ids = [sign_up(ready, number).contact_id for number in range(12)]
        seen, after = [], None
        for _ in range(4):
            page = find_leads(ready, Wanted(after=after), limit=5)
            seen += [row.contact.id for row in page.rows]
            after = page.next
            if after is None:
                break
        assert seen == ids[::-1]

    def test_a_page_takes_four_queries_however_many_are_on_it(self, ready):
        for number in range(12):
            sign_up(ready, number, Event.ASSESSMENT)
        assert queries_of(ready, lambda: find_leads(ready, Wanted(), limit=2)) == 4
        assert queries_of(ready, lambda: find_leads(ready, Wanted(), limit=12)) == 4

    def test_a_row_says_what_runs_and_how_far_it_is(self, world):
        row = find_leads(world.deps, Wanted(words="ana0")).rows[0]
        assert [(run.sequence, run.state, run.emails) for run in row.running] == [
            ("lead_nurture", "active", {"delivered": 4, "planned": 1})
        ]

    def test_a_lead_s_page_tells_the_story_of_trace(self, world):
        found = find_lead(world.deps, world.leads["client"].contact_id)
        story = trace(world.deps, found.contact.email_norm)
        assert [s.sentence for s in found.views] == [row["sentence"] for row in story["enrolments"]]
        moments = [moment for _, of_day in found.days for moment in of_day]
        told = [(moment.kind, moment.email_id) for moment in moments if moment.email_id]
        assert len(told) == len(set(told)) and {"sending", "delivered"}.isdisjoint(kind for kind, _ in told)
        delivered = sum(email["state"] == "delivered" for row in story["enrolments"] for email in row["emails"])
        assert sum(kind == "email.delivered" for kind, _ in told) == delivered > 0
        times = [moment.at for moment in moments]
        assert times == sorted(times, reverse=True)
        days = [day for day, _ in found.days]
        assert days == sorted(set(days), reverse=True)

    def test_a_lead_s_next_email_is_called_by_its_title(self, world):
        whose = ("delivered", "paused", "bounced", "ambiguous")
        found = {who: find_lead(world.deps, world.leads[who].contact_id) for who in whose}
        assert found["delivered"].next.title.startswith("Day ")
        assert found["ambiguous"].next.title == "Day 1: your holiday playbook"
        assert found["ambiguous"].next.waits == "in doubt; email 2 waits until email 1 is settled"
        assert found["delivered"].next.waits is None and found["bounced"].next is None
        assert "paused by a person" in found["paused"].next.waits

    def test_what_runs_is_told_before_what_is_over_and_what_waits_for_a_person_counts_as_running(self, world):
        client, doubtful = (find_lead(world.deps, world.leads[who].contact_id) for who in ("client", "ambiguous"))
        runs, over = ([each.enrolment.sequence for each in found] for found in (client.running, client.over))
        assert (runs, over) == (["onboarding_phase1"], ["five_day"])
        assert client.running[0].next_at == min(email.due_at for email in client.running[0].upcoming)
        assert doubtful.running[0].asks and not doubtful.over

    def test_only_what_can_be_done_is_offered(self, world):
        found = {who: find_lead(world.deps, world.leads[who].contact_id) for who in ("delivered", "paused", "bounced")}
        can = {who: lead.views[0].can for who, lead in found.items()}
        assert can == {"delivered": ("send_next_now", "pause", "stop"), "paused": ("resume", "stop"), "bounced": ()}

    def test_times_are_told_in_the_lead_s_zone_else_the_campaign_s(self, world):
        assert find_lead(world.deps, world.leads["delivered"].contact_id).zone == "Europe/Paris"
        assert find_lead(world.deps, world.leads["booked"].contact_id).zone == "America/Toronto"

    def test_a_lead_s_page_takes_as_many_queries_for_a_long_story_as_for_a_short_one(self, world):
        # The first look reads what this process then knows.
        leads = [world.leads[name].contact_id for name in ("bounced", "bounced", "client")]
        _, short, long = [queries_of(world.deps, lambda lead=lead: find_lead(world.deps, lead)) for lead in leads]
        assert short == long


class TestFigures:
    def test_each_email_is_counted_once_on_its_day_in_its_state(self, world):
        counted = figures_of(world.deps, 7)
        assert counted.days[-1] == date(2026, 11, 24) and len(counted.days) == 7
        assert sum(counted.by_day[State.DELIVERED]) == counted.by_day[State.DELIVERED][-1] == 19
        assert sum(row.planned for row in counted.templates) == sum(map(sum, counted.by_day.values()))

    def test_rates_are_of_what_was_handed_over(self, world):
        by_key = {row.key: row for row in figures_of(world.deps, 7).templates}
        first = by_key["lead_nurture_email_1"]
        assert (first.submitted, first.delivery, first.bounce) == (2, 0.5, 0.5)
        assert (first.bounced, first.complained) == (1, 0)
        assert by_key["precall_prep_email_1"].delivery is None


def test_every_sequence_is_drawn_with_what_runs_in_it(world):
    drawn = {each.sequence.name: each for each in draw_sequences(world.deps)}
    assert list(drawn) == list(world.deps.registry.campaigns["christmas"].sequences)
    assert drawn["five_day"].enrolments == {"active": 6, "exited": 1}
    delivered = [step.states.get(State.DELIVERED, 0) for step in drawn["five_day"].steps]
    assert delivered[0] == 7 and delivered == sorted(delivered, reverse=True)


def test_hooks_are_listed_page_by_page(world):
    everything = find_hooks(world.deps.reads, None, None, limit=100)
    first = find_hooks(world.deps.reads, None, None, limit=4)
    then = find_hooks(world.deps.reads, None, first.next, limit=100)
    assert everything.next is None and first.rows + then.rows == everything.rows
    assert [row["outcome"] for row in find_hooks(world.deps.reads, "refused", None).rows] == ["refused"]


class TestTemplates:
    def test_what_was_read_last_is_listed_and_notion_is_not_asked(self, world):
        world.deps.notebook.asked.clear()
        listed = {row.key: row for row in list_templates(world.deps)}
        assert world.deps.notebook.asked == []
        held, serves = listed["lead_nurture_email_1"].standing, listed["christmas_email_1"].standing
        assert (held.stand, serves.stand) == ("held", "serves") and "no page" in held.why
        assert listed["precall_prep_email_1"].standing.stand == "never read"

    def test_listing_takes_five_queries_however_many_there_are(self, world):
        assert queries_of(world.deps, lambda: list_templates(world.deps)) == 5

    @pytest.mark.both_databases
    def test_a_version_is_seen_beside_what_leads_get(self, ready):
        ready.notebook.write("christmas_email_1", html="<p>Good day {{ first_name }}</p><p>Our week</p>")
        read_again(ready, "christmas_email_1")
        ready_version(ready, "christmas_email_1")
        ready.now.forward(seconds=1)
        ready.notebook.write("christmas_email_1", subject="Another", html="<p>Hi {{ first_name }}</p><p>Our week</p>")
        read_again(ready, "christmas_email_1")
        assert stand_of(ready, "christmas_email_1").stand == "a newer text waits"
        newer, serving = versions_of(ready.reads, "christmas_email_1")[:2]
        seen = find_version(ready, "christmas_email_1", newer.id)
        changed = [(line.sign, line.text) for line in seen.differs if line.sign]
        assert ("+", "Another") in changed and ("-", "Good day {{ first_name }}") in changed
        assert all("Our week" not in text for _, text in changed) and (seen.serves, seen.may_serve) == (False, True)
        assert find_version(ready, "christmas_email_1", serving.id).differs == ()
        assert find_version(ready, "christmas_email_2", serving.id) is None

    def test_reading_again_makes_a_new_version(self, ready):
        read_again(ready, "christmas_email_1")
        ready.now.forward(seconds=1)
        ready.notebook.write("christmas_email_1", subject="Another")
        read_again(ready, "christmas_email_1")
        assert versions_of(ready.reads, "christmas_email_1")[0].subject == "Another"


def test_postgresql_tells_the_same(world, postgres):
    other = filled(postgres)
    here, there = (look_at_today(each.deps) for each in (world, other))
    for name in ("held", "overdue", "unexplained"):
        assert getattr(here, name) == getattr(there, name), name
    told = [(each.headline.sentence, each.headline.day, [*map(str, each.headline.needs)]) for each in (here, there)]
    assert told[0] == told[1]
    assert figures_of(world.deps, 7).by_day == figures_of(other.deps, 7).by_day
    assert figures_of(world.deps, 7).templates == figures_of(other.deps, 7).templates
    assert figures_of(world.deps, 7).waits == pytest.approx(figures_of(other.deps, 7).waits, abs=0.001)
    for wanted in (Wanted(words="ANA"), Wanted(words="béla"), Wanted(state="paused"), Wanted(trouble="bounced")):
        found = [[row.contact.email for row in find_leads(each.deps, wanted).rows] for each in (world, other)]
        assert found[0] == found[1] and found[0]
    assert [d.enrolments for d in draw_sequences(world.deps)] == [d.enrolments for d in draw_sequences(other.deps)]
    assert len(find_hooks(other.deps.reads, None, None).rows) == len(find_hooks(world.deps.reads, None, None).rows)
    assert [t.standing.stand for t in list_templates(other.deps)] == [
        t.standing.stand for t in list_templates(world.deps)
    ]
    assert find_lead(other.deps, other.leads["client"].contact_id).views
