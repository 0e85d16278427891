"""Files that Funnel serves as they are, and the sources that they are made of."""
