"""Simulation: the real flows on a scratch ledger with a simulated clock."""
