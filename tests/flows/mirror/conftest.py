"""What tests of the mirror share: a desk in the stand-in for Notion."""

import pytest

from tests.flows.mirror.workspaces import lay


@pytest.fixture
def desk(deps, notion):
    """Collaborators whose desk is laid in the stand-in."""
    lay(deps, notion)
    return deps


@pytest.fixture
def one(deps, notion):
    """The same on SQLite, where the database makes no difference."""
    lay(deps, notion)
    return deps
