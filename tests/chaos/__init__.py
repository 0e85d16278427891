"""Storms of faults over a whole Funnel of real processes, and the count of what they lost."""
