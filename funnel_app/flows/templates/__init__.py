"""Templates: the owner's texts, read, validated, stored and made into letters."""
