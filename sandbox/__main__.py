"""`python -m sandbox --port 8100`: the stand-ins as one process.

The website tells the Funnel of FUNNEL_URL, with the proof of HOOK_SECRET; without them it says so.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from sandbox.server import Server
from sandbox.state import DEFAULT_SECRET, Config


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="Stand-ins: Resend, Notion, website.")
    parser.add_argument("--port", type=int, required=True, help="0 takes a free port")
    parser.add_argument("--port-file", type=Path, help="write the port chosen to this file")
    parser.add_argument("--webhook-url", help="where Resend's events go")
    parser.add_argument("--webhook-secret", default=DEFAULT_SECRET, help="whsec_... that signs them")
    parser.add_argument("--domain", action="append", default=[], help="a verified sending domain, may be repeated")
    return parser.parse_args(arguments)


def leave(number: int, frame: FrameType | None) -> None:
    """Exit cleanly."""
    sys.exit(0)


def write_port(file: Path, port: int) -> None:
    """Write the port atomically."""
    draft = file.with_name(file.name + ".part")
    draft.write_text(str(port))
    draft.replace(file)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT."""
    options = parse(arguments)
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)
    # A secret is not an argument: the list of processes shows those to everybody.
    funnel, secret = os.environ.get("FUNNEL_URL"), os.environ.get("HOOK_SECRET", "").partition(",")[0].strip()
    config = Config(options.webhook_url, options.webhook_secret, tuple(options.domain), funnel, secret)
    server = Server(config, options.port)
    if options.port_file:
        write_port(options.port_file, server.port)
    print(
        f"Sandbox: inbox {server.url}/  website {server.url}/website  "
        f"RESEND_API_URL={server.resend_url}  NOTION_API_URL={server.notion_url}",
        flush=True,
    )
    server.run()


if __name__ == "__main__":
    main()
