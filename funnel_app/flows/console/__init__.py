"""What the console shows and does."""
