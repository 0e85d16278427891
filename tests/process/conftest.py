"""A web process alone, for what needs no more."""

from collections.abc import Iterator

import pytest

from sandbox.processes import Processes, development_env
from sandbox.redis_server import free_port
from tests.process.starting import migrate


@pytest.fixture(scope="module")
def web(tmp_path_factory) -> Iterator[Processes]:
    """A web process over a ledger of its own: a hook needs neither Redis nor Notion nor Resend to be answered."""
    folder, port, nobody = tmp_path_factory.mktemp("web"), free_port(), free_port()
    away = f"http://127.0.0.1:{nobody}"
    env = development_env(
        folder=folder, web_port=port, sandbox_url=away, redis_url=f"redis://127.0.0.1:{nobody}/0", interval_s=60
    )
    keys = {
        name: f"{name.lower()}-of-this-test" for name in ("LEGACY_KEY", "CALENDLY_SIGNING_KEY", "CALCOM_SIGNING_KEY")
    }
    processes = Processes(folder, {**env, **keys, "FUNNEL_URL": env["PUBLIC_URL"]})
    migrate(env["DATABASE_URL"])
    processes.start("web")
    processes.wait_for("web", f"{env['PUBLIC_URL']}/healthz")
    yield processes
    processes.stop()
