"""The problems that validation finds in a template."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a template, told so that the owner of the business can fix it."""

    code: str
    detail: str
    blocking: bool


def fault(code: str, detail: str) -> Problem:
    """Return a problem that keeps the template from being sent."""
    return Problem(code, detail, blocking=True)


def warning(code: str, detail: str) -> Problem:
    """Return a problem that is worth fixing, though the template may be sent."""
    return Problem(code, detail, blocking=False)
