"""One lead's story in sentences."""
