"""A real PostgreSQL server for the tests, in a folder of its own."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier
from sqlalchemy import Engine, text

from bench.due import new_database
from funnel_app.ledger.database import schema
from funnel_app.ledger.database.engine import open_engine
from funnel_app.ledger.database.revision import head
from funnel_app.ledger.models import Base
from sandbox.redis_server import free_port
from tests.once import once_a_run
from tests.pace import patient

# The database that a ledger is copied from: to migrate one takes ten times as long.
MIGRATED = "migrated"


def binaries() -> Path:
    """Return the folder of PostgreSQL's programs; RuntimeError that says how to get them."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    found = debian[-1] if debian else shutil.which("initdb")
    if not found:
        raise RuntimeError("The tests need PostgreSQL's server: `make test` installs it where it may.")
    return Path(found).resolve().parent


def empty(ledger: Engine) -> None:
    """Delete every row, and say that it is at the newest migration, whatever a test made of that.

    TRUNCATE rewrites every file, and takes thirty times as long for the few rows of a test.
    """
    emptied = "; ".join(f"DELETE FROM {table}" for table in reversed(Base.metadata.sorted_tables))
    with ledger.begin() as connection:
        connection.execute(text(f"{emptied}; UPDATE alembic_version SET version_num = '{head()}'"))


def _copy(folder: Path, to: Path) -> None:
    """Copy a folder with the owner of each file, as PostgreSQL wants it."""
    subprocess.run(["cp", "-a", folder, to], check=True)


class PostgresServer:
    """One server for a test session; PostgreSQL refuses root, so under root it runs as the user postgres."""

    def __init__(self, address: str = "127.0.0.1") -> None:
        self.address = address
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="funnel-pg-"))
        self.user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self.as_user: dict[str, Any] = {"user": self.user} if os.geteuid() == 0 else {}

    @property
    def url(self) -> str:
        return f"postgresql://{self.user}@{self.address}:{self.port}/postgres"

    def start(self) -> "PostgresServer":
        if self.as_user:
            shutil.chown(self.folder, self.user)
        made = once_a_run("postgres", self._initialise)
        if not self._data.exists():
            _copy(made / "data", self._data)
        with (self._data / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {self.address}/24 trust\n")
        self._serve(self.address)
        return self

    def migrated(self, name: str) -> str:
        """Create a ledger at the newest migration in a database of this name, and return its URL."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(MIGRATED)))
        return f"{self.url.rpartition('/')[0]}/{name}"

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _initialise(self, folder: Path) -> None:
        """Make the databases of a server in its own folder, which its user may write to, and keep a copy.

        All are empty but one, a ledger at the newest migration, to be copied.
        """
        self._run("initdb", "-D", f"{self._data}", "--auth=trust", "-U", self.user, "--no-sync", "-E", "UTF8")
        self._serve("127.0.0.1")
        engine = open_engine(new_database(f"postgresql://{self.user}@127.0.0.1:{self.port}/postgres", MIGRATED))
        schema.upgrade(engine)
        engine.dispose()
        self._run("pg_ctl", "-D", f"{self._data}", "-m", "fast", "stop")
        _copy(self._data, folder / "data")

    def _serve(self, address: str) -> None:
        options = f"-p {self.port} -c listen_addresses={address} -c fsync=off -k {self.folder}"
        self._run("pg_ctl", "-D", f"{self._data}", "-o", options, "-l", f"{self.folder}/log", "-w", "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", f"{self._data}", "-m", "immediate", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(binaries() / program), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", timeout=patient(60), **self.as_user)
