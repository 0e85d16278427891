"""What would happen: the real flows, played on a ledger of their own with a clock that runs ahead."""
