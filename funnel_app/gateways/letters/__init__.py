"""A child process that judges untrusted templates."""
