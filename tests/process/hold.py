"""Lock a person in the ledger and never let go: `python -m tests.process.hold <address>` says when it has the lock."""

import sys
import time

from sqlalchemy import text

from funnel_app.config import load_settings
from funnel_app.ledger.database.engine import make_sessions, open_engine


def main(address: str) -> None:
    """Hold the lock until this process, or its machine, is gone."""
    with make_sessions(open_engine(load_settings().database_url))[0].begin() as session:
        session.execute(text("SELECT id FROM contacts WHERE email_norm = :address FOR UPDATE"), {"address": address})
        print("locked", flush=True)
        time.sleep(3600)


if __name__ == "__main__":
    main(sys.argv[1])
