"""Drive Funnel with the official Prefect client, in a virtual environment of its own; print what it saw as JSON.

Once for each way to prove who one is: `drive.py DEPLOYMENT WAYS`, the ways as JSON, each the settings of one.
"""

import asyncio
import json
import os
import sys

from prefect.client.orchestration import get_client
from prefect.context import refresh_global_settings_context
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound, PrefectHTTPStatusError

SIGNUP = "1ae3a3b3-e076-49c5-9b08-9c176aa47aa0"
NOBODY = "00000000-0000-4000-8000-000000000000"


async def see(deployment_name: str, caller: str) -> dict:
    seen: dict = {}
    async with get_client() as client:
        seen["healthy"] = await client.api_healthcheck() is None
        seen["version"] = await client.api_version()
        run = await client.create_flow_run_from_deployment(
            SIGNUP, parameters={"email": f"ana{caller}@resend.dev", "first_name": "Ana"}, idempotency_key=f"k{caller}"
        )
        again = await client.create_flow_run_from_deployment(
            SIGNUP, parameters={"email": "other@resend.dev"}, idempotency_key=f"k{caller}"
        )
        seen["same_run"] = run.id == again.id
        read = await client.read_flow_run(run.id)
        seen["state"] = [read.state.type.value, read.state.name, read.state.message]
        seen["parameters"] = read.parameters
        deployment = await client.read_deployment(SIGNUP)
        by_name = await client.read_deployment_by_name(f"{deployment.name}/{deployment.name}")
        seen["deployment"] = [deployment.name, str(by_name.id)]
        seen["flow"] = (await client.read_flow(run.flow_id)).name
        for what, call in (("run", client.read_flow_run), ("deployment", client.read_deployment)):
            try:
                await call(NOBODY)
            except ObjectNotFound:
                seen[f"no_{what}"] = True
        try:
            await client.create_flow_run_from_deployment(SIGNUP, parameters={"first_name": "Ana"})
        except PrefectHTTPStatusError as error:
            seen["refused"] = [error.response.status_code, error.response.json()["detail"]]
    run = await run_deployment(
        deployment_name,
        parameters={"email": f"bea{caller}@resend.dev", "call_date": "2026-11-24T10:00:00Z"},
        timeout=0,
    )
    seen["run_deployment"] = run.state.type.value
    return seen


def drive(deployment_name: str, ways: list[dict[str, str]]) -> list[dict]:
    """Return what is seen in each way. To import the client takes longer than all that it is asked for."""
    seen = []
    for number, way in enumerate(ways):
        for name in [each for each in os.environ if each.startswith("PREFECT_API_")]:
            del os.environ[name]
        os.environ.update(way)
        refresh_global_settings_context()
        seen.append(asyncio.run(see(deployment_name, str(number))))
    return seen


if __name__ == "__main__":
    print(json.dumps(drive(sys.argv[1], json.loads(sys.argv[2]))))
