"""Start a program of this folder by its name, so that Ctrl-C ends it in one line also while it is being imported."""

import os
import runpy
import signal
import sys

INTERRUPTED = 130  # what a shell says of a program that Ctrl-C ended


def main() -> None:
    """Run the program that the first argument names, with all that follow it."""
    signal.signal(signal.SIGINT, _end)
    del sys.argv[0]
    runpy.run_module(f"sandbox.{sys.argv[0]}", run_name="__main__", alter_sys=True)


def _end(number: int, frame: object) -> None:
    # At once: nothing runs yet, and an exception may be lost in what imports do. A program takes the signal over.
    os.write(1, b"\nStopped; nothing is left running.\n")
    os._exit(INTERRUPTED)


if __name__ == "__main__":
    main()
