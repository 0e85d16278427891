"""What RQ runs: one call each."""
