"""Queues, delayed jobs, heartbeats and what processes remember together."""
