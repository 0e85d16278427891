"""Backups, restores and the sweep that finds what was left lying."""
