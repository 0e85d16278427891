"""Styles: inlined where that says the same, kept in the head where it does not, and what they hide."""
