"""Days gone by are counted beforehand, and the figures are the same before and after."""

from dataclasses import replace
from datetime import timedelta

import pytest

from funnel_app.flows.console.figures import count_figures, last_days
from funnel_app.flows.maintenance.sweep import sweep
from funnel_app.flows.monitoring.statistics.count_days import AT_A_TIME, count_days
from funnel_app.ledger import counted_days
from tests.flows.leads import opt_in


@pytest.fixture
def old(deps):
    """A ledger whose five emails were due from thirty to twenty-six days ago."""
    opt_in(deps)
    deps.now.forward(days=30)
    return deps


def kept(deps):
    with deps.reads() as session:
        return counted_days.kept(session)


@pytest.mark.both_databases
def test_a_few_days_are_counted_at_a_time_until_all_but_the_last_two_are_kept(old):
    before = count_figures(old, last_days(old, 60))
    counted = [count_days(old) for _ in range(6)]
    assert counted == [AT_A_TIME] * 4 + [1, 0]
    assert max(end for _, end in kept(old)) <= old.now() - timedelta(days=1)
    assert count_figures(old, last_days(old, 60)) == before
    assert sum(map(sum, before.by_day.values())) == 5


def test_days_of_another_zone_are_forgotten(old):
    count_days(old)
    there = replace(old, settings=replace(old.settings, timezone="Asia/Tokyo"))
    of_here = kept(old)
    count_days(there)
    assert len(kept(there)) == AT_A_TIME and not kept(there) & of_here


def test_nothing_is_kept_of_an_empty_ledger_and_the_sweep_counts(deps):
    assert count_days(deps) == 0
    opt_in(deps)
    deps.now.forward(days=3)
    assert sweep(deps).counted == 2
