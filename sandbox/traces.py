"""What `flask trace EMAIL --json` says of several addresses, in one process: `python -m sandbox.traces EMAIL…`."""

import json
import sys
from collections.abc import Iterable

from wsgi import app


def main(addresses: Iterable[str]) -> None:
    """Print the timelines as one JSON list, in the given order."""
    run = app.test_cli_runner().invoke
    print(json.dumps([json.loads(run(args=["trace", address, "--json"]).stdout) for address in addresses]))


if __name__ == "__main__":
    main(sys.argv[1:])
