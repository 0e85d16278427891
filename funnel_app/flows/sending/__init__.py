"""From a due email to the proof of its delivery."""
