"""Backups, restores, and the sweep that requeues what was lost."""
