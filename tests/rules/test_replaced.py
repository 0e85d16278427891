"""Facts with other values are those that Python's own replace returns."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from funnel_app.rules.facts import ContactFacts
from funnel_app.rules.replaced import replaced

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ANA = ContactFacts(email="Ana@example.org", email_norm="ana@example.org", created_at=NOW, updated_at=NOW)


@pytest.mark.parametrize("values", [{}, {"first_name": "Ana"}, {"name": None, "properties": {"score": 3}}])
def test_all_other_values_stay(values: dict[str, object]) -> None:
    assert replaced(ANA, **values) == replace(ANA, **values)


def test_a_name_that_is_no_field_is_refused() -> None:
    with pytest.raises(TypeError):
        replaced(ANA, surname="Silva")
