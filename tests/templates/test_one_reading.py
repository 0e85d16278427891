"""Many processes, one reading: however many emails are due, Notion is asked once a minute for each template."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from time import sleep

import pytest
from redis import Redis

from funnel_app.deps import Deps
from funnel_app.flows.templates import serving
from funnel_app.flows.templates.populate import populate
from funnel_app.flows.templates.serving import ready_version
from funnel_app.gateways.redis.fetch_lock import FetchLock
from tests.factories import make_deps
from tests.pace import patient
from tests.templates.conftest import notebook_at

QUERY = "POST /notion/v1/data_sources/{id}/query"
PROCESSES = 3


@pytest.fixture
def processes(engine, notion, redis_server) -> Iterator[list[Deps]]:
    """Three processes' collaborators over one ledger, one Redis and one Notion, by the real clock."""
    built = []
    for _ in range(PROCESSES):
        connection = Redis.from_url(redis_server.url)
        built.append(
            replace(
                make_deps(engine),
                notebook=notebook_at(notion),
                fetch_lock=FetchLock(connection),
                now=lambda: datetime.now(UTC),
                sleep=sleep,
            )
        )
    yield built
    for deps in built:
        deps.notebook.close()


@pytest.mark.both_databases
def test_132_emails_of_22_templates_in_three_processes_cost_22_queries(processes, notion, monkeypatch):
    monkeypatch.setattr(serving, "LOOKS_WHILE_WAITING", int(patient(120)))  # nine threads on a slow machine
    populate(processes[0])
    before = notion.sandbox.calls[QUERY]
    keys = list(processes[0].registry.template_keys()) * 2
    wanted = [(deps, key) for key in keys for deps in processes]
    with ThreadPoolExecutor(9) as workers:
        got = list(workers.map(lambda each: ready_version(*each).key, wanted))
    assert got == [key for _, key in wanted] and len(got) == 132
    assert notion.sandbox.calls[QUERY] - before == 22


@pytest.mark.both_databases
def test_a_notion_that_is_away_costs_one_reading_for_all(processes, notion):
    with notion.sandbox.lock:
        notion.sandbox.settings.merge({"notion": {"fail_always": {"status": 503, "code": "service_unavailable"}}})
    for key in processes[0].registry.template_keys():
        for deps in processes:
            with pytest.raises(Exception, match="Notion cannot be asked"):
                ready_version(deps, key)
    assert sum(notion.sandbox.calls.values()) == 2, "the gateway tries each reading once more"
