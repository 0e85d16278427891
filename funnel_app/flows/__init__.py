"""Flows: what Funnel does, one action a file; the rooms are in the order of a lead's way."""
