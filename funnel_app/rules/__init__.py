"""Rules: what becomes of a call, given one reading of the ledger; no clock, database or network."""
