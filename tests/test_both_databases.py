"""A function of the ledger that no test runs on PostgreSQL fails a whole run, under the name of a test to mark."""

from tests.both_databases import asked, fails_for, never_asked_postgresql
from tests.flows.leads import opt_in

ON_SQLITE = {"leads.find:12": "test_found", "leads.find:20": "test_sorted", "storage.damage:5": "test_damaged"}


def test_a_place_that_asks_sqlite_alone_is_named():
    assert never_asked_postgresql({"sqlite": ON_SQLITE, "postgresql": {}}) == ["leads.find:12", "leads.find:20"]
    assert never_asked_postgresql({"sqlite": ON_SQLITE, "postgresql": {"leads.find:12": ""}}) == ["leads.find:20"]
    assert never_asked_postgresql({"sqlite": ON_SQLITE, "postgresql": ON_SQLITE}) == []


def test_a_function_that_never_asked_fails_the_run_and_a_line_beside_others_is_told_alone():
    assert fails_for(["leads.find:20"], {"postgresql": {"leads.count:3": ""}})
    assert not fails_for(["leads.find:20"], {"postgresql": {"leads.find:12": ""}})
    assert not fails_for([], {"postgresql": {}})


def test_what_a_flow_asks_is_noted_where_the_ledger_asks_it(deps):
    opt_in(deps)
    places = {place.partition(":")[0] for place in asked["sqlite"]}
    assert {"reading._contacts", "writing._new_enrolments", "writing.Differences.write"} <= places
