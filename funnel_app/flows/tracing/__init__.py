"""Tracing: one lead's history, with a sentence on each sequence."""
