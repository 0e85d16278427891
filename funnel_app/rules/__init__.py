"""What becomes of a call: pure rules over one reading of the ledger, with no clock, no database and no network."""
