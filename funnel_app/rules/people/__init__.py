"""People: who a caller is, and what is taken of what they typed."""
