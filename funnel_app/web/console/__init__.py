"""The console: operators see every lead and every email, and act on them under their name."""
