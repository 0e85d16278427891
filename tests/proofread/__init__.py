"""Every starter letter on every day of a year, read as the lead reads it: what may not be said is a list of words."""
