"""Tests of Funnel."""
