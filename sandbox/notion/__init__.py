"""A stand-in for Notion's API."""
