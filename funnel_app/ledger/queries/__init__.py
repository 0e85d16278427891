"""Queries: what the console, the watch and the figures read across tables; nothing here writes."""
