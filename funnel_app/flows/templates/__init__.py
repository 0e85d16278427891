"""The owner's texts: read, checked, kept and made into letters."""
