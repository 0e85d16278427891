"""Queues: rq-dashboard as a part of the console."""
