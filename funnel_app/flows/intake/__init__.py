"""From a call of a hook to planned emails."""
