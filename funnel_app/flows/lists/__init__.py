"""Lists of leads: taken in row by row without doubles, each row answered, and given out."""
