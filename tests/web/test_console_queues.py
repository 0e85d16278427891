"""RQ's own pages in the console, over a Redis of their own."""

import re
from dataclasses import replace

import pytest
from redis import Redis
from rq import Queue
from rq.job import JobStatus

from tests.apps import application
from tests.flows.leads import write_templates
from tests.web.console import Operator


@pytest.fixture
def olga(olga, deps) -> Operator:
    write_templates(deps)
    return olga


class TestQueues:
    """rq-dashboard behind the login, to look only."""

    @pytest.fixture
    def looking(self, deps, redis_server) -> Operator:
        app = application(replace(deps, settings=replace(deps.settings, redis_url=redis_server.url)))
        operator = Operator(app.test_client())
        operator.log_in()
        return operator

    @pytest.mark.parametrize("path", ["", "0/view/workers", "0/view/jobs", "0/data/queues.json", "0/data/workers.json"])
    def test_its_pages_are_shown(self, looking, path):
        answer = looking.get(f"/console/rq/{path}")
        assert answer.status_code == 200
        if answer.mimetype == "text/html":
            assert "← Funnel’s console" in answer.text

    def test_getting_requeue_runs_nothing_again(self, looking, redis_server):
        connection = Redis.from_url(redis_server.url)
        queue = Queue("emails", connection=connection)
        job = queue.enqueue("jobs.deliver.deliver", "x")
        queue.remove(job)
        job.set_status(JobStatus.FAILED)
        queue.failed_job_registry.add(job, ttl=600)
        for path in ("requeue/emails", f"job/{job.id}/requeue", f"job/{job.id}/delete", "queue/emails/failed/empty",
                     "queue/emails/compact"):  # fmt: skip
            token = re.search(r'name="csrf_token" value="([^"]+)"', looking.get("/console/").text)[1]
            for answer in (
                looking.get(f"/console/rq/{path}"),
                looking.client.post(f"/console/rq/{path}", data={"csrf_token": token}),
            ):
                assert answer.status_code in {404, 405}, path
        assert queue.count == 0 and queue.failed_job_registry.get_job_ids() == [job.id]
        connection.close()

    def test_a_job_that_is_gone_is_told(self, looking):
        assert looking.get("/console/rq/0/view/job/nothing").status_code == 404

    def test_without_redis_it_says_that_nothing_is_lost(self, olga):
        answer = olga.get("/console/rq/0/data/queues.json")
        assert answer.status_code == 503 and "No email is lost" in answer.text
