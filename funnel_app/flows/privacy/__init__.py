"""What a person may ask for: no more emails, all that is known, to be forgotten."""
