"""Bring a release to Coolify: what is to change, and changing it."""
