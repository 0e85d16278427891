"""Prefect: one flow run an email, by a worker of processes; needs its server and `deploy` first."""

import os
import sys
from pathlib import Path

from letter import planned, submit
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.states import Scheduled

POOL, NAME = "bench", "send/bench"


@flow(name="send")
def send(name: str) -> None:
    """Send one email."""
    submit(name)


def deploy() -> None:
    """Register the flow with the server."""
    here = Path(__file__)
    source = send.from_source(source=str(here.parent), entrypoint=f"{here.name}:send")
    source.deploy(name="bench", work_pool_name=POOL, job_variables={"env": {"STUB_URL": os.environ["STUB_URL"]}})


if __name__ == "__main__":
    if sys.argv[1:] == ["deploy"]:
        deploy()
    else:
        with get_client(sync_client=True) as client:
            deployment = client.read_deployment_by_name(NAME)
            for each, due in planned():
                state = Scheduled(scheduled_time=due)
                client.create_flow_run_from_deployment(deployment.id, parameters={"name": each}, state=state)
