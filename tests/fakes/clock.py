"""A time that stands."""

from datetime import UTC, datetime, timedelta


class FrozenClock:
    """A time that stands until it is moved."""

    def __init__(self, at: datetime = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **duration: float) -> None:
        self.at += timedelta(**duration)
