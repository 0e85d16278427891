"""Statistics: what became of all emails, counted for pages, chats and other programs."""
