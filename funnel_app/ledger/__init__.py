"""All SQL: tables, readings and writings of the one truth."""
