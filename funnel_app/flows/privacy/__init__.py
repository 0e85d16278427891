"""Privacy: unsubscribe, export and erase a person."""
