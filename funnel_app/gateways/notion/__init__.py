"""Notion's API within its budget."""
