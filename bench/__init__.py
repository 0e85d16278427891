"""Programs that measure Funnel, run by hand; their figures stand in the documents that name them."""
