"""The doctor's checks, a room a file: each is a small function from the collaborators to what it found."""
