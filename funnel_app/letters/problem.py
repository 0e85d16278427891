"""The problems that validation finds in a template."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a template, in words for the owner."""

    code: str
    detail: str
    blocking: bool


def fault(code: str, detail: str) -> Problem:
    """Return a problem that keeps the template from being sent."""
    return Problem(code, detail, blocking=True)


def warning(code: str, detail: str) -> Problem:
    """Return a problem that is worth fixing and does not block the template."""
    return Problem(code, detail, blocking=False)
