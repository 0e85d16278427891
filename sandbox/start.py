"""Start a program of this folder by its name, so that Ctrl-C ends it in one line, also while it is being imported."""

import runpy
import sys

INTERRUPTED = 130  # what a shell says of a program that Ctrl-C ended


def main() -> int:
    """Run the program that the first argument names with all that follow it; returns only where Ctrl-C ended it."""
    try:
        del sys.argv[0]
        runpy.run_module(f"sandbox.{sys.argv[0]}", run_name="__main__", alter_sys=True)
    except KeyboardInterrupt:
        print("\nStopped; nothing is left running.")
    return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
