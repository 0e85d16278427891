"""Console: operators see every lead and every email, and act on them in their own name."""
