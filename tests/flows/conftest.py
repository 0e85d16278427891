"""What tests of several rooms of flows share."""

import pytest

from tests.flows.leads import write_templates


@pytest.fixture
def ready(deps):
    """Collaborators with every template written."""
    write_templates(deps)
    return deps
