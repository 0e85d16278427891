"""A test run that is ended by SIGTERM ends as one that Ctrl-C ends: what its fixtures started is stopped."""

import signal
from types import FrameType

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Let SIGTERM unwind the fixtures, in the run itself and in each of its workers."""
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    # A second one would break off what the first has begun; and whatever is started would inherit SIG_IGN.
    signal.signal(signal.SIGTERM, lambda *_: None)
    raise KeyboardInterrupt
