"""Tests of Funnel."""

from tests.pool import imports

imports.end_early_measuring()
