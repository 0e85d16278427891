"""Monitoring: whether all is well, and who is notified if not."""
