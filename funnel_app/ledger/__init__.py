"""Ledger: all SQL, that is tables, queries and updates."""
