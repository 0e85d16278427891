"""Jobs that RQ runs, one call each, and the processes."""
