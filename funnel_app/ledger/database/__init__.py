"""Database: how the ledger is opened, migrated and written: engine, driver, turns, transactions."""
