"""Tests of Funnel."""

from tests.pool import imports

imports.begin()
