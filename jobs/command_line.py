"""The command line of a program that takes nothing: --help, and a word about everything else."""

import argparse
import inspect
import sys


def help_parser(doc: str | None, usage: str | None = None) -> argparse.ArgumentParser:
    """Return a parser that tells a program's docstring for --help and ends it with 0; 2 for what it does not know."""
    spec = sys.modules["__main__"].__spec__
    return argparse.ArgumentParser(
        prog=f"python -m {spec.name.removesuffix('.__main__')}" if spec else None,
        usage=usage,
        description=inspect.cleandoc(doc or ""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def take_nothing(doc: str | None) -> None:
    """Tell a program's docstring and end it with 0 for --help; end it with 2 for whatever else it was given."""
    help_parser(doc).parse_args()
