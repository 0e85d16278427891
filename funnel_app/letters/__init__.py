"""The letter: template and values in, the exact message out. Pure: no clock, no I/O, and nothing else of Funnel."""
