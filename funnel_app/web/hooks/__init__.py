"""The public hooks: what each accepts and answers."""
