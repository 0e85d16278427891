"""Redis: queues, delayed jobs, heartbeats, rate limits and shared state."""
