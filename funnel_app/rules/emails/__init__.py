"""Emails: what becomes of one that went out, which of several waits, and what one that came in is."""
