"""A child process for texts of strangers."""
