"""Sending: from a due email to confirmed delivery."""
