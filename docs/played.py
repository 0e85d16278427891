"""The table of failures, made by playing each of them."""

from functools import cache
from pathlib import Path
from shutil import copy
from tempfile import TemporaryDirectory

from docs.markdown import markdown
from funnel_app.ledger.database import schema
from funnel_app.ledger.database.engine import open_engine
from tests.failures.show import Observation, live, show
from tests.failures.table import FAILURES, Failure

HEADS = ("what goes wrong", "state meanwhile", "reason", "what `flask trace` says", "at last", "doctor", "alert")


@cache
def failures() -> str:
    """Return each way an email can go wrong, with what a person sees of it, as it is played."""
    with TemporaryDirectory() as folder:
        empty = Path(folder, "empty.db")
        engine = open_engine(f"sqlite:///{empty}")
        schema.upgrade(engine)
        engine.dispose()
        rows = [_failure(failure, Path(copy(empty, f"{folder}/{n}.db"))) for n, failure in enumerate(FAILURES)]
    return markdown(HEADS, rows)


def _failure(failure: Failure, ledger: Path) -> tuple[str, ...]:
    engine = open_engine(f"sqlite:///{ledger}")
    seen, _ = show(failure, live(engine))
    engine.dispose()
    return row_of(failure.name, seen)


def row_of(name: str, seen: Observation) -> tuple[str, ...]:
    """Return a failure's line of the table, from what was seen of it."""
    noticed = seen.noticed.doctor, seen.noticed.alert
    return name, f"`{seen.state}`", seen.reason, seen.sentence, f"`{seen.at_last}`", *noticed
