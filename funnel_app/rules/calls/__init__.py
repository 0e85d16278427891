"""Calls: one call and one reading of the ledger in, what becomes of the person out."""
