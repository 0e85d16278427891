"""A canary is found nowhere: in no figure, list or count, whatever becomes of its email."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import date

import pytest
from sqlalchemy import select, update

from funnel_app.campaigns.model import Mode
from funnel_app.campaigns.reasons import ReasonCode
from funnel_app.campaigns.states import State
from funnel_app.flows.console.calendar import look_ahead
from funnel_app.flows.console.figures import count_figures, last_days
from funnel_app.flows.console.hook_pages import find_hooks
from funnel_app.flows.console.leads import find_leads
from funnel_app.flows.console.sequences import draw_sequences
from funnel_app.flows.console.template_pages import list_templates
from funnel_app.flows.console.today import look_at_today
from funnel_app.flows.intake.enrol import enrol
from funnel_app.flows.intake.received_calls import list_hooks
from funnel_app.flows.monitoring.alerts.invariants import count_invariants
from funnel_app.flows.monitoring.checks.redis import overdue
from funnel_app.flows.monitoring.notifications.digest import digest
from funnel_app.flows.monitoring.probes import canary
from funnel_app.flows.monitoring.statistics.metrics import figures as metrics
from funnel_app.flows.monitoring.statistics.stats import ledger_stats, standing
from funnel_app.ledger.models import Email, EmailEvent, Enrolment
from funnel_app.ledger.models.base import Base
from funnel_app.ledger.queries import leads, watching
from funnel_app.ledger.queries.leads import Wanted
from tests.apps import application
from tests.factories import make_deps
from tests.flows.leads import call, opt_in, write_templates
from tests.web.console import Operator

ADDRESS = "delivered+canary-%012x@resend.dev"
PAGES = ("", "leads", "leads?words=canary", "figures", "sequences", "calendar", "hooks", "templates")
SEEN = {
    "invariants": count_invariants,
    "stats": ledger_stats,
    "standing": lambda deps: standing(deps, count_invariants(deps), paused=False),
    "today": look_at_today,
    "digest": lambda deps: digest(deps, date(2026, 11, 24)),
    "leads": lambda deps: find_leads(deps, Wanted()),
    "leads of a word": lambda deps: find_leads(deps, Wanted(words="canary")),
    "leads in trouble": lambda deps: [find_leads(deps, Wanted(trouble=state)) for state in leads.TROUBLE],
    "figures": lambda deps: count_figures(deps, last_days(deps, 30)),
    "sequences": draw_sequences,
    "calendar": look_ahead,
    "templates": list_templates,
    "calls": lambda deps: (list_hooks(deps.reads, None, 50), find_hooks(deps.reads, None, None)),
    "metrics": lambda deps: [each for each in metrics(deps) if not each.name.startswith("canary")],
    "skipped tests": lambda deps: _read(deps, watching.skipped_as_tests, deps.now().replace(year=2020)),
    "doctor's overdue": lambda deps: list(overdue(deps)),
}
FATES = [*State, "paused"]


IN_EACH_MODE = pytest.mark.parametrize(
    ("world", "engine"),
    [(True, "sqlite"), (False, "sqlite"), (False, "postgresql")],
    ids=["testing-sqlite", "live-sqlite", "live-postgresql"],
    indirect=True,
)


@pytest.fixture
def world(request, deps):
    """A lead who signed up, in testing mode or not, and pages of the console."""
    deps = make_deps(deps.engine, testing_mode=request.param)
    write_templates(deps)
    opt_in(deps)
    return deps


@pytest.mark.both_databases
@IN_EACH_MODE
def test_a_canary_is_found_nowhere_whatever_becomes_of_it(world):
    before = _seen(world)
    last = [_run_one(world, fate) for fate in FATES][-1]
    after = _seen(world)
    assert {what: told for what, told in after.items() if told != before[what]} == {}
    assert canary.latest(world.reads).enrolment_id == last


@pytest.mark.both_databases
@IN_EACH_MODE
def test_looking_again_at_a_template_does_not_count_a_canary(world):
    _run_one(world, State.HELD)
    with world.sessions.begin() as session:
        assert leads.hurry_held(session, "lead_nurture_email_1", world.now()) == 0


def test_no_page_of_the_console_shows_a_canary(deps):
    write_templates(deps)
    olga = Operator(application(deps).test_client())
    olga.log_in()
    for fate in FATES:
        _run_one(deps, fate)
    for page in PAGES:
        shown = olga.get(f"/console/{page}")
        assert shown.status_code == 200 and "delivered+canary" not in shown.text, page


def _run_one(deps, fate):
    """Send a canary whose email came into a state long enough ago that anybody would be told of a lead's."""
    address = ADDRESS % FATES.index(fate)
    enrolment_id = enrol(deps, replace(call(address), campaign="canary")).enrolment_id
    _meet(deps, enrolment_id, fate)
    return enrolment_id


def _meet(deps, enrolment_id, fate) -> None:
    then = deps.now().replace(hour=9)
    times = {f"{state}_at": then for state in State if hasattr(Email, f"{state}_at")}
    with deps.sessions.begin() as session:
        state = State.PLANNED if fate == "paused" else fate
        code = ReasonCode.NO_TEST_RECIPIENT if state is State.SKIPPED else None
        values = {"state": state, "reason_code": code, "due_at": then, **times}
        session.execute(update(Email).where(Email.enrolment_id == enrolment_id).values(values))
        session.get(Enrolment, enrolment_id).state = "paused" if fate == "paused" else "active"
        assert session.get(Enrolment, enrolment_id).mode == Mode.CANARY
        for resend_id in ("one", "two"):
            email_id = session.scalars(select(Email.id).where(Email.enrolment_id == enrolment_id)).one()
            session.add(
                EmailEvent(email_id=email_id, kind="sent", at=then, recorded_at=then, resend_id=f"{fate}-{resend_id}")
            )


def _read(deps, verb, *arguments):
    with deps.reads() as session:
        return verb(session, *arguments)


def _seen(deps) -> dict:
    return {what: _plain(look_at(deps)) for what, look_at in SEEN.items()}


def _plain(value):
    """Return what was seen as plain data, so that two looks can be compared."""
    if isinstance(value, Base):
        return str(value.id)
    if is_dataclass(value):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return str(value)
