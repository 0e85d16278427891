"""Other HTTP: Calendly, chats, heartbeats, receivers, and our own public address."""
