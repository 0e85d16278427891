"""What the tests of the web share."""

import pytest

from tests.web.console import Operator


@pytest.fixture
def olga(client) -> Operator:
    """An operator who has logged in."""
    operator = Operator(client)
    assert operator.log_in().status_code == 303
    return operator
