"""What tests of several rooms of flows share."""

import pytest

from tests.flows.leads import write_templates


@pytest.fixture
def ready(both_deps):
    """Collaborators on each database, with every template written."""
    write_templates(both_deps)
    return both_deps
