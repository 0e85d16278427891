"""A real PgBouncer before a test's PostgreSQL, in transaction mode: each transaction may get another connection."""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg

from sandbox.redis_server import free_port
from tests.pace import patient
from tests.postgres_server import PostgresServer

# So few that the transactions of a test take turns on them.
SERVER_CONNECTIONS = 4
UP_WITHIN_S = 10.0


def program() -> str:
    """Return where PgBouncer is; RuntimeError that says how to get it."""
    found = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")
    if found is None:
        raise RuntimeError("The tests need PgBouncer: `make test` installs Debian's package pgbouncer where it may.")
    return found


@contextmanager
def pgbouncer(server: PostgresServer) -> Iterator[str]:
    """Run a PgBouncer for the time of the block; the address through it."""
    port, folder = free_port(), Path(tempfile.mkdtemp(prefix="funnel-pgbouncer-"))
    (folder / "users").write_text(f'"{server.user}" ""\n')
    settings = {
        "listen_addr": server.address,
        "listen_port": port,
        "auth_type": "trust",
        "auth_file": folder / "users",
        "pool_mode": "transaction",
        "default_pool_size": SERVER_CONNECTIONS,
        "max_client_conn": 500,
        "unix_socket_dir": "",
    }
    lines = [f"{name} = {value}" for name, value in settings.items()]
    database = f"* = host={server.address} port={server.port}"
    (folder / "ini").write_text("\n".join(["[databases]", database, "[pgbouncer]", *lines, ""]))
    if server.as_user:
        shutil.chown(folder, server.user)
    running = subprocess.Popen([program(), "-q", str(folder / "ini")], cwd="/", **server.as_user)
    try:
        url = f"postgresql://{server.user}@{server.address}:{port}/postgres"
        _wait_for(url)
        yield url
    finally:
        running.terminate()
        running.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + patient(UP_WITHIN_S)
    while time.monotonic() < deadline:
        with suppress(psycopg.OperationalError), psycopg.connect(url, connect_timeout=1):
            return
    raise RuntimeError("PgBouncer did not come up.")
