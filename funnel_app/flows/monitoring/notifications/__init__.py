"""Notifications: what is said to people in a chat, or to a dead man's switch outside."""
