"""Waiting times and rates come from response headers in several forms."""

from datetime import UTC, datetime

import pytest

from funnel_app.gateways.response_headers import rate_limit, retry_after, seconds_to_next_day, seconds_to_next_month

NOW = datetime(2026, 12, 31, 23, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("3", 3.0),
        ("0.5", 0.5),
        (" 7 ", 7.0),
        ("Thu, 31 Dec 2026 23:00:30 GMT", 30),
        ("Thu, 31 Dec 2026 23:00:30 -0000", 30),
        ("Thu, 31 Dec 2026 22:00:00 GMT", 0),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": value}, NOW) == seconds


@pytest.mark.parametrize(
    ("headers", "rate"),
    [
        ({"ratelimit-limit": "10"}, 10.0),
        ({"RateLimit-Limit": "10", "RateLimit-Policy": "10;w=1"}, 10.0),
        ({"ratelimit-limit": "120", "ratelimit-policy": "120;w=60"}, 2.0),
        ({"ratelimit-limit": "10, 10;w=5"}, 2.0),
        ({"ratelimit-limit": "10", "ratelimit-policy": "10;w=0"}, 10.0),
        ({"ratelimit-limit": "0"}, None),
        ({"ratelimit-limit": "many"}, None),
        ({}, None),
    ],
)
def test_the_rate_is_the_limit_over_its_window(headers: dict[str, str], rate: float | None) -> None:
    assert rate_limit(headers) == rate


def test_quotas_reset_at_midnight_utc_and_on_the_first_of_the_month() -> None:
    assert seconds_to_next_day(NOW) == 3600
    assert seconds_to_next_month(NOW) == 3600
    assert seconds_to_next_month(datetime(2026, 2, 1, tzinfo=UTC)) == 28 * 86400
