"""Everybody else's HTTP: Calendly, chats, heartbeats, our own public address."""
