"""Outbox: what receivers outside are told of leads, in order and at least once."""
