"""Status: whether emails go now, and what keeps them or needs a person."""
