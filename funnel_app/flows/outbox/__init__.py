"""Outbox: events for outside receivers, in order and at least once."""
