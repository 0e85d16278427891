"""The command line of a program that takes nothing: --help, and a word about everything else."""

import argparse
import inspect
import sys


def take_nothing(doc: str | None) -> None:
    """Tell a program's docstring and end it with 0 for --help; end it with 2 for whatever else it was given."""
    spec = sys.modules["__main__"].__spec__
    argparse.ArgumentParser(
        prog=f"python -m {spec.name}" if spec else None,
        description=inspect.cleandoc(doc or ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args()
