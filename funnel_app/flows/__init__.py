"""What Funnel does, one file a deed; the rooms stand in the order of a lead's way."""
